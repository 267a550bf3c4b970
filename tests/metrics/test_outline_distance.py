import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, directed_hausdorff
from skimage.segmentation import find_boundaries

from fetal_monai.biometry import Ellipse, measure_head
from fetal_monai.metrics import HausdorffDistanceMm, SurfaceDistanceMm


def _one_hot(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([~mask, mask]).astype(np.float32))


def _outlines(*masks: np.ndarray, spacing: tuple[float, float]) -> list[np.ndarray]:
    """The pixels at each mask's inner edge, in mm."""
    return [np.argwhere(find_boundaries(mask, mode="inner", connectivity=1)) * spacing for mask in masks]


SPACINGS = pytest.mark.parametrize("spacing", [(0.5, 0.5), (0.2, 0.7)])
PREDICTED = Ellipse(40.0, 30.0, 22.0, 15.0, 0.3).rasterise((64, 80))
TRUE = Ellipse(42.0, 33.0, 20.0, 17.0, 0.8).rasterise((64, 80))


@SPACINGS
def test_hausdorff_distance_against_scipy_on_the_outlines(spacing: tuple[float, float]) -> None:
    outlines = _outlines(PREDICTED, TRUE, spacing=spacing)
    expected = max(directed_hausdorff(*outlines)[0], directed_hausdorff(*outlines[::-1])[0])
    metric = HausdorffDistanceMm()
    metric([_one_hot(PREDICTED)], [(_one_hot(TRUE), spacing)])
    # The two definitions of an outline may differ by one pixel at corners.
    assert metric.aggregate().item() == pytest.approx(expected, abs=max(spacing))


@SPACINGS
def test_robust_and_mean_distance_against_scipy_on_the_outlines(spacing: tuple[float, float]) -> None:
    distances = cdist(*_outlines(PREDICTED, TRUE, spacing=spacing))
    there, back = distances.min(axis=1), distances.min(axis=0)
    robust, mean = HausdorffDistanceMm(percentile=95), SurfaceDistanceMm()
    for metric in (robust, mean):
        metric([_one_hot(PREDICTED)], [(_one_hot(TRUE), spacing)])
    expected = max(np.percentile(there, 95), np.percentile(back, 95))
    assert robust.aggregate().item() == pytest.approx(expected, rel=0.02)
    assert mean.aggregate().item() == pytest.approx(np.concatenate([there, back]).mean(), rel=0.02)


def test_concentric_squares_have_their_gap_as_mean_distance() -> None:
    inner, outer = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    inner[15:25, 15:25], outer[12:28, 12:28] = True, True
    metric = SurfaceDistanceMm()
    metric([_one_hot(inner)], [(_one_hot(outer), (0.5, 0.5))])
    # 36 px of the inner outline and 60 of the outer one, 3 px apart but for the outer one's four corners.
    corners = 4 * (np.sqrt(18) + 2 * np.sqrt(13) + 2 * np.sqrt(10))
    assert metric.aggregate().item() == pytest.approx(0.5 * (36 * 3 + 40 * 3 + corners) / 96)


def test_a_shift_is_its_length_in_mm() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:25] = True
    metric = HausdorffDistanceMm()
    metric([_one_hot(np.roll(mask, 4, axis=0))], [(_one_hot(mask), (0.3, 2.0))])
    metric([_one_hot(np.roll(mask, 4, axis=1))], [(_one_hot(mask), (0.3, 2.0))])
    assert metric.get_buffer().flatten().tolist() == pytest.approx([1.2, 8.0])


@pytest.mark.parametrize("metric", [HausdorffDistanceMm(), HausdorffDistanceMm(95), SurfaceDistanceMm()])
def test_no_distance_without_a_mask_or_a_spacing(metric: HausdorffDistanceMm | SurfaceDistanceMm) -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    metric([_one_hot(np.zeros_like(mask))], [(_one_hot(mask), (1.0, 1.0))])
    metric([_one_hot(mask)], [(_one_hot(mask), (np.nan, np.nan))])
    metric([_one_hot(mask)], [(_one_hot(mask), (1.0, 1.0))])
    assert metric.get_buffer().flatten().isnan().tolist() == [True, True, False]
    assert metric.aggregate().item() == 0.0


def test_a_reference_to_which_no_ellipse_fits_has_a_distance() -> None:
    line, mask = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    line[5, 3:15], mask[7, 3:15] = True, True
    assert not measure_head(line)
    metric = HausdorffDistanceMm()
    metric([_one_hot(mask)], [(_one_hot(line), (0.5, 0.5))])
    assert metric.aggregate().item() == pytest.approx(2 * 0.5)
