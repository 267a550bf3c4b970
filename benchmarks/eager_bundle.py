"""A bundle's own inference, as `python -m monai.bundle run` runs it, in steady state."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from benchmarks.workload import Workload


class EagerBundle:
    """The evaluator of a bundle's inference config on the CPU. Calling it measures all frames.

    What a run does once is left out: imports, weights, the search for files, and the record in MLflow.

    Args:
        root: The bundle's folder.
        frames: What is measured.
        output_dir: Folder for the tables, masks and overlays.
        last_step: Name of the transform with which post-processing ends; None for all that the config says.
    """

    def __init__(self, root: Path, frames: Workload, output_dir: Path, last_step: str | None = None) -> None:
        config = ConfigParser()
        config.read_config(root / "configs" / "inference.json")
        config.update(
            {
                "bundle_root": str(root),
                "dataset_dir": str(frames.folder),
                "table": None if frames.table is None else str(frames.table),
                "output_dir": str(output_dir),
                "device": "$torch.device('cpu')",
                "handlers": [step for step in config["handlers"] if _name(step) == "MeasurementReport"],
            }
        )
        if last_step is not None:
            steps = config["postprocessing#transforms"]
            config["postprocessing#transforms"] = steps[: 1 + [_name(step) for step in steps].index(last_step)]
        collection = config.get_parsed_content("collection")
        repeats = 1 + frames.count // len(collection.frames)
        collection.frames[:] = (collection.frames * repeats)[: frames.count]
        self._evaluator = config.get_parsed_content("evaluator")
        self._table = output_dir / "measurements.csv"

    def __call__(self) -> None:
        """Measure all frames."""
        self._evaluator.run()

    def head_circumferences_mm(self) -> dict[str, float]:
        """HC by the file's name, of the last call."""
        with self._table.open(newline="", encoding="utf-8") as file:
            return {
                row["file"]: float(row["head_circumference_mm"])
                for row in csv.DictReader(file)
                if row["head_circumference_mm"]
            }


def _name(step: dict[str, Any]) -> str:
    return str(step["_target_"].rpartition(".")[2])
