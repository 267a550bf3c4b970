import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset

from fetal_monai.data import (
    ANATOMICAL_CLASSES,
    LabelError,
    fingerprint,
    inspect_label_folder,
    load_classification_datalist,
    load_datalist,
    write_classification_datalist,
)
from tests.frame_files import numbered_picture, write_picture

CLASSES = ("head", "limbs", "spine, limbs", "background")
SECTIONS = ("training", "validation", "test")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Twenty frames of ten patients; the images lie in the data list's folder, so that it can move."""
    folder = tmp_path / "planes"
    (folder / "images").mkdir(parents=True)
    rows, boxes = [], []
    for number in range(20):
        name = f"images/{number:02d}.png"
        write_picture(folder / name, numbered_picture(number))
        rows.append(f'{name},"{CLASSES[number % 4]}",p{number // 2}')
        if number % 4 == 2:
            boxes.append(f"{name},spine,1,2,30,{40 - number}")
    (folder / "labels.csv").write_text("filename,labels,patient\n" + "\n".join(rows))
    (folder / "boxes.csv").write_text("filename,label,x_min,y_min,x_max,y_max\n" + "\n".join(boxes))
    write_classification_datalist(inspect_label_folder(folder), {"name": "Twenty"}, folder)
    return folder


def edit(folder: Path, change: dict[str, object]) -> None:
    """Change the first frame of the training section."""
    path = folder / "datalist.json"
    content = json.loads(path.read_text())
    content["training"][0].update(change)
    path.write_text(json.dumps(content))


def test_every_frame_is_tested_once_over_all_folds_and_patients_never_cross(prepared: Path) -> None:
    tested = []
    for fold in range(5):
        sections = {name: load_classification_datalist(prepared, name, fold) for name in SECTIONS}
        assert sum(map(len, sections.values())) == 20
        patients = [{frame["patient"] for frame in frames} for frames in sections.values()]
        assert sum(map(len, patients)) == len(set.union(*patients)) == 10
        tested += [frame["image"] for frame in sections["test"]]
        following = load_classification_datalist(prepared, "test", (fold + 1) % 5)
        assert [frame["image"] for frame in sections["validation"]] == [frame["image"] for frame in following]
    assert sorted(tested) == sorted(str(path) for path in (prepared / "images").iterdir())


def test_a_frame_has_its_target_and_boxes_in_the_order_of_the_classes(prepared: Path) -> None:
    listed = [frame for section in SECTIONS for frame in load_classification_datalist(prepared, section)]
    (frame,) = (frame for frame in listed if frame["image"].endswith("02.png"))

    assert frame["labels"] == "spine, limbs"
    assert [ANATOMICAL_CLASSES[index] for index in np.flatnonzero(frame["target"])] == ["spine", "limbs"]
    spine = ANATOMICAL_CLASSES.index("spine")
    assert frame["boxes"][spine].tolist() == [1, 2, 30, 38]
    assert np.isnan(np.delete(frame["boxes"], spine, axis=0)).all()


def test_frames_with_one_and_with_several_classes_make_a_batch(prepared: Path) -> None:
    frames = load_classification_datalist(prepared, "training")

    (batch,) = DataLoader(Dataset(frames), batch_size=len(frames))

    assert batch["target"].shape == (len(frames), 7) and batch["target"].dtype == torch.float32
    assert batch["boxes"].shape == (len(frames), 7, 4)
    assert batch["labels"] == [frame["labels"] for frame in frames]


def test_the_fingerprint_covers_all_that_is_learnt_from_and_no_place(prepared: Path, tmp_path: Path) -> None:
    before = fingerprint(prepared)
    moved = tmp_path / "elsewhere"
    shutil.copytree(prepared, moved)
    assert fingerprint(moved) == before

    changes: list[dict[str, object]] = [
        {"labels": ["thorax"]},
        {"boxes": {"thorax": [0, 0, 5, 5]}},
        {"fold": 4, "patient": "x"},
        {"sector": {"apex_x": 3}},
    ]
    seen = {before}
    for change in changes:
        edit(moved, change)
        seen.add(fingerprint(moved))
    write_picture(next((moved / "images").iterdir()), numbered_picture(99))
    seen.add(fingerprint(moved))
    assert len(seen) == len(changes) + 2


def test_rejected_frames_are_listed(prepared: Path) -> None:
    (prepared / "images" / "03.png").write_bytes(b"broken")

    write_classification_datalist(inspect_label_folder(prepared), {}, prepared)

    lines = (prepared / "rejected.csv").read_text().splitlines()
    assert lines[0] == "filename,reason" and lines[1].startswith("images/03.png,")


def test_the_wrong_kind_of_data_list_is_told(prepared: Path) -> None:
    with pytest.raises(ValueError, match=r"list of frames with 'image', 'label' and 'exam'.*data_prep\.hc18"):
        load_datalist(prepared, "training")
    content = json.loads((prepared / "datalist.json").read_text())
    content["training"] = [{"image": "a.png", "label": "b.png", "exam": "1"}]
    (prepared / "datalist.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"'image', 'labels', 'patient' and 'fold'.*data_prep\.fetal_planes"):
        load_classification_datalist(prepared, "training")


def test_what_is_missing_is_named(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no fold 5, expected 0 to 4"):
        load_classification_datalist(prepared, "test", fold=5)
    with pytest.raises(ValueError, match="no section 'train'"):
        load_classification_datalist(prepared, "train")
    with pytest.raises(FileNotFoundError, match=r"datalist\.json does not exist.*data_prep\.fetal_planes"):
        load_classification_datalist(tmp_path, "test")
    Path(load_classification_datalist(prepared, "test")[0]["image"]).unlink()
    with pytest.raises(FileNotFoundError, match="the image of a test frame"):
        load_classification_datalist(prepared, "test")
    edit(prepared, {"labels": ["hed"]})
    with pytest.raises(LabelError, match=r"datalist\.json: the label 'hed' is unknown.*'head'"):
        load_classification_datalist(prepared, "training")


def test_a_set_without_usable_frame_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", numbered_picture(0))
    (tmp_path / "labels.csv").write_text("filename,labels,patient\na.png,leg,p1\n")

    with pytest.raises(ValueError, match=r"No usable frame in the data set \(1 left out\)\.\n  a\.png: the label"):
        write_classification_datalist(inspect_label_folder(tmp_path), {}, tmp_path / "out")

    assert not (tmp_path / "out").exists()
