import math

import pytest

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.metrics import HeadCircumference, HeadCircumferenceDifference, HeadsMeasured


def _circle(radius_px: float, spacing_mm: float = 0.5) -> HeadMeasurement:
    return HeadMeasurement(Ellipse(0.0, 0.0, radius_px, radius_px, 0.0), (spacing_mm, spacing_mm))


def test_difference_is_signed_and_in_mm() -> None:
    metric = HeadCircumferenceDifference()
    metric([_circle(101.0), _circle(97.0)], [_circle(100.0), _circle(100.0)])
    assert metric.get_buffer().flatten().tolist() == pytest.approx([math.pi, -3 * math.pi], rel=1e-5)
    assert metric.aggregate().item() == pytest.approx(-math.pi, rel=1e-5)


def test_absolute_difference_does_not_cancel() -> None:
    metric = HeadCircumferenceDifference(absolute=True)
    metric([_circle(101.0), _circle(97.0)], [_circle(100.0), _circle(100.0)])
    assert metric.aggregate().item() == pytest.approx(2 * math.pi, rel=1e-5)


def test_an_unmeasured_head_has_no_difference_and_counts_as_not_measured() -> None:
    difference, measured = HeadCircumferenceDifference(), HeadsMeasured()
    predicted: list[HeadMeasurement | FailedEstimate] = [FailedEstimate("empty mask"), _circle(101.0)]
    reference = [_circle(100.0), _circle(100.0)]
    difference(predicted, reference)
    measured(predicted, reference)
    assert difference.get_buffer()[0].isnan()
    assert difference.aggregate().item() == pytest.approx(math.pi, rel=1e-5)
    assert measured.aggregate().item() == 0.5


def test_the_head_circumference_is_that_of_the_prediction() -> None:
    metric = HeadCircumference()
    metric([_circle(101.0), FailedEstimate("empty mask"), _circle(97.0)], [_circle(100.0)] * 3)
    first, failed, last = metric.get_buffer().flatten().tolist()
    assert (first, last) == (pytest.approx(101 * math.pi), pytest.approx(97 * math.pi))
    assert math.isnan(failed)
    assert metric.aggregate().item() == pytest.approx(99 * math.pi)


def test_batches_add_up() -> None:
    metric = HeadCircumferenceDifference()
    for radius in (101.0, 103.0):
        metric([_circle(radius)], [_circle(100.0)])
    assert metric.aggregate().item() == pytest.approx(2 * 2 * math.pi * 0.5, rel=1e-5)
