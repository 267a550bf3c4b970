from __future__ import annotations

import math

import pytest
import torch
from monai.transforms import AsDiscreted, Compose

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.transforms import MeasureHeadd, RejectNonFinited

HEAD = torch.from_numpy(Ellipse(60, 50, 40, 30, 0.4).rasterise((100, 120)))
LOGITS = torch.stack([~HEAD, HEAD]).float()
MEASURE = Compose([RejectNonFinited("pred"), AsDiscreted("pred", argmax=True), MeasureHeadd("pred")])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("count", [1, LOGITS.numel()])
def test_one_value_that_is_no_number_fails_the_measurement(value: float, count: int) -> None:
    prediction = LOGITS.clone()
    prediction.view(-1)[:count] = value
    head = MEASURE({"pred": prediction, "pixel_spacing_mm": [0.5, 0.5]})["pred_head"]
    assert isinstance(head, FailedEstimate)
    assert head.reason == (
        f"{count} of 24000 values in the network's output are NaN or infinite; check the weights, and autocast_dtype "
        "if it is set"
    )


def test_numbers_are_measured() -> None:
    assert isinstance(MEASURE({"pred": LOGITS, "pixel_spacing_mm": [0.5, 0.5]})["pred_head"], HeadMeasurement)
