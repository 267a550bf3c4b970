from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.special import ellipe

from fetal_monai.biometry import Ellipse, ellipse_from_outline
from fetal_monai.phantom import PhantomFrame, simulate_frame
from fetal_monai.phantom.exam import FRAME_SHAPE, PIXEL_SPACING_RANGE_MM, View, draw_exam


def view_of(seed: int, exam: int, repeat: int = 0) -> View:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(exam, repeat)))
    return View.random(rng, draw_exam(seed, exam))


def zones(pixels: np.ndarray, ellipse: Ellipse) -> dict[str, float]:
    """Mean gray level of the brain, of the skull's echo and of the surroundings."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    x, y = columns - ellipse.center_x, rows - ellipse.center_y
    cos, sin = np.cos(ellipse.angle_rad), np.sin(ellipse.angle_rad)
    level = np.hypot((x * cos + y * sin) / ellipse.semi_axis_a, (y * cos - x * sin) / ellipse.semi_axis_b)
    return {
        "brain": float(pixels[level < 0.85].mean()),
        "skull": float(pixels[(level > 0.93) & (level < 1)].mean()),
        "surroundings": float(pixels[(level > 1.05) & (level < 1.2)].mean()),
    }


@pytest.fixture(scope="module")
def frames() -> list[PhantomFrame]:
    return [simulate_frame(seed=11, exam=exam) for exam in range(16)]


def test_a_frame_is_a_gray_picture_of_hc18s_size(frames: list[PhantomFrame]) -> None:
    for frame in frames:
        assert frame.pixels.shape == FRAME_SHAPE == (540, 800)
        assert frame.pixels.dtype == np.uint8
        row_mm, column_mm = frame.pixel_spacing_mm
        assert row_mm == column_mm


def test_the_same_numbers_give_the_same_frame_and_others_another(frames: list[PhantomFrame]) -> None:
    again = simulate_frame(seed=11, exam=3)

    np.testing.assert_array_equal(again.pixels, frames[3].pixels)
    assert again.ellipse == frames[3].ellipse
    for other in (simulate_frame(12, 3), simulate_frame(11, 3, repeat=1), frames[4]):
        assert (other.pixels != again.pixels).mean() > 0.2


def test_frames_of_one_exam_show_one_head(frames: list[PhantomFrame]) -> None:
    for exam in range(4):
        other = simulate_frame(11, exam, repeat=1)
        assert other.head_circumference_mm == pytest.approx(frames[exam].head_circumference_mm, rel=0.06)
        assert other.ellipse != frames[exam].ellipse


def test_the_head_circumference_is_the_ellipses_perimeter(frames: list[PhantomFrame]) -> None:
    for frame in frames:
        a, b = frame.ellipse.semi_axis_a, frame.ellipse.semi_axis_b
        exact_px = 4 * a * ellipe(1 - (b / a) ** 2)
        assert frame.head_circumference_mm == pytest.approx(exact_px * frame.pixel_spacing_mm[0], rel=1e-6)


def test_frames_are_fans_on_black_ground(frames: list[PhantomFrame]) -> None:
    black = [float((frame.pixels == 0).mean()) for frame in frames]

    assert np.median(black) > 0.1
    assert max(black) < 0.7


def test_outside_the_sector_all_is_black_but_the_gray_bar(frames: list[PhantomFrame]) -> None:
    for exam, frame in enumerate(frames):
        outside = ~view_of(11, exam).sector.contains(FRAME_SHAPE)
        first, last, left, right = draw_exam(11, exam).furniture.gray_bar
        outside[first : last + 1, left : right + 1] = False
        assert not frame.pixels[outside].any()


def test_the_skull_is_the_brightest_zone(frames: list[PhantomFrame]) -> None:
    levels = [zones(frame.pixels, frame.ellipse) for frame in frames]

    for gray in levels:
        assert gray["skull"] > 1.15 * gray["brain"]
    for other in ("brain", "surroundings"):
        assert np.median([gray["skull"] / gray[other] for gray in levels]) > 1.5


def test_the_skulls_echo_ends_at_the_ellipse(frames: list[PhantomFrame]) -> None:
    """Going outwards across the near and far skull, the echo falls to half its height near the ellipse."""
    ends_mm = []
    for frame in frames:
        e, spacing = frame.ellipse, frame.pixel_spacing_mm[0]
        points = e.points(720)
        radial = points - [e.center_x, e.center_y]
        vertical = np.abs(radial[:, 1]) > 0.9 * np.abs(radial[:, 1]).max()
        offsets_mm = np.arange(-4, 4.01, 0.1)
        outward = radial / np.linalg.norm(radial, axis=1, keepdims=True)
        places = points[vertical, None] + outward[vertical, None] * (offsets_mm / spacing)[None, :, None]
        columns, rows = np.rint(places).astype(int).transpose(2, 0, 1)
        seen = ((rows >= 0) & (rows < 540) & (columns >= 0) & (columns < 800)).all(axis=1)
        profile = frame.pixels[rows[seen], columns[seen]].mean(axis=0)
        peak = int(profile.argmax())
        half = (profile[peak] + profile[peak:].min()) / 2
        ends_mm.append(offsets_mm[peak + int((profile[peak:] < half).argmax())])
    assert abs(np.median(ends_mm)) < 0.5
    assert np.abs(ends_mm).max() < 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), exam=st.integers(0, 10**7), repeat=st.integers(0, 3))
def test_every_view_is_a_plausible_head_on_the_screen(seed: int, exam: int, repeat: int) -> None:
    view = view_of(seed, exam, repeat)

    assert PIXEL_SPACING_RANGE_MM[0] <= view.pixel_spacing_mm <= PIXEL_SPACING_RANGE_MM[1]
    assert 49.9 <= view.ellipse.perimeter * view.pixel_spacing_mm <= 345.1
    points = view.ellipse.points()
    # A few extend beyond the upper border, as some in HC18 do; none by more than 8 px.
    assert points.min() > -9 and points[:, 0].max() < 800 and points[:, 1].max() < 540
    # Even where the sector is narrower than the head, most of the head is visible.
    head = view.ellipse.rasterise(FRAME_SHAPE)
    assert (view.sector.contains(FRAME_SHAPE) & head).sum() > 0.6 * head.sum()


@pytest.mark.parametrize(("name", "numbers"), [("seed", (-1, 0, 0)), ("exam", (0, -2, 0)), ("repeat", (0, 0, -3))])
def test_negative_numbers_are_refused(name: str, numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 0 or more, got {min(numbers)}"):
        simulate_frame(*numbers)


def test_fractions_are_refused() -> None:
    with pytest.raises(TypeError):
        simulate_frame(0, 1.5)  # type: ignore[arg-type]


def test_phantoms_are_as_bright_as_real_frames(frames: list[PhantomFrame], real_data: Path) -> None:
    folder = real_data / "hc18" / "training_set"
    real = []
    for annotation in sorted(folder.glob("*_Annotation.png"))[::24]:
        ellipse = ellipse_from_outline(np.asarray(Image.open(annotation).convert("L")) > 0)
        assert isinstance(ellipse, Ellipse)
        image = annotation.with_name(annotation.name.replace("_Annotation", ""))
        real.append(zones(np.asarray(Image.open(image).convert("L")), ellipse))
    simulated = [zones(frame.pixels, frame.ellipse) for frame in frames]

    for zone in ("brain", "skull", "surroundings"):
        low, high = np.percentile([gray[zone] for gray in real], [10, 90])
        assert low < np.median([gray[zone] for gray in simulated]) < high
