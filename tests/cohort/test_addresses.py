from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from fetal_monai.cohort.cohort_source import open_cohort
from fetal_monai.cohort.result_folder import ResultFolder
from fetal_monai.data.rejected import Rejected
from tests.frame_files import cut, numbered_picture, write_dicom, write_picture


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exams")
    (folder / "later").mkdir()
    for number, name in enumerate(("10.png", "2.png", "2_mask.png", ".hidden.png")):
        write_picture(folder / name, numbered_picture(number))
    write_dicom(folder / "later" / "IM_0001", numbered_picture(3))
    cut(write_picture(folder / "later" / "cut.png", numbered_picture(4)))
    (folder / "notes.txt").write_text("not a frame")
    (folder / "later" / "manifest.csv").write_text("filename,pixel_spacing_mm,patient\ncut.png,0.2,p1\nIM_0001,,p2\n")
    return folder


@pytest.fixture(scope="module")
def address(bucket: str, exams: Path) -> str:
    fsspec.filesystem("s3").put(f"{exams}/", "archive/exams/", recursive=True)
    return f"{bucket}/exams"


def seen(source: str) -> list[tuple[str, object]]:
    cohort = open_cohort(source, pixel_spacing_mm=0.1)
    return [
        (
            item.file.relative_to(cohort.frames.source_dir).as_posix(),
            item.reason if isinstance(item, Rejected) else (item.frame.pixels.tobytes(), item.scale, item.index),
        )
        for item in cohort.frames
    ]


def test_a_bucket_holds_the_frames_of_the_folder_that_it_was_made_of(exams: Path, address: str) -> None:
    expected = seen(str(exams))
    assert [name for name, _ in expected] == ["2.png", "10.png", "later/cut.png", "later/IM_0001"]
    assert seen(address) == expected
    assert seen(exams.as_uri()) == expected
    assert open_cohort(address).sha256 == open_cohort(str(exams)).sha256


def test_a_manifest_in_a_bucket(exams: Path, address: str) -> None:
    manifest = open_cohort(f"{address}/later/manifest.csv")
    assert manifest.labels == {"cut.png": {"patient": "p1"}, "IM_0001": {"patient": "p2"}}
    assert seen(f"{address}/later/manifest.csv") == seen(str(exams / "later" / "manifest.csv"))
    manifest.remove_copies()
    assert not manifest.frames.source_dir.exists()


def test_results_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    rows = [{"file": "a.png", "frame": 0, "status": "measured", "head_circumference_mm": 1 / 3}]
    tables = []
    for place in (f"{bucket}/results/", str(tmp_path / "results")):
        results = ResultFolder(place)
        assert results.shards() == set()
        results.start({"files": 2})
        ResultFolder(place).start({"files": 2})
        results.write_shard(3, rows)
        results.write_shard(1, rows)
        assert results.shards() == {1, 3}
        tables.append(results.table(["file", "head_circumference_mm"]).to_pylist())
        with pytest.raises(ValueError, match=r"another run \(files: 2 there, 3 now\)"):
            results.start({"files": 3})
    assert tables[0] == tables[1] == [{"file": "a.png", "head_circumference_mm": 1 / 3}] * 2


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [("absent", FileNotFoundError, "nothing at this address"), ("text", ValueError, "no frames at this address")],
)
def test_an_address_without_frames(bucket: str, name: str, error: type[Exception], message: str) -> None:
    fsspec.filesystem("s3").pipe_file("archive/text/notes.txt", b"not a frame")
    with pytest.raises(error, match=message):
        open_cohort(f"{bucket}/{name}")
