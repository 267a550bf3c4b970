import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data_prep import hc18
from data_prep.ellipse_label import main
from fetal_monai.biometry import Ellipse
from fetal_monai.data import load_datalist
from fetal_monai.data.preparation.ellipse_label import EllipseLabel, read_ellipse_label, write_ellipse_label
from tests.frame_files import region, write_dicom, write_picture
from tests.hc18_layout import PIXEL_SIZE_MM, SHAPE, head_of, read_table, write_hc18, write_table

NAMES = ["000_HC.png", "001_HC.png", "001_2HC.png", "002_HC.png", "003_HC.png", "004_HC.png"]
SECTIONS = ("training", "validation", "test")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_hc18(tmp_path / "hc18", NAMES) / "training_set"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    folder = tmp_path / "xml"
    for name in NAMES:
        label = EllipseLabel(name, SHAPE, head_of(name), (PIXEL_SIZE_MM, PIXEL_SIZE_MM))
        write_ellipse_label(folder / name.replace(".png", ".xml"), label)
    return folder


def prepare(images: Path, labels: Path, output_dir: Path, *options: str) -> int:
    words = ["prepare", "--images", str(images), "--labels", str(labels), "--output_dir", str(output_dir)]
    return main([*words, *options])


def frames_of(folder: Path) -> dict[str, dict[str, Any]]:
    listed = [frame for section in SECTIONS for frame in load_datalist(folder, section)]
    return {Path(frame["image"]).name: frame for frame in listed}


def rejected(folder: Path) -> dict[str, str]:
    with (folder / "rejected.csv").open(newline="") as file:
        return {row["filename"]: row["reason"] for row in csv.DictReader(file)}


def relabel(labels: Path, name: str, **changes: object) -> None:
    path = labels / name
    write_ellipse_label(path, replace(read_ellipse_label(path), **changes))  # type: ignore[arg-type]


def test_hc18_by_way_of_xml_is_hc18(tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, xml, direct, by_xml = images.parent, tmp_path / "xml", tmp_path / "direct", tmp_path / "by_xml"
    assert main(["from_hc18", "--source", str(source), "--output_dir", str(xml)]) == 0
    assert f"Wrote 6 labels into {xml}" in capsys.readouterr().out
    assert sorted(path.name for path in xml.iterdir()) == sorted(name.replace(".png", ".xml") for name in NAMES)
    assert prepare(images, xml, by_xml) == 0
    assert "Prepared 6 frames" in capsys.readouterr().out
    assert hc18.main(["--source", str(source), "--output_dir", str(direct)]) == 0

    assert rejected(by_xml) == {}
    for name in NAMES:
        assert (by_xml / "labels" / name).read_bytes() == (direct / "labels" / name).read_bytes()
    for section in SECTIONS:
        frames = {frame["image"]: frame for frame in load_datalist(by_xml, section)}
        expected_frames = {frame["image"]: frame for frame in load_datalist(direct, section)}
        assert frames.keys() == expected_frames.keys()
        for image, expected in expected_frames.items():
            frame = frames[image]
            assert frame["head_circumference_mm"] == pytest.approx(expected["head_circumference_mm"], rel=0.005)
            for key in ("exam", "pixel_spacing_mm"):
                assert frame[key] == expected[key]
    assert hc18.main(["--output_dir", str(by_xml), "--verify"]) == 0


def test_real_frames_by_way_of_xml_are_the_same_masks(real_data: Path, tmp_path: Path) -> None:
    source, frames = tmp_path / "hc18", tmp_path / "hc18" / "training_set"
    frames.mkdir(parents=True)
    rows = read_table(real_data / "hc18")[::150]
    write_table(source, rows)
    for name, *_ in rows:
        for file in (name, name.replace(".png", "_Annotation.png")):
            (frames / file).symlink_to(real_data / "hc18" / "training_set" / file)
    assert main(["from_hc18", "--source", str(source), "--output_dir", str(tmp_path / "xml")]) == 0
    assert prepare(frames, tmp_path / "xml", tmp_path / "by_xml") == 0
    assert hc18.main(["--source", str(source), "--output_dir", str(tmp_path / "direct")]) == 0
    for name, *_ in rows:
        assert (tmp_path / "by_xml/labels" / name).read_bytes() == (tmp_path / "direct/labels" / name).read_bytes()


def test_masks_and_measures_are_those_of_the_ellipse(images: Path, labels: Path, tmp_path: Path) -> None:
    relabel(labels, "002_HC.xml", pixel_spacing_mm=(0.5, 0.25), ellipse=Ellipse(60, 45, 30, 30, 0))
    assert prepare(images, labels, tmp_path / "out", "--fractions", "0.4", "0.3", "0.3", "--seed", "7") == 0
    content = json.loads((tmp_path / "out/datalist.json").read_text())
    assert (content["name"], content["seed"]) == ("xml", 7)
    assert content["fractions"] == {"training": 0.4, "validation": 0.3, "test": 0.3}
    frame = frames_of(tmp_path / "out")["002_HC.png"]
    with Image.open(frame["label"]) as image:
        mask = np.asarray(image)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    assert np.array_equal(mask, np.where((x - 60) ** 2 + (y - 45) ** 2 < 900, 255, 0))
    # A circle of 30 px is 15 mm high and 7.5 mm wide: the perimeter by numerical integration.
    t = np.linspace(0, 2 * np.pi, 100_000)
    expected_mm = np.hypot(np.diff(7.5 * np.cos(t)), np.diff(15 * np.sin(t))).sum()
    assert frame["head_circumference_mm"] == pytest.approx(expected_mm, rel=1e-6)
    assert frame["pixel_spacing_mm"] == [0.5, 0.25]


def remove_image(images: Path, labels: Path) -> None:
    (images / "002_HC.png").unlink()


def remove_label(images: Path, labels: Path) -> None:
    (labels / "002_HC.xml").unlink()


def shrink_image(images: Path, labels: Path) -> None:
    Image.new("L", (100, 80), 9).save(images / "002_HC.png")


def break_image(images: Path, labels: Path) -> None:
    (images / "002_HC.png").write_text("no picture")


def break_label(images: Path, labels: Path) -> None:
    (labels / "002_HC.xml").write_text("<ellipse_label>")


def give_spacing_in_metres(images: Path, labels: Path) -> None:
    relabel(labels, "002_HC.xml", pixel_spacing_mm=(0.00025, 0.00025))


def move_off_the_image(images: Path, labels: Path) -> None:
    relabel(labels, "002_HC.xml", ellipse=Ellipse(500, 45, 30, 20, 0))


def cover_the_image(images: Path, labels: Path) -> None:
    relabel(labels, "002_HC.xml", ellipse=Ellipse(60, 45, 80, 79, 0))


def shrink_to_a_few_pixels(images: Path, labels: Path) -> None:
    relabel(labels, "002_HC.xml", ellipse=Ellipse(60, 45, 3, 2, 0))


def give_a_huge_head(images: Path, labels: Path) -> None:
    write_picture(images / "002_HC.png", np.tile(np.arange(240, dtype=np.uint8), (180, 1)))
    relabel(labels, "002_HC.xml", shape=(180, 240), ellipse=Ellipse(120, 90, 85, 80, 0), pixel_spacing_mm=(1.0, 1.0))


def name_no_exam(images: Path, labels: Path) -> None:
    (images / "002_HC.png").rename(images / "head.png")
    relabel(labels, "002_HC.xml", image_name="head.png")


def label_twice(images: Path, labels: Path) -> None:
    (images / "002_HC.png").unlink()
    relabel(labels, "002_HC.xml", image_name="001_HC.png")


LEFT_OUT: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {
    "label without image": (remove_image, "002_HC.xml", r"^002_HC\.png: no such file, but a label names it"),
    "image without label": (remove_label, "002_HC.png", "no label in .*xml names this image"),
    "wrong size": (shrink_image, "002_HC.xml", r"^002_HC\.png: is 100x80 px .*its label says 120x90 px"),
    "no image": (break_image, "002_HC.xml", r"^002_HC\.png: cannot be read as a frame"),
    "broken XML": (break_label, "002_HC.xml", r"^002_HC\.xml, line 1: is not well-formed XML"),
    "spacing in metres": (give_spacing_in_metres, "002_HC.xml", "expected numbers between 0.01 and 2 mm"),
    "ellipse off the image": (
        move_off_the_image,
        "002_HC.xml",
        "the ellipse covers 0.00% of the image; expected 0.5% to 90%",
    ),
    "whole image": (cover_the_image, "002_HC.xml", "covers 100.00% of the image; expected 0.5% to 90%"),
    "a few pixels": (shrink_to_a_few_pixels, "002_HC.xml", r"covers 0\.\d+% of the image; expected 0.5% to 90%"),
    "half a metre": (
        give_a_huge_head,
        "002_HC.xml",
        r"circumference of the ellipse is 518\.\d mm; expected 30 to 450 mm",
    ),
    "no exam": (name_no_exam, "002_HC.xml", r"pattern '\^\\d\+' finds no exam in the image name 'head.png'"),
    "two labels": (label_twice, "002_HC.xml", r"names 001_HC\.png, which 001_HC\.xml labels already"),
}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_bad_file_is_left_out_with_its_reason_and_the_rest_goes_on(
    images: Path, labels: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, file, reason = LEFT_OUT[kind]
    damage(images, labels)
    assert prepare(images, labels, tmp_path / "out") == 0
    reasons = rejected(tmp_path / "out")
    assert list(reasons) == [file]
    assert re.search(reason, reasons[file]), reasons[file]
    assert f"{file}: {reasons[file]}" in capsys.readouterr().out
    assert sorted(frames_of(tmp_path / "out")) == sorted(set(NAMES) - {"002_HC.png"})


def test_the_suffix_of_a_label_may_be_in_capitals(images: Path, labels: Path, tmp_path: Path) -> None:
    (labels / "002_HC.xml").rename(labels / "002_HC.XML")
    assert prepare(images, labels, tmp_path / "out") == 0
    assert rejected(tmp_path / "out") == {}
    assert "002_HC.png" in frames_of(tmp_path / "out")


def test_a_label_without_any_spacing_has_a_mask_and_nothing_in_mm(
    images: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    relabel(labels, "002_HC.xml", pixel_spacing_mm=None)
    assert prepare(images, labels, tmp_path / "out") == 0
    assert "1 frames have no pixel spacing" in capsys.readouterr().out
    frame = frames_of(tmp_path / "out")["002_HC.png"]
    assert np.isnan([*frame["pixel_spacing_mm"], frame["head_circumference_mm"]]).all()
    with Image.open(frame["label"]) as image:
        assert np.array_equal(np.asarray(image) == 255, head_of("002_HC.png").rasterise(SHAPE))


def test_image_that_states_its_spacing_needs_none_in_the_label(images: Path, labels: Path, tmp_path: Path) -> None:
    with Image.open(images / "002_HC.png") as image:
        write_dicom(images / "002_HC.dcm", np.asarray(image), [], PixelSpacing=[0.3, 0.2])
    (images / "002_HC.png").unlink()
    relabel(labels, "002_HC.xml", image_name="002_HC.dcm", pixel_spacing_mm=None)
    assert prepare(images, labels, tmp_path / "out") == 0
    frame = frames_of(tmp_path / "out")["002_HC.dcm"]
    assert frame["pixel_spacing_mm"] == [0.3, 0.2]
    assert Path(frame["label"]).name == "002_HC.png"


def test_image_with_several_regions_states_the_spacing_of_the_one_that_holds_the_ellipse(
    images: Path, labels: Path, tmp_path: Path
) -> None:
    with Image.open(images / "002_HC.png") as image:
        pixels = np.pad(np.asarray(image), ((0, 0), (0, image.width)))
    regions = [region(0.3, 0.2, (0, 0, 119, 89)), region(0.5, 0.5, (120, 0, 239, 89))]
    for name in ("001_HC", "002_HC"):
        (images / f"{name}.png").unlink()
        write_dicom(images / f"{name}.dcm", pixels, regions)
    for name, center_x in (("001_HC", 120), ("002_HC", 60)):
        options = {"image_name": f"{name}.dcm", "shape": pixels.shape, "pixel_spacing_mm": None}
        relabel(labels, f"{name}.xml", ellipse=Ellipse(center_x, 45, 30, 30, 0), **options)
    assert prepare(images, labels, tmp_path / "out") == 0
    assert frames_of(tmp_path / "out")["002_HC.dcm"]["pixel_spacing_mm"] == pytest.approx([0.3, 0.2])
    reason = rejected(tmp_path / "out")["001_HC.xml"]
    assert "has no <pixel_spacing>, and the header states 2 calibrated ultrasound regions" in reason
    assert "the ellipse lies in none; add it" in reason


def test_exam_pattern_keeps_exams_together(images: Path, labels: Path, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        renamed = f"scan{number}_patient{number // 2}.png"
        (images / name).rename(images / renamed)
        relabel(labels, name.replace(".png", ".xml"), image_name=renamed)
    assert prepare(images, labels, tmp_path / "out", "--exam_pattern", r"patient(\d)") == 0
    content = json.loads((tmp_path / "out/datalist.json").read_text())
    exams = [{frame["exam"] for frame in content[section]} for section in SECTIONS]
    assert sorted(map(len, exams)) == [1, 1, 1]
    assert set.union(*exams) == {"0", "1", "2"}


def test_images_are_never_replaced_by_masks(images: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = images.rename(images.with_name("labels"))
    before = {path.name: path.read_bytes() for path in images.iterdir()}
    assert prepare(images, labels, images.parent) == 2
    assert "Choose another output_dir" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in images.iterdir()} == before


def test_hc18_frame_that_is_left_out_is_told(tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (images / "002_HC_Annotation.png").unlink()
    assert main(["from_hc18", "--source", str(images.parent), "--output_dir", str(tmp_path / "xml")]) == 0
    printed = capsys.readouterr().out
    assert "Wrote 5 labels" in printed
    assert "Left out 1:\n  002_HC.png: 002_HC_Annotation.png: no such file" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["from_hc18", "--source", "nowhere", "--output_dir", "out"], "HC18's own layout"),
        (["prepare", "--images", "nowhere", "--labels", "xml", "--output_dir", "out"], "nowhere is not a folder"),
        (["prepare", "--images", "hc18", "--labels", "hc18", "--output_dir", "out"], "hc18 contains no labels"),
        (
            ["prepare", "--images", "hc18", "--labels", "xml", "--output_dir", "out", "--fractions", "1", "1", "1"],
            "must sum to 1",
        ),
        (["prepare", "--images", "hc18", "--labels", "xml", "--output_dir", "out"], "No usable frame"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    images: Path,
    labels: Path,
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(labels.parent)
    assert main(options) == 2
    error = capsys.readouterr().err.rpartition("error: ")
    assert error[1] and message in error[2]
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "from_hc18,prepare"),
        (["prepare", "--images", "frames"], "required: --labels, --output_dir"),
        (["prepare", "--exam_pattern", "("], "'(' is not a regular expression"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(options)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--help"], ("examples:", "from_hc18 --source", "prepare --images", "exit code", "ellipse_label.xsd")),
        (["prepare", "--help"], ("examples:", "--exam_pattern '^Patient", "rejected.csv", "datalist.json")),
        (["from_hc18", "--help"], ("NNN_HC.xml", "training_set_pixel_size_and_HC.csv")),
    ],
)
def test_help_teaches_by_examples(
    options: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(options)
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    for word in words:
        assert word in printed
