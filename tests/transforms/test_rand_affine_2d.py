"""MONAI's own `RandAffined` is the reference."""

from collections.abc import Iterator

import pytest
import torch
from monai.data import set_track_meta
from monai.transforms import RandAffined

from fetal_monai.transforms import Rand2DAffined
from tests.frame_files import asymmetric_picture

RANGES = {"rotate_range": 0.5, "translate_range": [9.0, 14.0], "scale_range": 0.2, "shear_range": [0.1, 0.2]}
MODES = {"mode": ["bilinear", "nearest"], "padding_mode": "border"}
PICTURE = torch.from_numpy(asymmetric_picture())[None].float()
ITEM = {"image": PICTURE, "label": (PICTURE > 128).float(), "name": "frame"}


@pytest.fixture(autouse=True)
def plain_tensors() -> Iterator[None]:
    set_track_meta(False)
    yield
    set_track_meta(True)


@pytest.mark.parametrize("prob", [1.0, 0.5])
def test_it_draws_and_gives_what_monais_own_does(prob: float) -> None:
    ours, reference = (
        transform(["image", "label"], prob=prob, **RANGES, **MODES).set_random_state(seed=3)
        for transform in (Rand2DAffined, RandAffined)
    )
    for _ in range(8):
        got, expected = ours(ITEM), reference(ITEM)
        torch.testing.assert_close(got["image"], expected["image"], rtol=0, atol=0.02)
        # Rounding moves a coordinate that lies midway between two pixels.
        assert (got["label"] != expected["label"]).float().mean() < 1e-4
        assert got["name"] == "frame"


def test_what_is_given_stays_as_it_is() -> None:
    image = PICTURE.clone()
    moved = Rand2DAffined("image", prob=1.0, **RANGES)({"image": image})["image"]
    assert torch.equal(image, PICTURE)
    assert not torch.equal(moved, PICTURE)
