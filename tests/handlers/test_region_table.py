from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from ignite.engine import Engine, Events
from scipy.special import expit

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.handlers import RegionTable
from tests.handlers.region_inference import BOX, CLASSES, inferred, loop, run, stream_of


def test_a_row_a_frame_in_natural_order(tmp_path: Path) -> None:
    table = RegionTable(stream_of(tmp_path), output_dir=tmp_path / "out", class_names=CLASSES)
    frames = [
        inferred(tmp_path / "10.png", FailedEstimate("background: no region in sight"), "background"),
        *loop(tmp_path / "3.mp4", 2),
        inferred(tmp_path / "1.png", FailedEstimate("flat"), known=False),
    ]
    run([table], frames)
    with (tmp_path / "out" / "regions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["1.png", "2.png", "3.mp4", "3.mp4", "10.png"]
    assert [row["status"] for row in rows] == ["no box", "failed", "localised", "localised", "background"]
    assert [row["frame"] for row in rows] == ["0", "", "0", "1", "0"]
    assert [row["time_s"] for row in rows] == ["", "", "0", "0.1", ""]
    assert [row["reason"] for row in rows[:1]] == ["flat"]
    assert "0 bytes" in rows[1]["reason"]
    assert [float(rows[2][edge]) for edge in BOX._fields] == list(BOX)
    assert [float(rows[2][f"score_{name}"]) for name in CLASSES] == pytest.approx(expit([2, 0, -2]), rel=1e-5)
    origins = [(row["geometry"], row["geometry_origin"], row["geometry_confidence"]) for row in rows]
    assert origins[:3] == [("unknown", "estimate", "0"), ("", "", ""), ("sector", "estimate", "0.75")]


def test_a_frame_that_failed_behind_the_network_and_files_that_no_one_can_name(tmp_path: Path) -> None:
    frames = [inferred(tmp_path / "=1+1.png"), *loop(tmp_path / "3.mp4", 2)]
    frames[1][1]["failure"] = "the response is of another size"
    run([RegionTable(stream_of(tmp_path), output_dir=tmp_path / "out", class_names=CLASSES)], frames)
    with (tmp_path / "out" / "regions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["frame"], row["status"]) for row in rows] == [
        ("2.png", "", "failed"),
        ("3.mp4", "1", "localised"),
        ("3.mp4", "0", "failed"),
        ("'=1+1.png", "0", "localised"),
    ]
    assert rows[2]["reason"] == "the response is of another size"


def test_rows_are_in_the_file_before_the_run_ends(tmp_path: Path) -> None:
    seen = []

    class Look:
        def attach(self, engine: Engine) -> None:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.look)

        def look(self, engine: Engine) -> None:
            seen.append(len((tmp_path / "out" / "regions.csv").read_text().splitlines()))

    run(
        [RegionTable(stream_of(tmp_path), output_dir=tmp_path / "out", class_names=CLASSES), Look()],
        loop(tmp_path / "3.mp4", 3),
    )
    assert seen == [1 + 1 + 1, 1 + 1 + 2, 1 + 1 + 3]  # heading, rejected file, frames


def test_what_handlers_behind_it_do_does_not_count_as_time(tmp_path: Path) -> None:
    class Slow:
        def attach(self, engine: Engine) -> None:
            engine.add_event_handler(Events.ITERATION_COMPLETED, lambda _: time.sleep(0.2))

    engine = run(
        [RegionTable(stream_of(tmp_path), output_dir=tmp_path, class_names=CLASSES), Slow()],
        loop(tmp_path / "3.mp4", 3),
    )
    assert engine.state.metrics["frames_per_second"] > 5  # with it, at most that


def test_counts_are_metrics_of_the_run(tmp_path: Path) -> None:
    table = RegionTable(stream_of(tmp_path), output_dir=tmp_path, class_names=CLASSES)
    metrics = run([table], loop(tmp_path / "3.mp4", 3)).state.metrics
    rows = (tmp_path / "regions.csv").read_text().splitlines()[1:]
    counts = {name: count for name, count in metrics.items() if name != "frames_per_second"}
    assert counts.keys() == {"frames_localised", "frames_background", "frames_no_box", "frames_failed"}
    assert sum(counts.values()) == len(rows)
    assert counts["frames_failed"] == sum(",failed," in row for row in rows) > 0


def test_a_second_run_starts_anew(tmp_path: Path) -> None:
    table = RegionTable(stream_of(tmp_path), output_dir=tmp_path, class_names=CLASSES)
    for _ in range(2):
        run([table], loop(tmp_path / "3.mp4", 2))
    assert len((tmp_path / "regions.csv").read_text().splitlines()) == 1 + 1 + 2
