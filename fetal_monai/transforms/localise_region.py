"""From a network's response to the region in sight and its box on the frame."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_numpy
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.localisation import enlarge_response, response_mask
from fetal_monai.transforms.polar import grid_of


class LocaliseRegiond(MapTransform):
    """Takes the logits out of a response, and adds the winning class, its box and its heat map.

    Under ``key`` there is a response as `LocalisationInferer` gives it, "logits" (C,) and "response_maps" (C, h, w);
    the logits take its place. Added are

    - ``<key>_region``: the name of the winning class;
    - ``<key>_box``: its `Box` on the frame, px of the frame's own grid, or the `FailedEstimate` with the reason why
      there is none;
    - ``<key>_heat``: (1, H, W), its response at each place of the network's input, from 0 (the median
      and below) to 1 (the maximum), for `PolarToSectord` and a picture.

    The pixels that stand out are found on the network's input, see `response_mask`; the box encloses it on the frame.

    Args:
        keys: The responses.
        class_names: C of them, in the order of the network's outputs.
        size: (H, W) of the network's input.
        depth_trim: As for the `SectorToPolard` that made it.
        background: The class that is no region and has no box.
        rule: As for `response_threshold`.
        excess: As for `response_threshold`.
        largest_component: As for `response_mask`.
        geometry_key: Where `FrameGeometryd` put the frame's geometry; a frame whose geometry is unknown was resized.
        allow_missing_keys: Leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        class_names: Sequence[str],
        size: Sequence[int] = (224, 224),
        depth_trim: float = 0.1,
        background: str = "background",
        rule: str = "median",
        excess: float = 0.3,
        largest_component: bool = False,
        geometry_key: str = "geometry",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.class_names = list(class_names)
        self.size = (int(size[0]), int(size[1]))
        self.depth_trim = depth_trim
        self.background = background
        self.rule = rule
        self.excess = excess
        self.largest_component = largest_component
        self.geometry_key = geometry_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its regions.

        Raises:
            ValueError: A response has other classes than `class_names`.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            logits, maps = item[key]["logits"], convert_to_numpy(item[key]["response_maps"])
            if not len(logits) == len(maps) == len(self.class_names):
                raise ValueError(
                    f"The response has {len(logits)} logits and {len(maps)} maps; expected {len(self.class_names)}, "
                    f"one a class: {', '.join(self.class_names)}."
                )
            winner = int(logits.argmax())
            item[key] = logits
            item[f"{key}_region"] = self.class_names[winner]
            item[f"{key}_box"] = self._box(maps[winner], winner, item[self.geometry_key])
            item[f"{key}_heat"] = torch.as_tensor(_relative(maps[winner], self.size)[None])
        return item

    def _box(self, response_map: NDArray[Any], winner: int, record: Mapping[str, Any]) -> Box | FailedEstimate:
        if self.class_names[winner] == self.background:
            return FailedEstimate(f"{self.background}: no region in sight")
        mask = response_mask(response_map, self.size, self.rule, self.excess, self.largest_component)
        if isinstance(mask, FailedEstimate):
            return mask
        grid = grid_of(record, self.size, self.depth_trim, unknown="resize")
        boxes = grid.boxes_to_frame(_runs(mask), (int(record["height"]), int(record["width"])))
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        if not len(boxes):
            return FailedEstimate("what stands out is beyond the frame's border")
        return Box(*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A mask (H, W) cut into runs of pixels along its rows, as boxes (N, 4)."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (rows, first), (_, end) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    return np.stack([first, rows, end, rows + 1], axis=1)


def _relative(response_map: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    response = enlarge_response(np.nan_to_num(response_map), size)
    median, highest = float(np.median(response)), float(response.max())
    if highest <= median:
        return np.zeros(size, dtype=np.float32)
    return np.clip((response - median) / (highest - median), 0, 1).astype(np.float32)
