"""The benchmarks run; what they measure is no test."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import head_measurement, region_localisation
from benchmarks.interleaved import median_ratio, timed_in_turn
from benchmarks.stopwatch import Stopwatch
from benchmarks.timing_tables import floor_ms
from fetal_monai.phantom import write_plane_phantoms

BUNDLES = Path(__file__).parents[2] / "bundles"
LINE = r"^{step} +\d+\.\d ms +\d+\.\d a second  \(median of {count}\)$"


@pytest.mark.slow
def test_head_measurement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json_path = tmp_path / "timings.json"
    few = ["--count", "1", "--rounds", "1", "--scales", "2", "--counts", "2"]
    head_measurement.main(["--engines", "torch-fp32", *few, "--json", str(json_path)])
    printed = capsys.readouterr().out
    number = r"\d+\.\d\d"
    for row in (
        rf"bundle, no files \| {number} \| {number} \| 1\.00 \| {number} \| {number} \|  ",
        rf"torch-fp32 \| {number} \| {number} \| {number} \| {number} \| {number} \| 0\.0\d ",
        rf"torch-fp32 \| {number} \| {number} \| {number} \| {number} \| {number} ",
        rf"decode \| {number} ",
        rf"1600x1080 \| {number} \| {number} \| {number} ",
        rf"2 \| {number} \| {number} \| {number} ",
    ):
        assert re.search(rf"^\| {row}\|$", printed, re.MULTILINE), (row, printed)
    timings = json.loads(json_path.read_text())
    assert len(timings["milliseconds"]["in batches"]["torch-fp32"]) == timings["rounds"] == 1


@pytest.mark.slow
def test_region_localisation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plane_phantoms(tmp_path, 2)
    region_localisation.main([str(BUNDLES / "soft_proposal"), str(tmp_path / "images"), "--count", "2"])
    printed = capsys.readouterr().out
    assert "resnet18 at [224, 224]: 12.35 M parameters, 1.79 GMAC" in printed
    for step in ("polar image", "network", "box", "frame to box"):
        assert re.search(LINE.format(step=step, count=2), printed, re.MULTILINE), printed


def test_each_round_times_everything_once_and_the_first_is_left_out() -> None:
    called: list[str] = []
    seconds = timed_in_turn({name: lambda name=name: called.append(name) for name in "abc"}, rounds=2)  # type: ignore[misc]
    assert called == [*"abc", *"bca", *"cab"]
    assert {name: len(values) for name, values in seconds.items()} == {"a": 2, "b": 2, "c": 2}


def test_ratios_are_of_the_same_round() -> None:
    assert median_ratio([2.0, 40.0, 9.0], [1.0, 10.0, 3.0]) == 3.0


def test_the_floor_has_each_step_once_and_the_fastest_network_of_all() -> None:
    steps = {name: [1.0, 2.0] for name in ("decode", "resize", "contour", "ellipse", "contour, ellipse and checks")}
    networks = {"network, 1 at once": {"a": [9.0, 9.0], "b": [5.0, 7.0]}, "network, 2 at once": {"a": [8.0, 3.0]}}
    assert floor_ms({"one by one": {"a": [1.0, 1.0]}, "steps": steps, **networks}) == [12.0, 11.0]


def test_the_first_times_are_left_out() -> None:
    stopwatch = Stopwatch(warm_up=2)
    assert [stopwatch.timed("step", lambda: "result") for _ in range(5)] == ["result"] * 5
    assert "(median of 3)" in stopwatch.report()
