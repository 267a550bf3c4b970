from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fetal_monai.cohort.cohort_source import open_cohort
from fetal_monai.data.frame_source import SourceFrame
from tests.frame_files import numbered_picture, write_picture

ROWS: dict[str, list[Any]] = {
    "filename": ["b.png", "a.png", "deep/c.png"],
    "pixel_spacing_mm": [0.1, None, 0.3],
    "gestational_age_days": [140, 150.5, None],
    "patient": ["p1", "p2", None],
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for number, name in enumerate(ROWS["filename"]):
        write_picture(tmp_path / str(name), numbered_picture(number))
    pd.DataFrame(ROWS).to_csv(tmp_path / "list.csv", index=False)
    pd.DataFrame(ROWS).to_parquet(tmp_path / "list.parquet", index=False)
    return tmp_path


@pytest.mark.parametrize("manifest", ["list.csv", "list.parquet"])
def test_a_manifest_gives_order_scale_and_labels(archive: Path, manifest: str) -> None:
    cohort = open_cohort(str(archive / manifest), pixel_spacing_mm=0.2)
    items = [item for item in cohort.frames if isinstance(item, SourceFrame)]
    assert [item.file.relative_to(archive).as_posix() for item in items] == ROWS["filename"]
    scales = [(item.scale.pixel_spacing_mm, item.scale.source, item.scale.gestational_age_days) for item in items]
    assert scales == [((0.1, 0.1), "table", 140), ((0.2, 0.2), "option", 150.5), ((0.3, 0.3), "table", None)]
    assert [cohort.label(str(name)) for name in ROWS["filename"]] == [{"patient": "p1"}, {"patient": "p2"}, {}]


def test_some_files_are_sent_without_what_is_known_of_the_others(archive: Path) -> None:
    frames = open_cohort(str(archive / "list.csv")).frames
    sent = pickle.loads(pickle.dumps(frames.only(frames.files[2:])))  # noqa: S301 - our own
    assert b"b.png" not in pickle.dumps(sent)
    (item,) = sent
    assert item.scale.pixel_spacing_mm == (0.3, 0.3)


def test_the_checksum_is_that_of_the_list_and_of_what_it_states(archive: Path) -> None:
    before = open_cohort(str(archive / "list.csv")).sha256
    assert open_cohort(str(archive / "list.csv")).sha256 == before
    pd.DataFrame(ROWS | {"pixel_spacing_mm": 0.4}).to_csv(archive / "list.csv", index=False)
    assert open_cohort(str(archive / "list.csv")).sha256 != before
    folder = open_cohort(str(archive)).sha256
    (archive / "a.png").rename(archive / "d.png")
    assert open_cohort(str(archive)).sha256 != folder


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file\na.png\n", r"list.csv: has the columns \['file'\]; expected 'filename'"),
        ("filename,patient\n", "list.csv: lists no file"),
        ("filename,patient\na.png,1\n,2\n", "list.csv: row 2 has no file name"),
        ("filename,patient\na.png,1\nb.png,2\na.png,3\n", "list.csv: the rows 1 and 3 both name a.png"),
    ],
)
def test_what_is_no_manifest(archive: Path, content: str, message: str) -> None:
    (archive / "list.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        open_cohort(str(archive / "list.csv"))


def test_a_damaged_parquet_manifest(archive: Path) -> None:
    (archive / "list.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(ValueError, match=r"list\.parquet: not a Parquet table"):
        open_cohort(str(archive / "list.parquet"))


def test_an_absent_manifest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"list\.csv: no such folder or manifest"):
        open_cohort(str(tmp_path / "list.csv"))
