import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.integrity import format_findings, verify_prepared
from fetal_monai.data import prepare_hc18
from fetal_monai.data.preparation.problem import Problem
from tests.hc18_layout import write_hc18

NAMES = [f"{exam:03d}_HC.png" for exam in range(8)]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    write_hc18(tmp_path / "source", NAMES)
    prepare_hc18(tmp_path / "source", tmp_path)
    return tmp_path


def change(folder: Path, edit: Callable[[dict], object]) -> None:
    path = folder / "datalist.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def first(folder: Path, section: str = "training") -> dict:
    return json.loads((folder / "datalist.json").read_text())[section][0]


def repaint(path: Path, paint: Callable[[np.ndarray], np.ndarray]) -> None:
    with Image.open(path) as image:
        pixels = np.array(image)
    Image.fromarray(paint(pixels)).save(path)


def test_prepared_data_set_is_clean(prepared: Path) -> None:
    assert verify_prepared(prepared) == []


@pytest.mark.parametrize("key", ["image", "label"])
def test_missing_file_is_found(prepared: Path, key: str) -> None:
    (prepared / first(prepared)[key]).unlink()
    (finding,) = verify_prepared(prepared)
    assert (finding.level, finding.check) == ("error", "missing or unreadable")
    assert finding.file == Path(first(prepared)["image"]).name
    assert "no such file" in finding.detail


DAMAGES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str, str]] = {
    "cropped": (lambda mask: mask[:-1], "size", "image 120x90, label 120x89 px"),
    "0/1": (lambda mask: mask // 255, "label", "holds 0, 1; expected 0 (background)"),
    "empty": (lambda mask: mask * 0, "label", "the mask is empty"),
    "eroded": (lambda mask: np.minimum(mask, np.roll(mask, 2, 0)), "head circumference", "more than 0.5% apart"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_label_is_found(prepared: Path, damage: str) -> None:
    paint, check, detail = DAMAGES[damage]
    repaint(prepared / first(prepared)["label"], paint)
    (finding,) = verify_prepared(prepared)
    assert (finding.level, finding.check) == ("error", check)
    assert detail in finding.detail


@pytest.mark.parametrize("spacing", [None, [0.25], [0.25, 0], [0.25, 30], ["0.25", "0.25"], [0.25, float("nan")]])
def test_impossible_spacing_is_found(prepared: Path, spacing: object) -> None:
    change(prepared, lambda content: content["training"][0].update(pixel_spacing_mm=spacing))
    (finding,) = verify_prepared(prepared)
    assert (finding.level, finding.check) == ("error", "pixel size")


@pytest.mark.parametrize("hc_mm", [None, 0, "40", float("nan")])
def test_impossible_circumference_is_found(prepared: Path, hc_mm: object) -> None:
    change(prepared, lambda content: content["training"][0].update(head_circumference_mm=hc_mm))
    (finding,) = verify_prepared(prepared)
    assert (finding.level, finding.check) == ("error", "head circumference")


def test_exam_in_two_sections_is_found(prepared: Path) -> None:
    exam = first(prepared, "test")["exam"]
    change(prepared, lambda content: content["training"][0].update(exam=exam))
    (finding,) = verify_prepared(prepared)
    assert (finding.level, finding.check, finding.file) == ("error", "split", f"exam {exam}")
    assert "test and training" in finding.detail


def test_identical_image_in_two_sections_is_found(prepared: Path) -> None:
    training, test = first(prepared), first(prepared, "test")
    (prepared / test["image"]).write_bytes((prepared / training["image"]).read_bytes())
    found = {finding.check: finding for finding in verify_prepared(prepared)}
    assert set(found) == {"identical frames", "split"}
    assert found["split"].level == found["identical frames"].level == "error"
    for frame, section in ((training, "training"), (test, "test")):
        assert f"{Path(frame['image']).name} ({section})" in found["split"].detail


def test_every_finding_has_a_line_in_the_table() -> None:
    problems = [
        Problem("error", "size", "000_HC.png", "too small"),
        Problem("warning", "identical frames", "392_HC.png", "is the same image as 392_2HC.png"),
    ]
    lines = format_findings(problems).splitlines()
    assert lines[0].split() == ["level", "check", "file", "finding"]
    assert lines[1].startswith("error  ") and lines[1].endswith("too small")
    assert lines[1].index("000_HC.png") == lines[2].index("392_HC.png")
    assert lines[3] == "1 errors, 1 warnings"
    assert format_findings([]) == "no problems (0 errors, 0 warnings)"
