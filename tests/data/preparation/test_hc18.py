import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_monai.biometry import Ellipse, measure_head
from fetal_monai.data.preparation.hc18 import inspect_hc18, prepare_hc18
from tests.hc18_layout import (
    PIXEL_SIZE_MM,
    SHAPE,
    head_of,
    read_table,
    write_annotation,
    write_hc18,
    write_table,
)

NAMES = ["000_HC.png", "001_HC.png", "001_2HC.png", "001_3HC.png", "002_HC.png", "003_HC.png", "004_HC.png"]
SECTIONS = ("training", "validation", "test")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_hc18(tmp_path / "hc18", NAMES)


def read(datalist: Path) -> dict:
    return json.loads(datalist.read_text())


def listed(content: dict) -> list[str]:
    return sorted(Path(frame["image"]).name for section in SECTIONS for frame in content[section])


def rejected(folder: Path) -> dict[str, str]:
    with (folder / "rejected.csv").open(newline="") as file:
        return {row["filename"]: row["reason"] for row in csv.DictReader(file)}


def test_labels_are_the_filled_ellipses(source: Path, tmp_path: Path) -> None:
    content = read(prepare_hc18(source, tmp_path / "out"))
    assert listed(content) == sorted(NAMES)
    for section in SECTIONS:
        for frame in content[section]:
            with Image.open(tmp_path / "out" / frame["label"]) as image:
                mask = np.asarray(image)
            head = head_of(Path(frame["image"]).name)
            assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
            # Only pixels on the very outline may fall to either side.
            differing = (mask > 0) != head.rasterise(SHAPE)
            assert np.count_nonzero(differing) < 0.1 * head.perimeter
            assert measure_head(mask).ellipse_px.perimeter == pytest.approx(head.perimeter, rel=3e-3)
            assert frame["head_circumference_mm"] == pytest.approx(head.perimeter * PIXEL_SIZE_MM, abs=0.01)
            assert frame["pixel_spacing_mm"] == [PIXEL_SIZE_MM, PIXEL_SIZE_MM]


def test_head_that_leaves_the_frame_is_filled_to_the_border(source: Path, tmp_path: Path) -> None:
    head = Ellipse(60, 15, 34, 26, 0.2)
    write_annotation(source, NAMES[0], head)
    write_table(source, [(NAMES[0], PIXEL_SIZE_MM, round(head.perimeter * PIXEL_SIZE_MM, 2)), *read_table(source)[1:]])
    prepare_hc18(source, tmp_path / "out")
    with Image.open(tmp_path / "out" / "labels" / NAMES[0]) as image:
        mask = np.asarray(image) > 0
    assert mask[0, 50:70].all()
    assert np.count_nonzero(mask != head.rasterise(SHAPE)) < 0.1 * head.perimeter


def test_data_list_describes_itself(source: Path, tmp_path: Path) -> None:
    content = read(prepare_hc18(source, tmp_path / "out", seed=3, fractions=(0.6, 0.2, 0.2)))
    assert content["name"] == "HC18"
    assert content["licence"] == "CC BY 4.0"
    assert content["labels"] == {"0": "background", "1": "head"}
    assert content["seed"] == 3
    assert content["fractions"] == {"training": 0.6, "validation": 0.2, "test": 0.2}
    assert content["numTraining"] == len(content["training"])
    assert rejected(tmp_path / "out") == {}


def test_paths_are_relative_below_the_list_and_absolute_elsewhere(source: Path, tmp_path: Path) -> None:
    outside = read(prepare_hc18(source, tmp_path / "out"))
    below = read(prepare_hc18(source, tmp_path))
    assert Path(outside["training"][0]["image"]).is_absolute()
    assert outside["training"][0]["label"].startswith("labels/")
    assert below["training"][0]["image"].startswith("hc18/training_set/")


def test_same_seed_gives_the_same_files(source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    prepare_hc18(source, first)
    prepare_hc18(source, second)
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    prepare_hc18(source, second)
    assert (first / "datalist.json").read_bytes() == (second / "datalist.json").read_bytes()


def test_frames_of_an_exam_stay_together(source: Path, tmp_path: Path) -> None:
    for seed in range(10):
        content = read(prepare_hc18(source, tmp_path / "out", seed=seed))
        exams = [{frame["exam"] for frame in content[section]} for section in SECTIONS]
        assert all(exams)
        assert sum(map(len, exams)) == len(set.union(*exams)) == 5


def test_identical_frames_of_different_exams_stay_together(source: Path, tmp_path: Path) -> None:
    for name in ("003_HC.png", "003_HC_Annotation.png"):
        shutil.copy(source / "training_set" / name, source / "training_set" / name.replace("003", "000"))
    rows = {row[0]: row for row in read_table(source)}
    write_table(source, [("000_HC.png", *rows["003_HC.png"][1:]), *[*rows.values()][1:]])
    for seed in range(10):
        content = read(prepare_hc18(source, tmp_path / "out", seed=seed))
        assert listed(content) == sorted(NAMES)
        exams = [{frame["exam"] for frame in content[section]} for section in SECTIONS]
        assert sum({"000", "003"} <= section for section in exams) == 1


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ((0.7, 0.1, 0.1), "sum to 1"),
        ((0.9, 0.1, 0.0), "three positive numbers"),
        ((1.2, -0.1, -0.1), "three positive numbers"),
        ((0.5, 0.5), "three positive numbers"),
        ((float("nan"), 0.5, 0.5), "three positive numbers"),
    ],
)
def test_impossible_fractions_are_an_error(
    source: Path, tmp_path: Path, fractions: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        prepare_hc18(source, tmp_path / "out", fractions=fractions)
    assert not (tmp_path / "out").exists()


def replace_row(source: Path, name: str, pixel_size: object = None, hc: object = None) -> None:
    rows = [
        (row[0], pixel_size if pixel_size is not None else row[1], hc if hc is not None else row[2])
        if row[0] == name
        else row
        for row in read_table(source)
    ]
    write_table(source, rows)


def resize_annotation(source: Path) -> None:
    write_annotation(source, "002_HC.png", head_of("002_HC.png"), (80, 120))


def fill_annotation(source: Path) -> None:
    mask = head_of("002_HC.png").rasterise(SHAPE).astype(np.uint8) * 255
    Image.fromarray(mask).save(source / "training_set" / "002_HC_Annotation.png")


def clear_annotation(source: Path) -> None:
    Image.new("L", SHAPE[::-1]).save(source / "training_set" / "002_HC_Annotation.png")


def shrink_the_head_in_mm(source: Path) -> None:
    replace_row(source, "002_HC.png", pixel_size=0.02, hc=head_of("002_HC.png").perimeter * 0.02)


def truncate(source: Path, name: str) -> None:
    path = source / "training_set" / name
    path.write_bytes(path.read_bytes()[:400])


BROKEN = {
    "no-image": (lambda source: (source / "training_set/002_HC.png").unlink(), "002_HC.png: no such file"),
    "no-annotation": (
        lambda source: (source / "training_set/002_HC_Annotation.png").unlink(),
        "002_HC_Annotation.png: no such file",
    ),
    "truncated-image": (lambda source: truncate(source, "002_HC.png"), "002_HC.png: cannot be read"),
    "no-picture": (
        lambda source: (source / "training_set/002_HC_Annotation.png").write_text("no picture"),
        "002_HC_Annotation.png: cannot be read",
    ),
    "size": (resize_annotation, "differ in size: frame 120x90, annotation 120x80 px"),
    "empty-annotation": (clear_annotation, "no line is drawn"),
    "filled-annotation": (fill_annotation, "not one thin ellipse"),
    "zero-spacing": (lambda source: replace_row(source, "002_HC.png", pixel_size=0), "has pixel size '0'"),
    "nan-spacing": (lambda source: replace_row(source, "002_HC.png", pixel_size="nan"), "has pixel size 'nan'"),
    "no-spacing": (lambda source: replace_row(source, "002_HC.png", pixel_size=""), "has pixel size ''"),
    "spacing-in-m": (lambda source: replace_row(source, "002_HC.png", pixel_size=25), "between 0.01 and 2 mm"),
    "no-hc": (lambda source: replace_row(source, "002_HC.png", hc="n/a"), "has head circumference 'n/a'"),
    "hc": (lambda source: replace_row(source, "002_HC.png", hc=12.3), "the table says HC 12.3 mm"),
    "a tiny head": (shrink_the_head_in_mm, "mm; expected 30 to 450 mm"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_frame_is_left_out_with_its_reason_and_the_rest_goes_on(source: Path, tmp_path: Path, kind: str) -> None:
    damage, reason = BROKEN[kind]
    damage(source)
    content = read(prepare_hc18(source, tmp_path / "out"))
    assert listed(content) == sorted(set(NAMES) - {"002_HC.png"})
    assert list(rejected(tmp_path / "out")) == ["002_HC.png"]
    assert reason in rejected(tmp_path / "out")["002_HC.png"]


def test_table_and_folder_that_disagree_are_reported(source: Path, tmp_path: Path) -> None:
    rows = read_table(source)
    write_table(source, [*rows[:4], rows[1], *rows[5:], ("../003_HC.png", 0.2, 70), ("head.png", 0.2, 70)])
    content = read(prepare_hc18(source, tmp_path / "out"))
    assert listed(content) == sorted(set(NAMES) - {"002_HC.png"})
    reasons = rejected(tmp_path / "out")
    assert "second row for 001_HC.png" in reasons["001_HC.png (again)"]
    assert "has no row in" in reasons["002_HC.png"]
    assert "leading number" in reasons["../003_HC.png"]
    assert "leading number" in reasons["head.png"]
    assert len(reasons) == 4


def test_table_with_byte_order_mark_is_read(source: Path, tmp_path: Path) -> None:
    path = source / "training_set_pixel_size_and_HC.csv"
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert listed(read(prepare_hc18(source, tmp_path / "out"))) == sorted(NAMES)


def test_official_test_frames_are_not_listed(source: Path, tmp_path: Path) -> None:
    (source / "test_set").mkdir()
    shutil.copy(source / "training_set" / "000_HC.png", source / "test_set" / "900_HC.png")
    assert listed(read(prepare_hc18(source, tmp_path / "out"))) == sorted(NAMES)


def test_folder_of_another_layout_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"training_set does not exist.*HC18's own layout"):
        prepare_hc18(tmp_path, tmp_path / "out")
    (tmp_path / "training_set").mkdir()
    with pytest.raises(FileNotFoundError, match=r"training_set_pixel_size_and_HC\.csv does not exist"):
        prepare_hc18(tmp_path, tmp_path / "out")
    (tmp_path / "training_set_pixel_size_and_HC.csv").write_text("filename,spacing\n")
    with pytest.raises(ValueError, match=r"lacks the columns \['pixel size\(mm\)'"):
        prepare_hc18(tmp_path, tmp_path / "out")


def test_nothing_usable_is_an_error_and_keeps_what_was_prepared_before(source: Path, tmp_path: Path) -> None:
    datalist = prepare_hc18(source, tmp_path / "out")
    before = datalist.read_bytes()
    write_table(source, [(name, 0, 70) for name in NAMES])
    with pytest.raises(ValueError, match=r"No usable frame in the data set \(7 left out\)[\s\S]*has pixel size '0'"):
        prepare_hc18(source, tmp_path / "out")
    assert datalist.read_bytes() == before


def test_too_few_exams_are_an_error(tmp_path: Path) -> None:
    source = write_hc18(tmp_path / "hc18", ["000_HC.png", "000_2HC.png", "001_HC.png"])
    with pytest.raises(ValueError, match="Only 2 exams"):
        prepare_hc18(source, tmp_path / "out")


def test_identical_frames_warn_within_an_exam_and_are_wrong_across_exams(source: Path) -> None:
    frames = source / "training_set"
    assert inspect_hc18(source).problems == []
    shutil.copy(frames / "001_HC.png", frames / "001_2HC.png")
    (finding,) = inspect_hc18(source).problems
    assert (finding.level, finding.file) == ("warning", "001_HC.png")
    assert "same image as 001_2HC.png" in finding.detail
    shutil.copy(frames / "003_HC.png", frames / "000_HC.png")
    inspection = inspect_hc18(source)
    assert sorted((found.level, found.file) for found in inspection.problems) == [
        ("error", "000_HC.png"),
        ("warning", "001_HC.png"),
    ]
    assert inspection.left_out == []


def test_real_frames_whose_ellipse_touches_the_border_are_usable(real_data: Path, tmp_path: Path) -> None:
    data = real_data / "hc18"
    (tmp_path / "training_set").mkdir()
    with (data / "training_set_pixel_size_and_HC.csv").open(newline="") as file:
        names = {"186_HC.png", "346_HC.png", "628_2HC.png", "787_HC.png"}
        rows = [tuple(row) for row in csv.reader(file) if row[0] in names]
    assert rows
    write_table(tmp_path, rows)
    for name, *_ in rows:
        for file_name in (name, name.replace(".png", "_Annotation.png")):
            (tmp_path / "training_set" / file_name).symlink_to(data / "training_set" / file_name)
    inspection = inspect_hc18(tmp_path)
    assert inspection.problems == []
    for frame in inspection.frames:
        mask = frame.ellipse_px.rasterise(frame.shape)
        assert mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        head = measure_head(mask, frame.pixel_spacing_mm)
        assert head.head_circumference_mm == pytest.approx(frame.head_circumference_mm, rel=0.005)


def test_frames_of_16_bits_are_compared_in_16_bits(source: Path) -> None:
    for number, name in enumerate(("002_HC.png", "003_HC.png")):
        Image.fromarray(np.full(SHAPE, 1000 + number, np.uint16)).save(source / "training_set" / name)
    assert not inspect_hc18(source).problems


def test_a_frame_of_too_many_pixels_is_left_out(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = (SHAPE[0], SHAPE[1] + 1)
    Image.fromarray(np.zeros(large, np.uint8)).save(source / "training_set" / "002_HC.png")
    monkeypatch.setenv("FETAL_MONAI_MAX_PIXELS", str(SHAPE[0] * SHAPE[1]))
    (problem,) = inspect_hc18(source).left_out
    assert problem.file == "002_HC.png"
    assert problem.detail.startswith("002_HC.png: has 90 x 121 pixels; expected at most 10,800.")
