from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import find_objects

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.localisation import enlarge_response, response_mask, response_threshold


def enclosed(*arguments: Any, **options: Any) -> Box | FailedEstimate:
    """The mask as the box around it: what it must be is easier to say."""
    mask = response_mask(*arguments, **options)
    if isinstance(mask, FailedEstimate):
        return mask
    rows, columns = find_objects(mask.astype(int))[0]
    return Box(columns.start, rows.start, columns.stop, rows.stop)


def response_map(*peaks: tuple[int, int, float], size: tuple[int, int] = (7, 9), base: float = 1.0) -> np.ndarray:
    response = np.full(size, base)
    for row, column, value in peaks:
        response[row, column] = value
    return response


@pytest.mark.parametrize("size", [(224, 224), (97, 260), (7, 9), (5, 4)])
def test_enlarging_is_pytorchs_bilinear_interpolation(size: tuple[int, int]) -> None:
    response = np.random.default_rng(0).normal(size=(7, 9))
    tensor = torch.from_numpy(response)[None, None]
    expected = torch.nn.functional.interpolate(tensor, size=size, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(enlarge_response(response, size), expected[0, 0].numpy(), atol=1e-12)


def test_the_rules_are_their_formulas() -> None:
    response = np.array([[1.0, 2.0, 3.0], [4.0, 8.0, 3.5], [0.0, 2.5, 3.0]])  # median 3, maximum 8
    assert response_threshold(response) == pytest.approx(1.3 * 3)
    assert response_threshold(response, "median_to_max") == pytest.approx(3 + 0.3 * 5)
    assert response_threshold(response, excess=0.5) == pytest.approx(1.5 * 3)


@given(st.floats(-5, 0))
def test_below_a_median_that_is_not_positive_the_rule_goes_from_the_median_to_the_maximum(median: float) -> None:
    response = response_map((3, 4, 2.0), base=median)
    assert response_threshold(response) == response_threshold(response, "median_to_max")
    assert median < response_threshold(response) < 2


@given(st.floats(-100, 100), st.sampled_from([0.01, 3.0, 1000.0]))
def test_from_median_to_maximum_the_box_does_not_change_with_offset_and_scale(offset: float, scale: float) -> None:
    response = response_map((2, 3, 4.0), (3, 3, 3.1), (6, 8, 1.7))
    box = enclosed(response, (70, 90), "median_to_max")
    assert enclosed(scale * (response + offset), (70, 90), "median_to_max") == box


def test_the_mask_is_what_exceeds_the_threshold() -> None:
    response = response_map((2, 3, 1.31), (4, 6, 9.0), (0, 0, 1.29))
    mask = response_mask(response, (7, 9))  # at the map's own size nothing is interpolated
    assert not isinstance(mask, FailedEstimate)
    assert np.argwhere(mask).tolist() == [[2, 3], [4, 6]]


def test_the_box_lies_where_interpolation_passes_the_threshold() -> None:
    # A ridge of 3 over 1: passes 1.3 at 0.85 of the way from the middle of its site to that of the next.
    response = np.ones((1, 5))
    response[0, 2] = 3
    x_min, _, x_max, _ = enclosed(response, (1, 500))  # type: ignore[attr-defined]
    assert (x_min, x_max) == (pytest.approx(250 - 85, abs=1), pytest.approx(250 + 85, abs=1))


def test_the_box_follows_flips_and_transposes() -> None:
    response = np.random.default_rng(1).gamma(1.0, size=(5, 7)) ** 3
    x_min, y_min, x_max, y_max = enclosed(response, (40, 63), "median_to_max")  # type: ignore[attr-defined]
    assert enclosed(response[::-1], (40, 63), "median_to_max") == Box(x_min, 40 - y_max, x_max, 40 - y_min)
    assert enclosed(response[:, ::-1], (40, 63), "median_to_max") == Box(63 - x_max, y_min, 63 - x_min, y_max)
    assert enclosed(response.T, (63, 40), "median_to_max") == Box(y_min, x_min, y_max, x_max)


def test_the_largest_part_alone_can_be_enclosed() -> None:
    response = response_map((1, 1, 9.0), (4, 5, 2.0), (5, 6, 2.0), (5, 7, 2.0))
    assert enclosed(response, (7, 9)) == Box(1, 1, 8, 6)
    assert enclosed(response, (7, 9), largest_component=True) == Box(5, 4, 8, 6)


@given(st.floats(-1e6, 1e6), st.sampled_from(["median", "median_to_max"]))
def test_a_flat_map_has_no_box(value: float, rule: str) -> None:
    box = enclosed(np.full((7, 7), value), (224, 224), rule)
    assert not box
    assert "nothing stands out" in box.reason


def test_what_does_not_reach_the_threshold_has_no_box() -> None:
    box = enclosed(response_map((3, 4, 1.25)), (7, 9))
    assert box == FailedEstimate("nothing stands out: the largest response 1.25 is not above 1.3")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_map_of_a_broken_network_has_no_box(value: float) -> None:
    box = enclosed(response_map((3, 4, value)), (70, 90))
    assert not box
    assert "not finite" in box.reason


@pytest.mark.parametrize("shape", [(7,), (1, 7, 7), (0, 7)])
def test_a_map_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be 2-D \(h, w\), of one class, got shape"):
        enclosed(np.zeros(shape), (224, 224))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "mean"}, r"rule must be one of \['median', 'median_to_max'\], got 'mean'"),
        ({"excess": 0}, "excess must be between 0 and 1, got 0"),
        ({"excess": 1.3}, "excess must be between 0 and 1, got 1.3"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        enclosed(response_map((3, 4, 2.0)), (70, 90), **arguments)
