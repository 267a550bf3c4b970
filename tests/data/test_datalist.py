import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from fetal_monai.data import fingerprint, load_datalist, prepare_hc18
from tests.hc18_layout import write_hc18

NAMES = [f"{exam:03d}_HC.png" for exam in range(6)]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A prepared data set whose images lie in its own folder, so that it can move."""
    folder = tmp_path / "prepared"
    write_hc18(folder / "source", NAMES)
    prepare_hc18(folder / "source", folder)
    return folder


def edit(folder: Path, **changes: object) -> None:
    path = folder / "datalist.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_sections_together_hold_every_frame_once(prepared: Path) -> None:
    frames = [frame for section in ("training", "validation", "test") for frame in load_datalist(prepared, section)]
    assert sorted(Path(frame["image"]).name for frame in frames) == NAMES
    for frame in frames:
        assert Path(frame["image"]).is_absolute() and Path(frame["image"]).is_file()
        assert Path(frame["label"]).is_absolute() and Path(frame["label"]).is_file()
        assert frame["pixel_spacing_mm"] == [0.25, 0.25]
        assert frame["exam"] == Path(frame["image"]).name[:3]
        assert frame["head_circumference_mm"] > 30


def test_relative_folder_gives_absolute_paths(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(prepared.parent)
    assert load_datalist("prepared", "test") == load_datalist(prepared, "test")


def test_fingerprint_does_not_depend_on_the_place(prepared: Path, tmp_path: Path) -> None:
    before = fingerprint(prepared)
    assert len(before) == 12
    moved = tmp_path / "elsewhere"
    shutil.copytree(prepared, moved)
    assert fingerprint(moved) == before


def test_fingerprint_is_the_same_with_the_images_outside(prepared: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    prepare_hc18(prepared / "source", outside)
    assert fingerprint(outside) == fingerprint(prepared)


@pytest.mark.parametrize("key", ["image", "label"])
def test_fingerprint_changes_with_the_content_of_a_file(prepared: Path, key: str) -> None:
    before = fingerprint(prepared)
    path = load_datalist(prepared, "validation")[0][key]
    with Image.open(path) as image:
        changed = image.point(lambda value: 255 - value)
    changed.save(path)
    assert fingerprint(prepared) != before


def test_fingerprint_changes_with_the_split_and_the_spacing(prepared: Path) -> None:
    before = fingerprint(prepared)
    content = json.loads((prepared / "datalist.json").read_text())
    edit(prepared, validation=content["test"], test=content["validation"])
    swapped = fingerprint(prepared)
    content["test"][0]["pixel_spacing_mm"] = [0.25, 0.26]
    edit(prepared, validation=content["validation"], test=content["test"])
    assert len({before, swapped, fingerprint(prepared)}) == 3


def test_missing_data_list_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"datalist\.json does not exist.*python -m data_prep\.hc18 --source"):
        load_datalist(tmp_path, "training")


def test_unknown_section_names_the_known_ones(prepared: Path) -> None:
    with pytest.raises(ValueError, match=r"no section 'train'.*'training', 'validation', 'test'"):
        load_datalist(prepared, "train")


@pytest.mark.parametrize("key", ["image", "label"])
def test_missing_file_is_named(prepared: Path, key: str) -> None:
    path = Path(load_datalist(prepared, "training")[1][key])
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{path.name}: the {key} of a training frame.*data_prep\.hc18"):
        load_datalist(prepared, "training")


def test_broken_json_is_named(prepared: Path) -> None:
    (prepared / "datalist.json").write_text('{"training": [')
    with pytest.raises(ValueError, match=r"datalist\.json is not JSON"):
        load_datalist(prepared, "training")


@pytest.mark.parametrize("frames", [None, [{"image": "a.png"}], ["a.png"]])
def test_malformed_section_is_named(prepared: Path, frames: object) -> None:
    edit(prepared, validation=frames)
    with pytest.raises(ValueError, match="'validation' must be a list of frames"):
        load_datalist(prepared, "training")


def test_an_empty_section_is_named(prepared: Path) -> None:
    edit(prepared, validation=[])
    with pytest.raises(ValueError, match=r"datalist\.json: the section 'validation' is empty.*data_prep\.hc18"):
        load_datalist(prepared, "validation")
    load_datalist(prepared, "training")
