"""The benchmarks run; what they measure is no test."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import head_measurement, region_localisation
from benchmarks.stopwatch import Stopwatch
from fetal_monai.phantom import write_phantoms, write_plane_phantoms

BUNDLES = Path(__file__).parents[2] / "bundles"
LINE = r"^{step} +\d+\.\d ms +\d+\.\d a second  \(median of {count}\)$"


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_head_measurement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_phantoms(tmp_path, count=2)
    overlay = ["--overlay", "size_128x64.json", "--repeats", "2", "--threads", "1"]
    head_measurement.main([str(BUNDLES / "bisenet"), str(tmp_path / "training_set"), *overlay])
    printed = capsys.readouterr().out
    assert "BiSeNet at (64, 128) (rows, columns): 11.90 M parameters, 0.38 GMAC" in printed
    for step in ("network", "file to measurement"):
        assert re.search(LINE.format(step=step, count=2), printed, re.MULTILINE), printed


@pytest.mark.slow
def test_region_localisation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plane_phantoms(tmp_path, 2)
    bundle = BUNDLES / "soft_proposal"
    region_localisation.main([str(bundle), str(tmp_path / "images"), "--count", "2", "--threads", "1"])
    printed = capsys.readouterr().out
    assert "resnet18 at [224, 224]: 12.35 M parameters, 1.79 GMAC" in printed
    for step in ("polar image", "network", "box", "frame to box"):
        assert re.search(LINE.format(step=step, count=2), printed, re.MULTILINE), printed


def test_the_first_times_are_left_out() -> None:
    stopwatch = Stopwatch(warm_up=2)
    assert [stopwatch.timed("step", lambda: "result") for _ in range(5)] == ["result"] * 5
    assert "(median of 3)" in stopwatch.report()
