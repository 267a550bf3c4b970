from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install fetal-monai[cluster]")

from fetal_monai.cohort.cohort_source import CohortSource, open_cohort
from fetal_monai.cohort.measure_cohort import measure_cohort
from fetal_monai.cohort.pipeline import Pipeline
from fetal_monai.cohort.result_folder import ResultFolder
from fetal_monai.cohort.schema import parquet_table
from fetal_monai.cohort.stages import EngineChoice
from fetal_monai.data import read_frame
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.item_row import item_row
from fetal_monai.measurement.measure_frames import measure_frames
from fetal_monai.phantom import write_phantoms
from tests.data.io.cine.loops import write_video
from tests.frame_files import cut, region, write_dicom, write_picture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cluster")]

FILES_PER_SHARD = 4


@pytest.fixture(scope="module")
def measurer() -> HeadMeasurer:
    return HeadMeasurer(batch_size=3)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stills with and without a pixel spacing, loops, broken files and a manifest."""
    folder = tmp_path_factory.mktemp("archive")
    write_phantoms(folder / "all", count=3, seed=4)
    heads = [read_frame(path).pixels.astype(np.uint8) for path in sorted((folder / "all").rglob("*_HC.png"))]
    exams = folder / "exams"
    exams.mkdir()
    names = []
    for number in range(5):
        pixels = np.roll(heads[number % 3], 7 * number, axis=1)
        names.append(write_picture(exams / f"still_{number}.png", pixels).name)
        height, width = pixels.shape
        regions = [region(0.2, 0.2, (0, 0, width - 1, height - 1))]
        names.append(write_dicom(exams / f"scan_{number}.dcm", pixels, regions).name)
    loop = np.stack([np.roll(heads[0], shift, axis=1) for shift in range(5)])
    loop[2] = 9  # without content
    names += [write_dicom(exams / "loop.dcm", loop).name, write_video(exams / "video.avi", loop[:2]).name]
    cut(exams / "scan_1.dcm")
    (exams / "still_2.png").write_bytes(b"")
    names.append("absent.png")
    lines = ["filename,pixel_spacing_mm,gestational_age_days,patient,exam"]
    lines += [
        f"{name},{0.1 + number / 100:.2f},{140 + number},p{number},e{number}" for number, name in enumerate(names)
    ]
    (exams / "manifest.csv").write_text("\n".join([*lines, "still_0b.png,wrong,,,", ""]))
    write_picture(exams / "still_0b.png", heads[1])
    return exams


def measured(
    source: CohortSource, out: str, measurer: HeadMeasurer, done: Callable[..., None] = lambda files, rows: None
) -> ResultFolder:
    results = ResultFolder(out)
    choice = EngineChoice("bisenet", measurer.runtime.engine, measurer.runtime.precision, "cpu")
    size = measurer.bundle.spatial_size
    pipeline = Pipeline(choice, size, measurer.batch_size, 1, {"num_cpus": 1}, source.frames.source_dir)
    measure_cohort(source, results, pipeline, files_per_shard=FILES_PER_SHARD, run={"bundle": "bisenet"}, done=done)
    return results


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("part-*.parquet")}


@pytest.fixture(scope="module")
def whole(archive: Path, measurer: HeadMeasurer, tmp_path_factory: pytest.TempPathFactory, cluster: None) -> Path:
    """The results of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    measured(open_cohort(str(archive / "manifest.csv")), str(folder), measurer)
    return folder


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_the_rows_are_those_of_measure_to_the_last_digit(archive: Path, measurer: HeadMeasurer, whole: Path) -> None:
    source = open_cohort(str(archive / "manifest.csv"))
    items = measure_frames(source.frames, measurer)
    rows = [item_row(item, archive) for item in items]
    expected = parquet_table({**row, **source.label(row["file"]), "bundle": "bisenet"} for row in rows).to_pylist()
    assert rows_of(whole) == expected
    assert {row["status"] for row in expected} >= {"measured", "failed"}
    assert any(row["head_circumference_mm"] for row in expected)


def test_every_file_has_its_row_and_its_labels(archive: Path, whole: Path) -> None:
    source = open_cohort(str(archive / "manifest.csv"))
    rows = rows_of(whole)
    assert list(dict.fromkeys(row["file"] for row in rows)) == [file.name for file in source.frames.files]
    by_file = {row["file"]: row for row in rows}
    assert (by_file["scan_0.dcm"]["patient"], by_file["scan_0.dcm"]["exam"]) == ("p1", "e1")
    assert by_file["scan_0.dcm"]["sop_instance_uid"] and by_file["scan_0.dcm"]["known_gestational_age_days"] == 141
    for file, reason in (("absent.png", "no such file"), ("still_2.png", "empty"), ("still_0b.png", "'wrong'")):
        assert by_file[file]["status"] == "failed" and reason in by_file[file]["reason"]
    assert [row["frame"] for row in rows if row["file"] == "loop.dcm"] == [0, 1, 2, 3, 4]
    assert len(list(whole.glob("*.parquet"))) == -(-len(source.frames.files) // FILES_PER_SHARD)


def test_only_what_is_missing_is_measured_again(
    archive: Path, measurer: HeadMeasurer, whole: Path, tmp_path: Path
) -> None:
    for name in ("part-000000.parquet", "part-000002.parquet"):
        (tmp_path / name).write_bytes(b"not touched")
    (tmp_path / ".1234abcd-part-000001.parquet").write_bytes(b"of a process that was killed")
    written: list[int] = []
    source = open_cohort(str(archive / "manifest.csv"))
    measured(source, str(tmp_path), measurer, lambda files, rows: written.append(files))
    assert sorted(written) == [2, 4]
    for name, content in contents(tmp_path).items():
        assert content in (b"not touched", contents(whole)[name])


def test_from_a_bucket_to_a_bucket(
    archive: Path, measurer: HeadMeasurer, whole: Path, bucket: str, tmp_path: Path
) -> None:
    store = fsspec.filesystem("s3")
    store.put(f"{archive}/", "archive/exams/", recursive=True)
    source = open_cohort(f"{bucket}/exams/manifest.csv")
    measured(source, f"{bucket}/results", measurer)
    store.get("archive/results/", f"{tmp_path}/", recursive=True)
    absent = "absent.png"
    of_bucket, of_folder = ([row for row in rows_of(each) if row["file"] != absent] for each in (tmp_path, whole))
    assert of_bucket == of_folder
    (row,) = [row for row in rows_of(tmp_path) if row["file"] == absent]
    assert row["status"] == "failed" and "absent.png" in row["reason"]
    assert not [path for path in source.frames.source_dir.rglob("*") if path.name != "manifest.csv"]
    source.remove_copies()


def killed_when(holds: Callable[[int], bool], kills: int, stop: Event, killed: list[int]) -> None:
    """Kill Ray's workers for which a condition holds, as soon as it does."""
    while not stop.wait(0.02) and len(killed) < kills:
        for process in ray_workers():
            with suppress(OSError):  # it has ended meanwhile
                if process not in killed and holds(process):
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)


def ray_workers() -> Iterator[int]:
    """The workers of the cluster of this test; there may be others on the machine."""
    for path in Path("/proc").iterdir():
        with suppress(OSError):
            if path.name.isdecimal() and (path / "comm").read_text().startswith("ray::"):
                yield int(path.name)


def holds_file(file: Path) -> Callable[[int], bool]:
    def holds(process: int) -> bool:
        return any(link.resolve() == file for link in Path(f"/proc/{process}/fd").iterdir())

    return holds


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files in /proc, which Linux has")
def test_a_file_that_ends_its_process_is_isolated(archive: Path, measurer: HeadMeasurer, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("still_0.png", "scan_0.dcm", "still_1.png"):
        (folder / name).symlink_to(archive / name)
    pixels = read_frame(archive / "still_0.png").pixels.astype(np.uint8)
    poisoned = write_video(folder / "poisoned.avi", np.stack([pixels] * 200))
    stop, killed = Event(), list[int]()
    killer = Thread(target=killed_when, args=(holds_file(poisoned), 99, stop, killed))
    killer.start()
    try:
        measured(open_cohort(str(folder)), str(tmp_path / "out"), measurer)
    finally:
        stop.set()
        killer.join()
    rows = rows_of(tmp_path / "out")
    assert {row["file"]: row["status"] for row in rows if row["status"] == "failed"} == {"poisoned.avi": "failed"}
    assert len(rows) == 4
    (reason,) = [row["reason"] for row in rows if row["file"] == "poisoned.avi"]
    assert "ended twice" in reason
    assert len(killed) == 4  # twice with the other files, twice alone


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks for processes in /proc, which Linux has")
def test_workers_and_engines_may_be_killed(archive: Path, measurer: HeadMeasurer, whole: Path, tmp_path: Path) -> None:
    stop, killed = Event(), list[int]()

    def works(process: int) -> bool:
        return Path(f"/proc/{process}/comm").read_text().startswith(("ray::MapWorker", "ray::FlatMap"))

    killer = Thread(target=killed_when, args=(works, 3, stop, killed))
    killer.start()
    try:
        measured(open_cohort(str(archive / "manifest.csv")), str(tmp_path), measurer)
    finally:
        stop.set()
        killer.join()
    assert len(killed) == 3
    assert contents(tmp_path) == contents(whole)
