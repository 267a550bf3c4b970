from dataclasses import replace

import numpy as np
import pytest

from fetal_monai.data import ANATOMICAL_CLASSES
from fetal_monai.phantom import PlanePhantom, simulate_plane
from fetal_monai.phantom.plane import FRAMES_PER_PATIENT
from fetal_monai.phantom.plane_scanner import PlaneScanner
from fetal_monai.phantom.scenery import Scenery

REGIONS = ANATOMICAL_CLASSES[:-1]


@pytest.fixture(scope="module")
def frames() -> list[PlanePhantom]:
    return [simulate_plane(3, number) for number in range(28)]


def scenery(name: str, seed: int) -> Scenery:
    rng = np.random.default_rng(seed)
    return Scenery.random(rng, PlaneScanner.random(rng), name)


def test_every_frame_shows_its_class_and_labels_are_in_order(frames: list[PlanePhantom]) -> None:
    for number, frame in enumerate(frames):
        assert ANATOMICAL_CLASSES[number % 7] in frame.labels
        assert list(frame.labels) == sorted(frame.labels, key=ANATOMICAL_CLASSES.index)
        assert frame.patient == number // FRAMES_PER_PATIENT
        assert ("background" in frame.labels) == (frame.labels == ("background",))


def test_some_frames_show_several_classes() -> None:
    shown = [{anatomy.name for anatomy in scenery("limbs", seed).anatomies} for seed in range(60)]

    assert all("limbs" in names for names in shown)
    assert 5 < sum(names == {"limbs", "placenta"} for names in shown) < 30


def test_every_region_in_sight_has_a_box_within_the_frame(frames: list[PlanePhantom]) -> None:
    for frame in frames:
        assert set(frame.boxes) == set(frame.labels) - {"background"}
        height, width = frame.pixels.shape
        for x_min, y_min, x_max, y_max in frame.boxes.values():
            assert 0 <= x_min < x_max <= width and 0 <= y_min < y_max <= height


def test_nothing_is_shown_outside_the_sector(frames: list[PlanePhantom]) -> None:
    for frame in frames:
        in_sector = frame.sector.contains(frame.pixels.shape[:2])
        assert not frame.pixels[~in_sector].any()
        assert (frame.pixels[in_sector] > 0).mean() > 0.3


@pytest.mark.parametrize("name", [name for name in REGIONS if name != "spine"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_region_is_where_painting_changes_the_scene(name: str, seed: int) -> None:
    drawn = scenery(name, seed)
    anatomy = next(each for each in drawn.anatomies if each.name == name)
    bare, painted = (replace(drawn, anatomies=each).scene() for each in ((), (anatomy,)))

    changed = np.maximum(np.abs(painted.level_db - bare.level_db) > 1e-3, painted.reflection != bare.reflection)
    level_db = painted.grid.scan_convert(np.abs(painted.level_db - bare.level_db))
    touched = painted.grid.scan_convert(changed.astype(np.float32)) > 0.5
    region = replace(drawn, anatomies=(anatomy,)).visible_masks()[name]
    # Edges are soft and rims have some width: a few px outside are allowed, and none inside.
    assert (level_db[region] > 1e-3).mean() > 0.97
    reach = 8 if name == "head" else 5
    for axis in (0, 1):
        seen, stated = (np.flatnonzero(mask.any(axis=axis)) for mask in (touched & (level_db > 1), region))
        assert abs(seen[0] - stated[0]) <= reach and abs(seen[-1] - stated[-1]) <= reach


def test_the_box_of_the_spine_holds_its_brightest_echoes() -> None:
    drawn = scenery("spine", 1)
    spine = next(each for each in drawn.anatomies if each.name == "spine")
    alone = replace(drawn, anatomies=(spine,), distractors=(), fluid=None)
    level_db = (scene := alone.scene()).grid.scan_convert(scene.level_db + 200)

    region = alone.visible_masks()["spine"]
    brightest = level_db > np.quantile(level_db, 1 - 0.5 * region.mean())
    # Bilinear scan conversion blurs the small echoes over their edges.
    assert region[brightest].mean() > 0.8


def test_what_lies_behind_is_not_in_sight() -> None:
    both = [masks for seed in range(40) if len(masks := scenery("head", seed).visible_masks()) > 1]

    assert len(both) > 3
    for masks in both:
        assert np.sum(list(masks.values()), axis=0).max() == 1


def test_the_same_numbers_give_the_same_frame_and_others_another() -> None:
    first, again = simulate_plane(5, 8), simulate_plane(5, 8)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.boxes == again.boxes and first.sector == again.sector

    other = simulate_plane(6, 8)
    assert other.sector != first.sector


def test_frames_of_one_patient_share_the_scanner() -> None:
    assert len({simulate_plane(0, number).pixels.shape for number in range(FRAMES_PER_PATIENT)}) == 1
    shapes = {PlaneScanner.random(np.random.default_rng(seed)).shape for seed in range(20)}
    assert len(shapes) == 3


@pytest.mark.parametrize(("seed", "number", "message"), [(-1, 0, "seed must be 0 or more"), (0, -3, "number must")])
def test_negative_numbers_are_refused(seed: int, number: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate_plane(seed, number)
