"""Which pixels are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.deidentification.kept_part import Box, kept_part
from fetal_monai.geometry import UltrasoundRegion

SHAPE = (23, 31)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, right = sorted(draw(st.tuples(st.integers(0, SHAPE[1]), st.integers(1, SHAPE[1]))))
    top, bottom = sorted(draw(st.tuples(st.integers(0, SHAPE[0]), st.integers(1, SHAPE[0]))))
    return left, top, right, bottom


def inside(box: Box) -> np.ndarray:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (columns >= box[0]) & (rows >= box[1]) & (columns <= box[2]) & (rows <= box[3])


@given(stated=st.lists(boxes(), max_size=3), crop=st.none() | boxes())
def test_no_pixel_outside_the_regions_and_the_crop_is_kept(stated: list[Box], crop: Box | None) -> None:
    regions = [UltrasoundRegion(*box, (0.1, 0.1)) for box in stated]
    allowed = np.any([inside(box) for box in stated], axis=0) if stated else np.ones(SHAPE, bool)
    allowed &= True if crop is None else inside(crop)
    pixels = 1 + np.arange(allowed.size, dtype=np.int64).reshape(SHAPE)
    try:
        kept = kept_part(SHAPE, regions, crop)
    except FrameError:
        assert not allowed.any() or (crop is None and allowed.mean() > 0.95)
        return
    cut = kept.cut(pixels)
    assert sorted(cut[cut > 0]) == sorted(pixels[allowed])
    assert cut[0].any() and cut[-1].any() and cut[:, 0].any() and cut[:, -1].any()
    for region in kept.regions:
        assert (cut[region.top : region.bottom + 1, region.left : region.right + 1] > 0).all()


def test_the_whole_frame_is_kept_where_the_user_says_so() -> None:
    height, width = SHAPE
    assert kept_part(SHAPE, [], (0, 0, width - 1, height - 1)).is_kept.all()
    with pytest.raises(FrameError, match="--crop X0,Y0,X1,Y1"):
        kept_part(SHAPE, [])
