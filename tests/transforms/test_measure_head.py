from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, decollate_batch, list_data_collate
from monai.transforms import Compose

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import UltrasoundRegion, ultrasound_regions_to_text
from fetal_monai.transforms import MeasureHeadd

ELLIPSE = Ellipse(60, 50, 40, 30, 0.4)
HEAD = torch.from_numpy(ELLIPSE.rasterise((100, 120)))


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(HEAD[None].float(), id="label map"),
        pytest.param(torch.stack([~HEAD, HEAD]).float(), id="one-hot"),
        pytest.param(MetaTensor(torch.stack([~HEAD, HEAD]).to(torch.uint8)), id="MetaTensor"),
        pytest.param(HEAD[None].numpy(), id="numpy"),
    ],
)
def test_measures_the_last_channel(mask: torch.Tensor) -> None:
    item = MeasureHeadd("pred")({"pred": mask, "pixel_spacing_mm": [0.5, 0.5]})
    head = item["pred_head"]
    assert isinstance(head, HeadMeasurement)
    assert head.head_circumference_mm == pytest.approx(0.5 * ELLIPSE.perimeter, rel=5e-3)
    assert item["pred"] is mask


def test_spacing_is_row_column() -> None:
    item = MeasureHeadd("pred")({"pred": HEAD[None], "pixel_spacing_mm": [0.3, 0.2]})
    expected = ELLIPSE.scaled(x_scale=0.2, y_scale=0.3)
    assert item["pred_head"].head_circumference_mm == pytest.approx(expected.perimeter, rel=5e-3)


def test_unknown_spacing_leaves_the_ellipse_alone() -> None:
    head = MeasureHeadd("pred")({"pred": HEAD[None], "pixel_spacing_mm": [math.nan, math.nan]})["pred_head"]
    assert head.pixel_spacing_mm is None
    assert head.ellipse_px.center_x == pytest.approx(ELLIPSE.center_x, abs=0.2)
    with pytest.raises(ValueError, match="spacing"):
        _ = head.head_circumference_mm


def test_a_missing_spacing_is_unknown() -> None:
    head = MeasureHeadd("pred")({"pred": HEAD[None]})["pred_head"]
    assert isinstance(head, HeadMeasurement)
    assert head.pixel_spacing_mm is None


def test_half_a_spacing_is_an_error() -> None:
    with pytest.raises(ValueError, match="pixel_spacing_mm"):
        MeasureHeadd("pred")({"pred": HEAD[None], "pixel_spacing_mm": [0.3, math.nan]})


def test_no_head_is_a_failed_fit() -> None:
    head = MeasureHeadd("pred")({"pred": torch.zeros(2, 100, 120), "pixel_spacing_mm": [0.3, 0.2]})["pred_head"]
    assert isinstance(head, FailedEstimate)
    assert "empty" in head.reason


@pytest.mark.parametrize("regions", [[], [UltrasoundRegion(0, 0, 119, 99, (0.3, 0.2))]])
def test_an_uncertain_network_is_doubted(regions: list[UltrasoundRegion]) -> None:
    text = ultrasound_regions_to_text(regions)
    item: dict[Hashable, Any] = {"pixel_spacing_mm": [0.3, 0.2], "ultrasound_regions": text}
    certain, uncertain = (
        MeasureHeadd("pred")({**item, "pred": torch.stack([~HEAD, HEAD]) * probability})["pred_head"]
        for probability in (0.99, 0.8)
    )
    assert certain.ellipse_px.perimeter == pytest.approx(uncertain.ellipse_px.perimeter, rel=0.01)
    assert certain.pixel_spacing_mm == uncertain.pixel_spacing_mm == (0.3, 0.2)
    assert certain.doubts == []
    assert uncertain.doubts == ["the mean probability inside the ellipse is only 80.0%"]


def test_spacing_survives_a_batch() -> None:
    """The spacing of the collection, a list of two numbers, as it comes out of MONAI's collate and decollate."""
    spacings = [[0.3, 0.2], [math.nan, math.nan], [0.1, 0.4]]
    batch = list_data_collate([{"pred": HEAD[None].float(), "pixel_spacing_mm": spacing} for spacing in spacings])
    items = Compose([MeasureHeadd("pred")])(decollate_batch(batch))
    assert [item["pred_head"].pixel_spacing_mm for item in items] == [
        pytest.approx((0.3, 0.2)),
        None,
        pytest.approx((0.1, 0.4)),
    ]


def test_the_spacing_is_that_of_the_region_that_holds_the_ellipse_and_survives_a_batch() -> None:
    inside, outside = UltrasoundRegion(10, 10, 110, 90, (0.3, 0.2)), UltrasoundRegion(0, 0, 50, 99, (0.4, 0.4))
    texts = [ultrasound_regions_to_text(regions) for regions in ([outside, inside], [], [outside])]
    batch = list_data_collate(
        [{"pred": HEAD[None].float(), "pixel_spacing_mm": [0.1, 0.1], "ultrasound_regions": text} for text in texts]
    )
    heads = [item["pred_head"] for item in Compose([MeasureHeadd("pred")])(decollate_batch(batch))]
    assert [head.pixel_spacing_mm for head in heads] == [(0.3, 0.2), pytest.approx((0.1, 0.1)), None]
    assert "lies in none" in heads[2].unscaled_reason


def test_missing_key() -> None:
    item: dict[Hashable, Any] = {"pixel_spacing_mm": [0.3, 0.2]}
    assert MeasureHeadd("pred", allow_missing_keys=True)(item) == item
    with pytest.raises(KeyError, match="pred"):
        MeasureHeadd("pred")(item)


def test_item_is_not_changed() -> None:
    item: dict[Hashable, Any] = {"pred": np.asarray(HEAD[None]), "pixel_spacing_mm": [0.3, 0.2]}
    MeasureHeadd("pred")(item)
    assert set(item) == {"pred", "pixel_spacing_mm"}
