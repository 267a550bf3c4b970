import numpy as np
import pytest
import torch
from scipy.spatial.distance import directed_hausdorff
from skimage.segmentation import find_boundaries

from fetal_monai.biometry import Ellipse, FailedFit, HeadMeasurement
from fetal_monai.metrics import HausdorffDistanceMm


def _one_hot(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([~mask, mask]).astype(np.float32))


def _head(pixel_spacing_mm: tuple[float, float] | None) -> HeadMeasurement:
    return HeadMeasurement(Ellipse(0.0, 0.0, 2.0, 1.0, 0.0), pixel_spacing_mm)


@pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.2, 0.7)])
def test_against_scipy_on_the_outlines(spacing: tuple[float, float]) -> None:
    predicted = Ellipse(40.0, 30.0, 22.0, 15.0, 0.3).rasterise((64, 80))
    true = Ellipse(42.0, 33.0, 20.0, 17.0, 0.8).rasterise((64, 80))
    outlines = [np.argwhere(find_boundaries(m, mode="inner", connectivity=1)) * spacing for m in (predicted, true)]
    expected = max(directed_hausdorff(*outlines)[0], directed_hausdorff(*outlines[::-1])[0])
    metric = HausdorffDistanceMm()
    metric([_one_hot(predicted)], [(_one_hot(true), _head(spacing))])
    # The two definitions of an outline may differ by one pixel at corners.
    assert metric.aggregate().item() == pytest.approx(expected, abs=max(spacing))


def test_a_shift_is_its_length_in_mm() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:25] = True
    metric = HausdorffDistanceMm()
    metric([_one_hot(np.roll(mask, 4, axis=0))], [(_one_hot(mask), _head((0.3, 2.0)))])
    metric([_one_hot(np.roll(mask, 4, axis=1))], [(_one_hot(mask), _head((0.3, 2.0)))])
    assert metric.get_buffer().flatten().tolist() == pytest.approx([1.2, 8.0])


def test_no_distance_without_a_mask_or_a_spacing() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    metric = HausdorffDistanceMm()
    metric([_one_hot(np.zeros_like(mask))], [(_one_hot(mask), _head((1.0, 1.0)))])
    metric([_one_hot(mask)], [(_one_hot(mask), _head(None))])
    metric([_one_hot(mask)], [(_one_hot(mask), FailedFit("no head"))])
    metric([_one_hot(mask)], [(_one_hot(mask), _head((1.0, 1.0)))])
    assert metric.get_buffer().flatten().isnan().tolist() == [True, True, True, False]
    assert metric.aggregate().item() == 0.0
