import csv
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep import hc18
from data_prep.mask_folder import main
from fetal_monai.data import load_datalist
from tests.frame_files import region, write_dicom, write_metaimage, write_picture
from tests.hc18_layout import SHAPE, head_of

NAMES = ["000", "001", "001_2", "002", "003", "004"]
SECTIONS = ("training", "validation", "test")


def picture_of(name: str) -> np.ndarray:
    return np.random.default_rng([1, *name.encode()]).integers(0, 255, SHAPE, dtype=np.uint8)


def mask_of(name: str) -> np.ndarray:
    return head_of(name).rasterise(SHAPE)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with `images` and `masks`, whose heads have the value 1."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in NAMES:
        write_picture(tmp_path / "images" / f"{name}.png", picture_of(name))
        write_picture(tmp_path / "masks" / f"{name}.png", mask_of(name).astype(np.uint8))
    return tmp_path


def prepare(own: Path, *options: str, masks: str = "masks") -> int:
    folders = ["--images", str(own / "images"), "--masks", str(own / masks), "--output_dir", str(own / "out")]
    return main([*folders, *options])


def frames_of(folder: Path, fold: int | None = None) -> dict[str, dict]:
    return {Path(f["image"]).name: f for section in SECTIONS for f in load_datalist(folder, section, fold)}


def rejected(folder: Path) -> dict[str, str]:
    with (folder / "rejected.csv").open(newline="") as file:
        return {row["filename"]: row["reason"] for row in csv.DictReader(file)}


def test_masks_are_kept_to_the_pixel_and_nothing_is_in_mm(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(own, "--name", "ward 7") == 0

    assert "6 frames have no pixel spacing" in capsys.readouterr().out
    content = json.loads((own / "out/datalist.json").read_text())
    assert content["name"] == "ward 7"
    assert all(not {"pixel_spacing_mm", "head_circumference_mm"} & f.keys() for s in SECTIONS for f in content[s])
    frames = frames_of(own / "out")
    assert sorted(frames) == sorted(f"{name}.png" for name in NAMES)
    for name in NAMES:
        frame = frames[f"{name}.png"]
        with Image.open(frame["label"]) as image:
            assert np.array_equal(np.asarray(image), np.where(mask_of(name), 255, 0))
        assert np.isnan([*frame["pixel_spacing_mm"], frame["head_circumference_mm"]]).all()
        assert frame["exam"] == name[:3]
    assert hc18.main(["--output_dir", str(own / "out"), "--verify"]) == 0


def test_the_spacing_is_the_headers_else_the_tables_else_the_options(own: Path) -> None:
    for name in ("002", "003"):
        (own / "images" / f"{name}.png").unlink()
    write_metaimage(own / "images/002.mha", picture_of("002"), (0.3, 0.2))
    regions = [region(0.25, 0.25, (0, 0, SHAPE[1] - 1, SHAPE[0] - 1)), region(0.5, 0.5, (0, 0, 3, 3))]
    write_dicom(own / "images/003.dcm", picture_of("003"), regions)
    (own / "table.csv").write_text("filename,pixel size(mm)\n000.png,0.4\n002.mha,0.9\n")

    assert prepare(own, "--table", str(own / "table.csv"), "--pixel_spacing_mm", "0.35") == 0

    spacings = {name: frame["pixel_spacing_mm"] for name, frame in frames_of(own / "out").items()}
    assert spacings.pop("002.mha") == pytest.approx([0.3, 0.2])
    assert spacings.pop("003.dcm") == pytest.approx([0.25, 0.25])
    assert spacings.pop("000.png") == [0.4, 0.4]
    assert set(map(tuple, spacings.values())) == {(0.35, 0.35)}
    expected_mm = head_of("004").perimeter * 0.35
    assert frames_of(own / "out")["004.png"]["head_circumference_mm"] == pytest.approx(expected_mm, rel=0.01)


def test_subfolders_and_the_masks_of_an_inference(own: Path) -> None:
    for name in NAMES:
        for folder in ("images", "masks"):
            (own / folder / f"p{name[:3]}").mkdir(exist_ok=True)
        write_picture(own / "images" / f"p{name[:3]}" / "a.jpg", picture_of(name))
        write_picture(own / "masks" / f"p{name[:3]}" / "a_jpg_mask.png", mask_of(name).astype(np.uint8) * 255)

    assert prepare(own, "--exam_pattern", r"(\d+)") == 0

    assert rejected(own / "out") == {}
    content = json.loads((own / "out/datalist.json").read_text())
    listed = {frame["label"] for section in SECTIONS for frame in content[section]}
    assert {f"labels/p{name[:3]}/a_jpg.png" for name in NAMES} <= listed
    assert len(listed) == len(NAMES) + 5


def test_images_and_masks_in_one_folder(own: Path) -> None:
    for name in NAMES:
        (own / "masks" / f"{name}.png").rename(own / "images" / f"{name}_mask.png")

    assert prepare(own, masks="images") == 0

    assert rejected(own / "out") == {}
    assert len(frames_of(own / "out")) == len(NAMES)


def remove_mask(own: Path) -> None:
    (own / "masks/002.png").unlink()


def remove_image(own: Path) -> None:
    (own / "images/002.png").unlink()


def break_mask(own: Path) -> None:
    (own / "masks/002.png").write_text("no picture")


def break_image(own: Path) -> None:
    (own / "images/002.png").write_text("no picture")


def shrink_mask(own: Path) -> None:
    write_picture(own / "masks/002.png", mask_of("002")[:-1].astype(np.uint8))


def erase_the_head(own: Path) -> None:
    write_picture(own / "masks/002.png", np.zeros(SHAPE, np.uint8))


def add_a_structure(own: Path) -> None:
    mask = mask_of("002").astype(np.uint8)
    mask[:5, :5] = 2
    write_picture(own / "masks/002.png", mask)


def draw_no_head(own: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[10:12, 5:115] = 1
    mask[10:80, 5:8] = 1
    write_picture(own / "masks/002.png", mask)


def draw_a_second_mask(own: Path) -> None:
    write_picture(own / "masks/002_mask.png", mask_of("002").astype(np.uint8))


def name_no_exam(own: Path) -> None:
    for folder in ("images", "masks"):
        (own / folder / "002.png").rename(own / folder / "head.png")


LEFT_OUT: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "image without mask": (remove_mask, "002.png", "has no mask; draw it, or remove the image"),
    "mask without image": (remove_image, "002.png", "no image in .*images has this mask"),
    "no picture as mask": (break_mask, "002.png", r"^002\.png: cannot be read as a frame"),
    "no picture": (break_image, "002.png", "^cannot be read as a frame"),
    "another size": (shrink_mask, "002.png", "differ in size: image 120x90, mask 120x89 px"),
    "empty mask": (erase_the_head, "002.png", r"holds the values 0; expected 0 \(background\) and one other value"),
    "three values": (add_a_structure, "002.png", "holds the values 0, 1, 2; expected"),
    "no head": (draw_no_head, "002.png", "not the shape of a head"),
    "two masks": (draw_a_second_mask, "002.png", r"has several masks \(002\.png, 002_mask\.png\); keep one"),
    "no exam": (name_no_exam, "head.png", r"pattern '\^\\d\+' finds no exam in the name 'head.png'; give another"),
}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_a_bad_file_is_left_out_with_its_reason_and_the_rest_goes_on(own: Path, kind: str) -> None:
    damage, file, reason = LEFT_OUT[kind]
    damage(own)

    assert prepare(own) == 0

    reasons = rejected(own / "out")
    assert list(reasons) == [file]
    assert re.search(reason, reasons[file]), reasons[file]
    assert sorted(frames_of(own / "out")) == sorted(f"{name}.png" for name in NAMES if name != "002")


def test_each_fold_tests_whole_exams_once(own: Path) -> None:
    assert prepare(own, "--folds", "3", "--seed", "4") == 0

    out = own / "out"
    assert json.loads((out / "datalist.json").read_text())["folds"] == 3
    assert [load_datalist(out, section) for section in SECTIONS] == [load_datalist(out, s, 0) for s in SECTIONS]
    tested = [load_datalist(out, "test", fold) for fold in range(3)]
    assert sorted(Path(f["image"]).stem for frames in tested for f in frames) == sorted(NAMES)
    for fold in range(3):
        assert load_datalist(out, "validation", fold) == tested[(fold + 1) % 3]
        assert {f["exam"] for f in tested[fold]}.isdisjoint(f["exam"] for f in load_datalist(out, "training", fold))
    with pytest.raises(ValueError, match=r"datalist\.json: has no fold 3, expected 0 to 2"):
        load_datalist(out, "test", 3)


def test_a_fold_of_a_data_set_without_folds_is_refused(own: Path) -> None:
    assert prepare(own) == 0
    with pytest.raises(ValueError, match="has no fold 0, and no folds at all: prepare the data set with --folds"):
        load_datalist(own / "out", "test", 0)


@pytest.mark.parametrize("spacing", [0.12, [0.12], ["0.12", "0.12"], [12, 12], None, [math.nan, 0.1]])
def test_a_spacing_that_is_none_is_refused_and_not_taken_for_unknown(own: Path, spacing: object) -> None:
    assert prepare(own) == 0
    path = own / "out/datalist.json"
    content = json.loads(path.read_text())
    content["test"][0]["pixel_spacing_mm"] = spacing
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"has pixel_spacing_mm .*; expected \[row, column\].*leave it out if"):
        load_datalist(own / "out", "test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--images", "nowhere"], "nowhere is no folder"),
        (["--pixel_spacing_mm", "12"], "pixel_spacing_mm is 12.0"),
        (["--fractions", "1", "1", "1"], "must sum to 1"),
        (["--folds", "9"], "Only 5 patients or exams for 9 folds"),
        (["--exam_pattern", "frame"], "No usable frame"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    own: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(own, *options) == 2
    error = capsys.readouterr().err.rpartition("error: ")
    assert error[1] and message in error[2]
    assert not (own / "out").exists()


def test_drawn_masks_are_never_replaced(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = (own / "masks").rename(own / "labels")
    before = {path.name: path.read_bytes() for path in masks.iterdir()}
    assert main(["--images", str(own / "images"), "--masks", str(masks), "--output_dir", str(own)]) == 2
    assert "Choose another output_dir" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in masks.iterdir()} == before
