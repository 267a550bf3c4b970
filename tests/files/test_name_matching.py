"""Names in tables and labels in another Unicode form than on disk, as files that went through macOS have them."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from data_prep.fetal_planes import main as prepare_planes
from fetal_monai.biometry import Ellipse
from fetal_monai.data import collect_frames, inspect_label_folder
from fetal_monai.data.frame_geometry import GeometryTable
from fetal_monai.data.preparation.ellipse_dataset import inspect_ellipse_labels
from fetal_monai.data.preparation.ellipse_label import EllipseLabel, write_ellipse_label
from fetal_monai.data.preparation.hc18 import inspect_hc18
from fetal_monai.files.name_matching import find_file, listed_name
from tests.frame_files import HEIGHT, WIDTH, asymmetric_picture, write_picture
from tests.hc18_layout import write_hc18

FORMS = pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])


def name(form: str, text: str = "1_für") -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def test_names_of_a_table() -> None:
    assert listed_name("exam\\a.png") == listed_name("./exam//a.png") == "exam/a.png"
    assert listed_name("/data/a.png") == "/data/a.png"
    assert listed_name("") == ""


def test_an_exact_name_comes_first(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / name(form)).touch()
    for form in ("NFC", "NFD"):
        assert find_file(tmp_path, name(form)) == tmp_path / name(form)
    assert find_file(tmp_path, "absent") is None


@FORMS
def test_frames_to_measure(tmp_path: Path, on_disk: str, in_table: str) -> None:
    folder = tmp_path / name(on_disk, "Jürg")
    folder.mkdir()
    for number in "12":
        write_picture(folder / f"{name(on_disk)}{number}.png", asymmetric_picture())
    table = tmp_path / "t.csv"
    rows = [f"{name(in_table)}1.png,0.1", f"{name(in_table, 'Jürg')}/{name(in_table)}2.png,0.2"]
    table.write_text("\n".join(["filename,pixel_spacing_mm", *rows]), encoding="utf-8")
    collection = collect_frames(tmp_path, table=table)
    assert not collection.rejected
    assert [frame["pixel_spacing_mm"][0] for frame in collection.frames] == [0.1, 0.2]
    assert all(Path(frame["image"]).is_file() for frame in collection.frames)


def test_a_name_that_fits_two_files_is_never_guessed(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        write_picture(tmp_path / f"{name(form)}.png", asymmetric_picture())
    (tmp_path / "t.csv").write_text(f"filename,pixel_spacing_mm\n{name('NFC')}.png,0.1\n", encoding="utf-8")
    assert len(collect_frames(tmp_path, table=tmp_path / "t.csv").rejected) == 2


@FORMS
def test_geometries(tmp_path: Path, on_disk: str, in_table: str) -> None:
    (tmp_path / "t.csv").write_text(f"filename,apex_x\n{name(in_table)}.png,7\n", encoding="utf-8")
    assert GeometryTable(tmp_path / "t.csv").row(tmp_path / f"{name(on_disk)}.png")["apex_x"] == "7"


@FORMS
def test_image_level_labels_boxes_and_patients(tmp_path: Path, on_disk: str, in_table: str) -> None:
    for number in range(2):
        write_picture(tmp_path / f"{name(on_disk)}{number}.png", asymmetric_picture() + np.uint8(number))
    rows = [f"{name(in_table)}0.png,head,{name('NFC')}", f"{name(in_table)}1.png,head,{name('NFD')}"]
    (tmp_path / "labels.csv").write_text("\n".join(["filename,labels,patient", *rows]), encoding="utf-8")
    (tmp_path / "boxes.csv").write_text(
        f"filename,label,x_min,y_min,x_max,y_max\n{name(on_disk)}0.png,head,1,2,3,4\n", encoding="utf-8"
    )
    inspection = inspect_label_folder(tmp_path)
    assert not inspection.problems
    assert [frame.boxes for frame in inspection.frames] == [{"head": (1, 2, 3, 4)}, {}]
    assert len({frame.patient for frame in inspection.frames}) == 1, "one patient, in one fold"
    assert all(frame.image.is_file() for frame in inspection.frames)


@FORMS
def test_planes(tmp_path: Path, on_disk: str, in_table: str) -> None:
    (tmp_path / "images").mkdir()
    for number in range(6):
        write_picture(tmp_path / "images" / f"{name(on_disk)}{number}.png", asymmetric_picture() + np.uint8(number))
    rows = [f"{name(in_table)}{number}.png,{plane},{number}" for number, plane in enumerate(["brain"] * 5 + ["tail"])]
    (tmp_path / "planes.csv").write_text("\n".join(["image,plane,patient", *rows]), encoding="utf-8")
    assert prepare_planes(["--source", str(tmp_path), "--output_dir", str(tmp_path / "out"), "--folds", "3"]) == 0
    content = json.loads((tmp_path / "out" / "datalist.json").read_text())
    assert sum(len(value) for value in content.values() if isinstance(value, list)) >= 5
    rejected = (tmp_path / "out" / "rejected.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rejected) == 1 and "the plane 'tail' is unknown" in rejected[0]


@FORMS
def test_ellipse_labels(tmp_path: Path, on_disk: str, in_table: str) -> None:
    write_picture(tmp_path / f"{name(on_disk)}.png", asymmetric_picture())
    ellipse = Ellipse(30, 20, 16, 12, 0)
    label = EllipseLabel(f"{name(in_table)}.png", (HEIGHT, WIDTH), ellipse, (0.5, 0.5))
    write_ellipse_label(tmp_path / f"{name(in_table)}.xml", label)
    inspection = inspect_ellipse_labels(tmp_path, tmp_path)
    assert not inspection.problems
    assert inspection.frames[0].image == tmp_path / f"{name(on_disk)}.png"


@FORMS
def test_hc18(tmp_path: Path, on_disk: str, in_table: str) -> None:
    source = write_hc18(tmp_path, ["000_HC.png"])
    for file in (source / "training_set").iterdir():
        file.rename(file.with_name(file.name.replace("HC", name(on_disk, "ü"))))
    table = source / "training_set_pixel_size_and_HC.csv"
    table.write_text(table.read_text().replace("000_HC", f"000_{name(in_table, 'ü')}"), encoding="utf-8")
    inspection = inspect_hc18(source)
    assert not inspection.problems
    assert len(inspection.frames) == 1
