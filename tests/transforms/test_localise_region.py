from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box, PolarFrame, PolarGrid, Sector, geometry_record
from fetal_monai.localisation import response_mask
from fetal_monai.transforms import LocaliseRegiond

CLASSES = ["head", "limbs", "background"]
SHAPE = (120, 160)
SECTOR = Sector(75, -30, 40, 145, -0.45, 0.5)
SIZE = (64, 48)


def response(winner: int = 0, **changed: Any) -> dict[str, torch.Tensor]:
    """Four rows and columns of sites, of which one block responds: rows 1 and 2, column 3."""
    maps = torch.ones(3, 4, 4)
    maps[winner, 1:3, 3] = 9
    return {"logits": torch.nn.functional.one_hot(torch.tensor(winner), 3).float(), "response_maps": maps, **changed}


def localise(
    response: dict[str, torch.Tensor], geometry: Any, size: tuple[int, int] = SIZE, **options: Any
) -> dict[Any, Any]:
    transform = LocaliseRegiond("pred", class_names=CLASSES, size=size, **options)
    return transform({"pred": response, "geometry": geometry_record(geometry, SHAPE)})


def test_the_winning_class_its_logits_and_its_heat() -> None:
    item = localise(response(winner=1), SECTOR)
    assert item["pred_region"] == "limbs"
    assert item["pred"].tolist() == [0, 1, 0]
    heat = item["pred_heat"]
    assert heat.shape == (1, *SIZE)
    assert (heat.min(), heat.max()) == (0, 1)
    rows, columns = np.nonzero(heat[0].numpy() == 1)
    # Bilinear between the centres of the sites: the maximum stays where they respond.
    assert (rows.min() >= 24, rows.max() < 40, columns.min() >= 42) == (True, True, True)


def test_on_a_resized_frame_the_box_is_scaled() -> None:
    """64x48 px of network input for 120x160 px of frame: rows by 120/64, columns by 160/48."""
    for geometry in (PolarFrame(SHAPE), FailedEstimate("no edge is seen")):
        item = localise(response(), geometry, depth_trim=0)
        box = item["pred_box"]
        assert isinstance(box, Box)
        # Halfway to the neighbours' centres, at 1 + 8 t = 1.3: t = 0.0375 beyond them.
        on_input = np.array([48 - 18 + 0.0375 * 12, 8 + 0.0375 * 16, 48, 64 - 8 - 0.0375 * 16])
        expected = on_input * np.array([160 / 48, 120 / 64] * 2)
        assert_allclose(box, expected, atol=4)
        on_pixels = np.array(box) / np.array([160 / 48, 120 / 64] * 2)
        assert_allclose(on_pixels, np.round(on_pixels), atol=1e-9)  # whole pixels of the input


@pytest.mark.parametrize("rule", ["median", "median_to_max"])
def test_on_a_polar_image_the_box_encloses_the_pixels_that_stand_out(rule: str) -> None:
    slanting = response()
    slanting["response_maps"][0, 0, 0] = 4  # the mask is no rectangle, and lies left and right of the apex
    box = localise(slanting, SECTOR, rule=rule)["pred_box"]
    assert isinstance(box, Box)
    mask = response_mask(slanting["response_maps"][0].numpy(), SIZE, rule)
    assert not isinstance(mask, FailedEstimate)
    within = np.linspace(-0.5, 0.5, 41)
    points = np.stack(np.meshgrid(within, within), axis=-1).reshape(-1, 2)
    points = np.argwhere(mask)[:, None, ::-1] + points
    on_frame = PolarGrid(SECTOR, SIZE, 0.1).to_frame(points).reshape(-1, 2)
    expected = np.concatenate([on_frame.min(axis=0), on_frame.max(axis=0)]) + 0.5
    assert_allclose(box, np.clip(expected, 0, [160, 120, 160, 120]), atol=0.01)


def test_background_and_flat_responses_have_no_box() -> None:
    background = localise(response(winner=2), SECTOR)
    assert background["pred_region"] == "background"
    assert isinstance(background["pred_box"], FailedEstimate)
    assert "no region in sight" in background["pred_box"].reason

    flat = localise(response(response_maps=torch.full((3, 4, 4), 2.0)), SECTOR)
    assert "nothing stands out" in flat["pred_box"].reason
    assert flat["pred_heat"].abs().sum() == 0


def test_what_stands_out_beyond_the_frame_has_no_box() -> None:
    outside = Sector(75, -300, 100, 250, -0.45, 0.5)  # above the frame
    assert "beyond the frame's border" in localise(response(), outside)["pred_box"].reason


def test_a_response_of_other_classes() -> None:
    with pytest.raises(ValueError, match="2 logits and 3 maps; expected 3, one a class: head, limbs, background"):
        localise(response(logits=torch.zeros(2)), SECTOR)
