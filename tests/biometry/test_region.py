import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter
from skimage.measure import find_contours
from skimage.measure import label as label_components
from skimage.transform import resize

from fetal_monai.biometry import Ellipse, HeadMeasurement, measure_head, measure_head_in_probability
from fetal_monai.biometry.region import head_region, outline_points
from fetal_monai.failed_estimate import FailedEstimate

MAP = (96, 144)


def probability_of(ellipse: Ellipse, map_shape: tuple[int, int], frame_shape: tuple[int, int]) -> NDArray[Any]:
    """A smooth probability map whose 0.5-contour is an ellipse of the frame."""
    rows, columns = np.indices(map_shape)
    x = (columns + 0.5) * frame_shape[1] / map_shape[1] - 0.5 - ellipse.center_x
    y = (rows + 0.5) * frame_shape[0] / map_shape[0] - 0.5 - ellipse.center_y
    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    radius = np.hypot((x * cos + y * sin) / ellipse.semi_axis_a, (y * cos - x * sin) / ellipse.semi_axis_b)
    return 1 / (1 + np.exp((radius - 1) * ellipse.semi_axis_b / 5))


@settings(deadline=None, max_examples=50)
@given(
    center=st.tuples(st.floats(380, 420), st.floats(250, 290)),
    long=st.floats(150, 220),
    ratio=st.floats(0.7, 0.95),
    angle=st.floats(0, 3.1),
    map_shape=st.sampled_from([(256, 384), (256, 256), (320, 512), (540, 800)]),
)
def test_an_ellipse_is_recovered_at_the_networks_size(
    center: tuple[float, float], long: float, ratio: float, angle: float, map_shape: tuple[int, int]
) -> None:
    true = Ellipse(*center, long, long * ratio, angle)
    head = measure_head_in_probability(probability_of(true, map_shape, (540, 800)), (540, 800), (0.1, 0.1))
    assert isinstance(head, HeadMeasurement)
    found = head.ellipse_px
    for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), abs=0.05)
    assert head.head_circumference_mm == pytest.approx(0.1 * true.perimeter, abs=0.02)


@pytest.mark.parametrize("frame_shape", [(540, 800), (200, 900), (60, 100)])
def test_the_map_and_the_frame_share_their_edges(frame_shape: tuple[int, int]) -> None:
    height, width = frame_shape
    true = Ellipse(0.45 * width, 0.55 * height, 0.3 * max(height, 0.7 * width), 0.28 * height, 0.0)
    probability = probability_of(true, MAP, frame_shape)
    # An independent way to the frame: scikit-image interpolates between pixel centres, edges aligned.
    expected = measure_head(resize(probability, frame_shape, order=1, anti_aliasing=False))
    found = measure_head_in_probability(probability, frame_shape)
    assert found.ellipse_px.center_x == pytest.approx(expected.ellipse_px.center_x, abs=0.1)
    assert found.ellipse_px.center_y == pytest.approx(expected.ellipse_px.center_y, abs=0.1)
    assert found.ellipse_px.perimeter == pytest.approx(expected.ellipse_px.perimeter, rel=3e-3)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), blur=st.floats(1, 8), shift=st.floats(-0.3, 1.2))
def test_the_outline_is_that_of_marching_squares(seed: int, blur: float, shift: float) -> None:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(40, 60)), blur)
    probability = np.clip(0.5 + 0.2 * (noise / noise.std() + shift), 0, 1)
    found = head_region(probability > 0.5, min_area_px=1)
    if isinstance(found, FailedEstimate):
        return
    components = label_components(probability > 0.5, connectivity=2)
    largest = components == 1 + np.bincount(components.ravel())[1:].argmax()
    assert np.array_equal(found, binary_fill_holes(largest))
    # Nothing but this region: holes and smaller parts have outlines of their own.
    alone = np.where(found, np.maximum(probability, 0.5 + 1e-9), np.minimum(probability, 0.5))
    expected = np.concatenate([*find_contours(alone, 0.5), np.empty((0, 2))])
    assert {tuple(point) for point in np.round(outline_points(alone, found)[:, ::-1], 6)} == {
        tuple(point) for point in np.round(expected, 6)
    }


def test_a_network_without_finite_output_is_a_failure_with_its_count() -> None:
    probability = probability_of(Ellipse(400, 270, 200, 160, 0.3), (256, 384), (540, 800))
    probability[3, 4] = np.nan
    failed = measure_head_in_probability(probability, (540, 800))
    assert isinstance(failed, FailedEstimate)
    assert failed.reason.startswith("1 of 98304 values")
