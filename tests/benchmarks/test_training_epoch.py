import json
import re
from pathlib import Path

import pytest

from benchmarks import training_epoch
from fetal_monai.phantom import demonstration_dataset

BISENET = Path(__file__).parents[2] / "bundles" / "bisenet"


@pytest.mark.slow
def test_an_epoch_is_timed_with_and_without_its_data_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = demonstration_dataset(tmp_path / "phantoms", count=12)
    written = tmp_path / "epoch.json"
    options = ["--bundle", str(BISENET), "--frames", "4", "--rounds", "1", "--spatial-size", "64", "96"]
    training_epoch.main([str(dataset), *options, "--json", str(written)])
    timings = json.loads(written.read_text())
    assert {name: len(seconds) for name, seconds in timings["seconds"].items()} == {"epoch": 1, "compute": 1, "data": 1}
    assert (timings["frames"], timings["batch_size"], timings["spatial_size"]) == (4, 4, [64, 96])
    printed = capsys.readouterr().out
    assert "bisenet: 4 frames of 64 x 96 in batches of 4" in printed
    assert re.search(r"^epoch / compute: \d+\.\d{3}$", printed, re.MULTILINE)
