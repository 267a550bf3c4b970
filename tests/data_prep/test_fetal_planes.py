import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from data_prep.fetal_planes import main
from fetal_monai.data import load_classification_datalist
from fetal_monai.phantom import write_plane_phantoms
from tests.frame_files import numbered_picture, write_picture

PLANES = ("Fetal brain", "Fetal femur", "Fetal abdomen", "Fetal thorax", "Maternal cervix", "Other")
COLUMNS = "Image_name;Patient_num;Plane;Brain_plane;Operator;US_Machine;Train "


def write_fetal_planes_db(folder: Path, frames_a_plane: int = 6) -> Path:
    """The published layout: names without suffix, semicolons, a trailing space in the last column's name."""
    (folder / "Images").mkdir(parents=True)
    rows = [COLUMNS]
    for number in range(frames_a_plane * len(PLANES)):
        name = f"Patient{number:05d}_Plane1_1_of_1"
        write_picture(folder / "Images" / f"{name}.png", numbered_picture(number))
        rows.append(f"{name};{number};{PLANES[number % len(PLANES)]};Not A Brain;Op. 1;Voluson E6;{number % 2}")
    (folder / "FETAL_PLANES_DB_data.csv").write_text("\n".join(rows))
    return folder


def labels_in(output_dir: Path) -> Counter[str]:
    sections = ("training", "validation", "test")
    return Counter(frame["labels"] for name in sections for frame in load_classification_datalist(output_dir, name))


def test_fetal_planes_db_becomes_classes_and_other_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = write_fetal_planes_db(tmp_path / "db"), tmp_path / "out"

    assert main(["--source", str(source), "--output_dir", str(output)]) == 0

    assert labels_in(output) == dict.fromkeys(("head", "limbs", "abdomen", "thorax", "background"), 6)
    assert json.loads((output / "datalist.json").read_text())["name"] == "FETAL_PLANES_DB"
    with (output / "rejected.csv").open(newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert len(reasons) == 6 and all("'Other' does not say which region is visible" in reason for reason in reasons)
    printed = capsys.readouterr()
    assert "Prepared 30 frames" in printed.out and "  6 files: the plane 'Other'" in printed.out
    assert "Reading frames: 100%" in printed.err


def test_standard_planes_become_classes_split_by_patient(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = ["image,plane,center,patient"]
    for number in range(24):
        write_picture(tmp_path / "images" / f"{number}.png", numbered_picture(number))
        rows.append(f"{number}.png,{('brain', 'femur', 'abdomen', 'thorax')[number % 4]},Egypt,EGY_{number // 4}")
    (tmp_path / "planes.csv").write_text("\n".join([*rows, "24.png,nose,Egypt,EGY_1", "25.png,brain,Egypt,EGY_2"]))
    output = tmp_path / "out"

    assert main(["--source", str(tmp_path), "--output_dir", str(output), "--folds", "3", "--seed", "4"]) == 0

    assert labels_in(output) == dict.fromkeys(("head", "limbs", "abdomen", "thorax"), 6)
    content = json.loads((output / "datalist.json").read_text())
    assert (content["folds"], content["seed"]) == (3, 4)
    assert len({frame["patient"] for frame in load_classification_datalist(output, "test")}) == 2
    rejected = (output / "rejected.csv").read_text()
    assert "24.png,\"the plane 'nose' is unknown; expected one of brain, femur" in rejected
    assert "25.png,the image does not exist" in rejected


def test_phantoms_are_prepared_with_boxes_and_sectors(tmp_path: Path) -> None:
    write_plane_phantoms(tmp_path, 20)

    assert main(["--source", str(tmp_path), "--output_dir", str(tmp_path)]) == 0

    (frame,) = (f for f in load_classification_datalist(tmp_path, "training") if f["image"].endswith("0007.png"))
    assert frame["target"][0] == 1 and frame["boxes"][0].min() >= 0
    assert 40 < frame["sector"]["start_radius"] < frame["sector"]["end_radius"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "2"], "error: folds is 2; expected 3 or more"),
        (["--folds", "31"], "error: Only 30 patients or exams for 31 folds"),
    ],
)
def test_impossible_folds_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    source = write_fetal_planes_db(tmp_path / "db")

    assert main(["--source", str(source), "--output_dir", str(tmp_path / "out"), *arguments]) == 2

    assert message in capsys.readouterr().err


def test_a_source_of_no_known_layout_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", str(tmp_path), "--output_dir", str(tmp_path)]) == 2
    assert "holds neither labels.csv nor a file whose header" in capsys.readouterr().err

    (tmp_path / "planes.csv").write_text("image,plane\n")
    assert main(["--source", str(tmp_path), "--output_dir", str(tmp_path)]) == 2
    assert "images does not exist; unpack the images of planes.csv there" in capsys.readouterr().err

    (tmp_path / "images").mkdir()
    assert main(["--source", str(tmp_path), "--output_dir", str(tmp_path)]) == 2
    assert "planes.csv: lacks the columns ['patient']" in capsys.readouterr().err


def test_a_pattern_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--source", ".", "--output_dir", str(tmp_path), "--patient_pattern", "("])
    assert "'(' is not a regular expression" in capsys.readouterr().err


def test_help_teaches_the_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    text = capsys.readouterr().out
    for word in (
        "planes.csv",
        "FETAL_PLANES_DB_data.csv",
        "labels.csv",
        "Labels = Placenta",
        "--folds",
        "rejected.csv",
    ):
        assert word in text


@pytest.mark.slow
def test_real_standard_planes_are_shared_out_evenly(real_data: Path, tmp_path: Path) -> None:
    assert main(["--source", str(real_data / "fetal_planes"), "--output_dir", str(tmp_path)]) == 0

    assert labels_in(tmp_path) == {"head": 115, "limbs": 113, "abdomen": 112, "thorax": 63}
    for fold in range(5):
        held = Counter(frame["labels"] for frame in load_classification_datalist(tmp_path, "test", fold))
        assert all(abs(held[name] - total / 5) < 2 for name, total in labels_in(tmp_path).items())
