"""The pixels of a class response map that exceed a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label
from skimage.transform import resize

from fetal_monai.failed_estimate import FailedEstimate

_RULES = ("median", "median_to_max")


def enlarge_response(response_map: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
    """Enlarge a response map to the size of the network's input, bilinearly.

    The map's sites are squares of the image: their centres are aligned, not the corners.

    Args:
        response_map: (h, w).
        size: (H, W) of the image.

    Returns:
        The map (H, W); a site's response is not divided among its pixels.

    Raises:
        ValueError: If `response_map` is not 2-D.
    """
    return resize(_map_2d(response_map), size, order=1, mode="edge", anti_aliasing=False, preserve_range=True)


def response_threshold(response_map: NDArray[Any], rule: str = "median", excess: float = 0.3) -> float:
    """The response above which a pixel belongs to the mask.

    Toussaint et al., DLMIA 2018 (arXiv:1808.00793), take what is "30 % above the median". By the rule "median" that
    is (1 + excess) * median. Where the median is not positive, "above" it by a percentage has no meaning (of a
    negative one it is below): "median_to_max" is taken instead, median + excess * (maximum - median). Adding a
    constant to the map moves that threshold by the constant.

    Args:
        response_map: (H, W), finite.
        rule: "median" or "median_to_max".
        excess: The paper's 30 %, as a part between 0 and 1.

    Raises:
        ValueError: If an argument is out of its range, or the map is not 2-D.
    """
    if rule not in _RULES:
        raise ValueError(f"rule must be one of {list(_RULES)}, got {rule!r}.")
    # The upper end holds for both rules: by the sign of the median either may be taken.
    if not 0 < excess < 1:
        raise ValueError(f"excess must be between 0 and 1, got {excess}.")
    values = _map_2d(response_map)
    median = float(np.median(values))
    if rule == "median" and median > 0:
        return (1 + excess) * median
    return median + excess * (float(values.max()) - median)


def response_mask(
    response_map: NDArray[Any],
    size: tuple[int, int],
    rule: str = "median",
    excess: float = 0.3,
    largest_component: bool = False,
) -> NDArray[np.bool_] | FailedEstimate:
    """Mark the pixels that exceed the threshold of a class response map.

    The map is enlarged first, then the threshold is taken of the enlarged map.

    Args:
        response_map: (h, w), the response map of one class, at the network's resolution.
        size: (H, W) of the network's input, the size of the mask.
        rule: As for `response_threshold`.
        excess: As for `response_threshold`.
        largest_component: Only the largest of the parts that exceed the threshold (touching corners join).

    Returns:
        The mask (H, W), of one pixel or more, or a `FailedEstimate` with the reason.

    Raises:
        ValueError: If an argument is out of its range, or the map is not 2-D.
    """
    sites = _map_2d(response_map)
    if not np.isfinite(sites).all():
        return FailedEstimate("the response map holds values that are not finite numbers (NaN or infinity)")
    # Enlarging a flat map may leave rounding errors, which would stand out.
    if np.ptp(sites) == 0:
        return FailedEstimate(f"nothing stands out: the response is {sites.flat[0]:.4g} everywhere")
    response = enlarge_response(sites, size)
    threshold = response_threshold(response, rule, excess)
    above = response > threshold
    if not above.any():
        return FailedEstimate(
            f"nothing stands out: the largest response {response.max():.4g} is not above {threshold:.4g}"
        )
    if not largest_component:
        return above
    parts = label(above, connectivity=2)
    return parts == np.bincount(parts.ravel())[1:].argmax() + 1


def _map_2d(response_map: NDArray[Any]) -> NDArray[np.float64]:
    response_map = np.asarray(response_map, dtype=np.float64)
    if response_map.ndim != 2 or not response_map.size:
        raise ValueError(f"A response map must be 2-D (h, w), of one class, got shape {response_map.shape}.")
    return response_map
