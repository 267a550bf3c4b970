import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fetal_monai.biometry import Ellipse, HeadMeasurement, ellipse_from_outline, measure_head
from fetal_monai.failed_estimate import FailedEstimate

SHAPE = (260, 300)
HEAD = Ellipse(center_x=150.3, center_y=128.6, semi_axis_a=90.2, semi_axis_b=66.7, angle_rad=0.5)

angles = st.floats(0, math.pi, exclude_max=True)


@st.composite
def heads(draw: st.DrawFn) -> Ellipse:
    b = draw(st.floats(25, 70))
    a = b * draw(st.floats(1.1, 1.6))
    return Ellipse(draw(st.floats(145, 155)), draw(st.floats(125, 135)), a, b, draw(angles))


def measured(mask: np.ndarray, spacing: tuple[float, float] | None = None) -> HeadMeasurement:
    result = measure_head(mask, spacing)
    assert isinstance(result, HeadMeasurement), result
    return result


def line_through(ellipse: Ellipse, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A line three pixels wide along the ellipse, as HC18's annotators drew it."""
    outer, inner = (
        replace(ellipse, semi_axis_a=ellipse.semi_axis_a + half_width, semi_axis_b=ellipse.semi_axis_b + half_width)
        for half_width in (1.5, -1.5)
    )
    return (outer.rasterise(shape) & ~inner.rasterise(shape)).astype(np.uint8) * 255


@given(heads())
@settings(max_examples=40, deadline=None)
def test_rasterised_head_is_measured_within_a_fraction_of_a_pixel(head: Ellipse) -> None:
    found = measured(head.rasterise(SHAPE)).ellipse_px
    for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
        # Worst for ellipses aligned with the grid, 0.17 px, where all rounding has the same sign.
        assert getattr(found, name) == pytest.approx(getattr(head, name), abs=0.2)


def test_measured_circumference_has_no_bias() -> None:
    """Half-pixel errors would show as a shift of several pixels in every circumference."""
    random = np.random.default_rng(0)
    differences = []
    for _ in range(150):
        b = random.uniform(30, 70)
        a = b * random.uniform(1, 1.6)
        head = Ellipse(random.uniform(125, 155), random.uniform(125, 155), a, b, random.uniform(0, math.pi))
        differences.append(measured(head.rasterise((280, 280))).ellipse_px.perimeter - head.perimeter)
    assert abs(np.mean(differences)) < 0.03


@given(angles)
@settings(max_examples=20, deadline=None)
def test_rotating_the_head_turns_the_angle_and_leaves_the_circumference(angle: float) -> None:
    upright = measured(Ellipse(150.3, 130.6, 85.2, 60.4, 0).rasterise(SHAPE), (0.1, 0.1))
    turned = measured(Ellipse(150.3, 130.6, 85.2, 60.4, angle).rasterise(SHAPE), (0.1, 0.1))
    assert turned.head_circumference_mm == pytest.approx(upright.head_circumference_mm, rel=2e-3)
    difference = abs((turned.ellipse_px.angle_rad - angle + math.pi / 2) % math.pi - math.pi / 2)
    assert difference < 0.01


def test_quarter_turn_of_the_mask_turns_the_ellipse_exactly() -> None:
    mask = HEAD.rasterise(SHAPE)
    upright, turned = measured(mask).ellipse_px, measured(np.rot90(mask)).ellipse_px
    assert turned.perimeter == pytest.approx(upright.perimeter, rel=1e-9)
    assert (turned.center_x, turned.center_y) == pytest.approx(
        (upright.center_y, SHAPE[1] - 1 - upright.center_x), abs=1e-6
    )
    assert abs(turned.angle_rad - upright.angle_rad) == pytest.approx(math.pi / 2, abs=1e-6)


@given(st.integers(-30, 30), st.integers(-30, 30))
@settings(max_examples=20, deadline=None)
def test_shifting_the_mask_shifts_the_centre_and_leaves_the_axes(rows: int, columns: int) -> None:
    mask = HEAD.rasterise(SHAPE)
    original, shifted = measured(mask).ellipse_px, measured(np.roll(mask, (rows, columns), axis=(0, 1))).ellipse_px
    assert shifted.center_x == pytest.approx(original.center_x + columns, abs=1e-6)
    assert shifted.center_y == pytest.approx(original.center_y + rows, abs=1e-6)
    assert shifted.semi_axis_a == pytest.approx(original.semi_axis_a, rel=1e-9)
    assert shifted.semi_axis_b == pytest.approx(original.semi_axis_b, rel=1e-9)


@given(st.floats(0.05, 0.4), st.floats(0.5, 3))
@settings(max_examples=20, deadline=None)
def test_sizes_grow_with_the_pixel_spacing(spacing: float, factor: float) -> None:
    mask = HEAD.rasterise(SHAPE)
    small, large = measured(mask, (spacing, spacing)), measured(mask, (spacing * factor, spacing * factor))
    assert large.head_circumference_mm == pytest.approx(small.head_circumference_mm * factor)
    assert large.biparietal_diameter_mm == pytest.approx(small.biparietal_diameter_mm * factor)
    assert large.occipitofrontal_diameter_mm == pytest.approx(small.occipitofrontal_diameter_mm * factor)


def test_unequal_spacing_measures_the_head_it_was_made_of() -> None:
    """A head of known size in mm, seen with rows of 0.12 mm and columns of 0.2 mm."""
    row_spacing, column_spacing = 0.12, 0.2
    head_mm = Ellipse(25, 17, 14, 10, 0.6)
    rows, columns = np.mgrid[:280, :260]
    x, y = columns * column_spacing - head_mm.center_x, rows * row_spacing - head_mm.center_y
    cos, sin = math.cos(head_mm.angle_rad), math.sin(head_mm.angle_rad)
    mask = ((x * cos + y * sin) / head_mm.semi_axis_a) ** 2 + ((y * cos - x * sin) / head_mm.semi_axis_b) ** 2 < 1
    head = measured(mask, (row_spacing, column_spacing))
    outline = head_mm.points(20_000)
    length = np.linalg.norm(np.diff(outline, axis=0, append=outline[:1]), axis=1).sum()
    assert head.head_circumference_mm == pytest.approx(length, rel=1e-3)
    assert head.biparietal_diameter_mm == pytest.approx(20, abs=0.03)
    assert head.occipitofrontal_diameter_mm == pytest.approx(28, abs=0.03)
    assert head.ellipse_mm.angle_rad == pytest.approx(0.6, abs=5e-3)


@pytest.mark.parametrize("mask", [HEAD.rasterise(SHAPE).astype(kind) for kind in (bool, np.uint8, np.float32)])
@pytest.mark.parametrize("foreground", [1, 255])
def test_any_kind_of_mask_gives_the_same_measurement(mask: np.ndarray, foreground: int) -> None:
    assert measured(mask * foreground) == measured(HEAD.rasterise(SHAPE))


@pytest.mark.parametrize(("center_x", "center_y"), [(50.0, 130.0), (150.0, 40.0), (250.0, 128.0), (60.0, 50.0)])
def test_head_cut_by_the_border_is_measured_whole(center_x: float, center_y: float) -> None:
    head = Ellipse(center_x, center_y, 90, 65, 0.3)
    mask = head.rasterise(SHAPE)
    assert mask[0].any() or mask[:, 0].any() or mask[:, -1].any()
    assert measured(mask).ellipse_px.perimeter == pytest.approx(head.perimeter, rel=5e-3)


def test_holes_and_specks_do_not_matter() -> None:
    mask = HEAD.rasterise(SHAPE)
    expected = measured(mask)
    mask[120:140, 140:160] = False
    mask[5:15, 5:15] = True
    assert measured(mask) == expected


def two_heads() -> np.ndarray:
    return Ellipse(75, 130, 50, 40, 0).rasterise(SHAPE) | Ellipse(225, 130, 50, 40, 0).rasterise(SHAPE)


def with_nan() -> np.ndarray:
    mask = HEAD.rasterise(SHAPE).astype(float)
    mask[0, 0] = np.nan
    return mask


def block(*areas: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    for area in areas:
        mask[area] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.zeros(SHAPE, dtype=bool), "mask is empty"),
        (np.zeros((0, 0), dtype=bool), "mask is empty"),
        (block((slice(50, 51), slice(50, 53))), "too small to measure: 3 px"),
        (two_heads(), "two parts of similar size"),
        (with_nan(), "NaN"),
        (np.ones(SHAPE, dtype=bool), "fills the whole frame"),
        (block((slice(60, 200), slice(60, 240))), "not the shape of a head"),
        (block((slice(60, 200), slice(80, 220))), "not the shape of a head"),
        (block((slice(110, 150), slice(50, 250)), (slice(30, 230), slice(130, 170))), "not the shape of a head"),
        (block((slice(100, 101), slice(50, 250))), "not the shape of a head"),
        (Ellipse(150, -75, 110, 100, 0).rasterise(SHAPE), "outside the frame"),
    ],
    ids=["empty", "no-pixels", "tiny", "two-heads", "nan", "full", "rectangle", "square", "cross", "line", "cut-off"],
)
def test_what_is_no_head_fails_with_a_reason(mask: np.ndarray, reason: str) -> None:
    result = measure_head(mask, (0.1, 0.1))
    assert not result
    assert isinstance(result, FailedEstimate)
    assert reason in result.reason
    with pytest.raises(ValueError, match="head_circumference_mm"):
        _ = result.head_circumference_mm


@pytest.mark.parametrize("shape", [(40,), (1, 40, 40), (40, 40, 3)])
def test_mask_that_is_not_2d_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mask must be 2-D"):
        measure_head(np.ones(shape))
    with pytest.raises(ValueError, match=r"outline must be 2-D"):
        ellipse_from_outline(np.ones(shape))


@pytest.mark.parametrize("spacing", [(0.0, 0.1), (0.1, -0.1), (math.nan, math.nan), (0.1, math.inf), (0.1,)])
def test_impossible_spacing_is_an_error(spacing: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="two positive finite numbers"):
        measure_head(HEAD.rasterise(SHAPE), spacing)


def test_millimetres_without_spacing_are_an_error_that_names_the_mend() -> None:
    head = measured(HEAD.rasterise(SHAPE))
    assert head.ellipse_px.semi_axis_a == pytest.approx(90.2, abs=0.15)
    with pytest.raises(ValueError, match="Give pixel_spacing_mm"):
        _ = head.head_circumference_mm


@given(heads())
@settings(max_examples=30, deadline=None)
def test_ellipse_runs_through_the_middle_of_the_drawn_line(head: Ellipse) -> None:
    found = ellipse_from_outline(line_through(head))
    # 0.16 px in the radius; the line's two edges would be 1.5 px off.
    assert found.perimeter == pytest.approx(head.perimeter, abs=1)
    assert (found.center_x, found.center_y) == pytest.approx((head.center_x, head.center_y), abs=0.1)


def test_outline_that_leaves_the_frame_is_completed() -> None:
    head = Ellipse(60, 130, 90, 65, 0.3)
    assert ellipse_from_outline(line_through(head)).perimeter == pytest.approx(head.perimeter, rel=2e-3)


def test_outline_may_be_boolean() -> None:
    line = line_through(HEAD)
    assert ellipse_from_outline(line > 0) == ellipse_from_outline(line)


@pytest.mark.parametrize(
    ("outline", "reason"),
    [
        (np.zeros(SHAPE, dtype=np.uint8), "outline is empty"),
        (np.full(SHAPE, np.nan), "NaN"),
        (HEAD.rasterise(SHAPE), "not one thin ellipse"),
        (line_through(HEAD) | line_through(HEAD.scaled(0.5, 0.5)), "not one thin ellipse"),
        (np.eye(200, dtype=np.uint8), "on one line"),
    ],
    ids=["empty", "nan", "filled", "two-lines", "straight"],
)
def test_what_is_no_outline_fails_with_a_reason(outline: np.ndarray, reason: str) -> None:
    result = ellipse_from_outline(outline)
    assert isinstance(result, FailedEstimate)
    assert reason in result.reason


def test_fitted_annotations_have_the_published_circumference(real_data: Path) -> None:
    folder = real_data / "hc18"
    with (folder / "training_set_pixel_size_and_HC.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::20]
    assert len(rows) >= 20
    for row in rows:
        name = row["filename"].replace(".png", "_Annotation.png")
        with Image.open(folder / "training_set" / name) as annotation:
            ellipse = ellipse_from_outline(np.asarray(annotation))
        circumference_mm = ellipse.perimeter * float(row["pixel size(mm)"])
        assert circumference_mm == pytest.approx(float(row["head circumference (mm)"]), rel=0.005), name
