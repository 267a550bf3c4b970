import numpy as np
import pytest
from numpy.testing import assert_allclose

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.metrics import region_overlap

NAN = [np.nan] * 4
REFERENCES = np.array([[0, 0, 10, 10], NAN, [20, 20, 30, 40]])


def test_the_winning_class_has_the_overlap_and_others_do_not_count() -> None:
    half = Box(0, 0, 10, 5)
    assert_allclose(region_overlap(0, half, REFERENCES), [0.5, np.nan, np.nan])
    assert_allclose(region_overlap(2, Box(20, 20, 30, 40), REFERENCES), [np.nan, np.nan, 1])


def test_a_region_without_a_box_is_missed() -> None:
    assert_allclose(region_overlap(0, FailedEstimate("flat"), REFERENCES), [0, np.nan, np.nan])


def test_under_the_wrong_class_every_marked_region_is_missed() -> None:
    assert_allclose(region_overlap(1, Box(0, 0, 10, 10), REFERENCES), [0, np.nan, 0])


def test_nothing_counts_where_nothing_is_marked() -> None:
    assert np.isnan(region_overlap(1, Box(0, 0, 10, 10), np.array([NAN, NAN]))).all()


@pytest.mark.parametrize("references", [[0, 0, 1, 1], [[0, 0, 1]], [[0, 0, np.nan, 1]], [[0, 0, np.inf, 1]]])
def test_references_that_are_no_boxes(references: list[float]) -> None:
    with pytest.raises(ValueError, match="references must"):
        region_overlap(0, Box(0, 0, 1, 1), np.array(references))
