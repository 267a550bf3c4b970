import re
from pathlib import Path

import numpy as np
import pytest

from fetal_monai.data import inspect_label_folder
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.labelled_frame import LabelledFrame
from tests.frame_files import numbered_picture, write_labelled, write_metaimage, write_picture


def write_folder(folder: Path, rows: list[str], header: str = "filename,labels,patient", boxes: str = "") -> Path:
    """Frames a.png to c.png, and tables."""
    for number, name in enumerate("abc"):
        write_picture(folder / f"{name}.png", numbered_picture(number))
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n")
    if boxes:
        (folder / "boxes.csv").write_text(f"filename,label,x_min,y_min,x_max,y_max\n{boxes}\n")
    return folder


def rejected(inspection: Inspection[LabelledFrame]) -> dict[str, str]:
    return {finding.file: finding.detail for finding in inspection.left_out}


GOOD = ["a.png,Head,p1", 'b.png,"Placenta, limbs",p2', "c.png,background,p2"]


def test_a_table_gives_labels_patients_boxes_and_sectors(tmp_path: Path) -> None:
    header = "filename,label,patient,apex_x,apex_y,start_radius,end_radius,start_angle_rad,end_angle_rad"
    rows = [GOOD[0] + ",32,-10,12,60,-0.5,0.5", GOOD[1] + ",,,,,,", GOOD[2] + ",,,,,,"]
    boxes = "b.png,Limbs,3,4,20,30\nb.png,placenta,0,0,64,48"

    inspection = inspect_label_folder(write_folder(tmp_path, rows, header, boxes))

    assert not inspection.problems
    first, second, third = inspection.frames
    assert [frame.labels for frame in inspection.frames] == [("head",), ("limbs", "placenta"), ("background",)]
    assert [frame.patient for frame in inspection.frames] == ["p1", "p2", "p2"]
    assert first.image == tmp_path / "a.png"
    assert first.sector == {
        "apex_x": 32,
        "apex_y": -10,
        "start_radius": 12,
        "end_radius": 60,
        "start_angle_rad": -0.5,
        "end_angle_rad": 0.5,
    }
    assert second.boxes == {"limbs": (3, 4, 20, 30), "placenta": (0, 0, 64, 48)}
    assert not first.boxes and not third.boxes and not third.sector


@pytest.mark.parametrize(
    ("row", "file", "reason"),
    [
        ("d.png,head,p3", "d.png", "the image does not exist"),
        ("a.png,head,p1", "a.png", "2 rows name this frame; keep one"),
        ("c.png,limb,p3", "c.png", r"the label 'limb' is unknown.*Did you mean 'limbs'"),
        ("c.png,head,", "c.png", "no patient is known.*add a column 'patient'"),
        (",head,p3", "labels.csv", "row 3 has no file name"),
    ],
)
def test_a_bad_row_is_left_out_with_the_reason_and_the_rest_goes_on(
    tmp_path: Path, row: str, file: str, reason: str
) -> None:
    inspection = inspect_label_folder(write_folder(tmp_path, [*GOOD[:2], row]))

    assert re.search(reason, rejected(inspection)[file])
    assert "b.png" in [frame.filename for frame in inspection.frames]
    assert file not in [frame.filename for frame in inspection.frames]


def test_an_image_without_row_is_told(tmp_path: Path) -> None:
    inspection = inspect_label_folder(write_folder(tmp_path, GOOD[:2]))

    assert rejected(inspection) == {"c.png": "no label names this image; add a row or remove the image."}
    assert [frame.filename for frame in inspection.frames] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("box", "file", "reason"),
    [
        ("a.png,thorax,1,1,5,5", "a.png", "a box of 'thorax', but its labels are head"),
        ("a.png,head,5,1,5,5", "a.png", r"expected 0 <= x_min < x_max <= 64 and 0 <= y_min < y_max <= 48"),
        ("a.png,head,1,1,5,49", "a.png", "y_max <= 48"),
        ("a.png,head,1,one,5,9", "a.png", "y_min is 'one'; expected a finite number"),
        ("a.png,head,1,1,5,9\na.png,head,2,2,5,9", "a.png", "two boxes of 'head'"),
        ("d.png,head,1,1,5,9", "boxes.csv", r"a box of 'd\.png', which labels\.csv does not name"),
    ],
)
def test_a_bad_box_is_told(tmp_path: Path, box: str, file: str, reason: str) -> None:
    inspection = inspect_label_folder(write_folder(tmp_path, GOOD, boxes=box))

    assert re.search(reason, rejected(inspection)[file])


def test_damaged_and_empty_frames_are_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, GOOD)
    (tmp_path / "a.png").write_bytes(b"no picture")
    write_picture(tmp_path / "b.png", np.full((9, 9), 7, np.uint8))

    reasons = rejected(inspect_label_folder(tmp_path))

    assert "cannot be read" in reasons["a.png"] and "every pixel is 7" in reasons["b.png"]


def test_identical_frames_are_told_and_left_out_where_their_labels_differ(tmp_path: Path) -> None:
    write_folder(tmp_path, ["a.png,head,p1", "b.png,head,p2", "c.png,head,p3"])
    write_picture(tmp_path / "b.png", numbered_picture(0))
    (agreeing,) = (same := inspect_label_folder(tmp_path)).problems
    assert len(same.frames) == 3
    assert agreeing.file == "a.png" and "same image as b.png" in agreeing.detail

    write_folder(tmp_path, ["a.png,head,p1", "b.png,spine,p2", "c.png,head,p3"])
    write_picture(tmp_path / "b.png", numbered_picture(0))
    differing = inspect_label_folder(tmp_path)
    assert [frame.filename for frame in differing.frames] == ["c.png"]
    assert set(rejected(differing)) == {"a.png", "b.png"}
    assert "a.png is head, b.png is spine" in rejected(differing)["a.png"]


def test_headers_give_labels_and_the_pattern_the_patient(tmp_path: Path) -> None:
    write_labelled(tmp_path / "patient3_1.mhd", 1, Labels="Placenta, Limbs")
    write_labelled(tmp_path / "patient12_1.nii.gz", 2, ITK_FileNotes="Label = head")
    write_labelled(tmp_path / "other.mha", 3, Label="spine")
    write_metaimage(tmp_path / "patient4_1.mha", numbered_picture(4))
    write_picture(tmp_path / "patient5_1.png", numbered_picture(5))

    inspection = inspect_label_folder(tmp_path, re.compile(r"patient(\d+)_"))

    assert {(frame.filename, frame.labels, frame.patient) for frame in inspection.frames} == {
        ("patient3_1.mhd", ("limbs", "placenta"), "3"),
        ("patient12_1.nii.gz", ("head",), "12"),
    }
    reasons = rejected(inspection)
    assert "no patient is known" in reasons["other.mha"]
    assert "the header has no 'Label'" in reasons["patient4_1.mha"]
    assert "give a CSV table" in reasons["patient5_1.png"]


def test_a_folder_with_neither_table_nor_header_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", numbered_picture(0))
    with pytest.raises(FileNotFoundError, match=r"neither labels\.csv nor a file whose header"):
        inspect_label_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        inspect_label_folder(tmp_path / "none")


def test_a_table_with_two_columns_of_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"has the columns \[.*\]; expected 'filename' and one of \('labels', 'label'\)"
    ):
        inspect_label_folder(write_folder(tmp_path, ["a.png,head,limbs,p1"], "filename,labels,label,patient"))


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"labels\.csv: has the columns \['filename', 'class'\]; expected 'filename'"):
        inspect_label_folder(write_folder(tmp_path, [], header="filename,class"))
    write_folder(tmp_path, GOOD)
    (tmp_path / "boxes.csv").write_text("filename,label,x_min\n")
    with pytest.raises(ValueError, match=r"boxes\.csv: lacks the columns \['y_min', 'x_max', 'y_max'\]"):
        inspect_label_folder(tmp_path)


def test_the_published_frame_loads_with_both_its_labels(real_data: Path) -> None:
    (frame,) = inspect_label_folder(real_data / "frustum", re.compile("image")).frames

    assert frame.labels == ("limbs", "placenta")
