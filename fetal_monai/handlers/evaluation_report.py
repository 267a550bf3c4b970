"""The results of an evaluation: one row per image, and the means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from tqdm import tqdm

from fetal_monai.reporting.report_files import summary_table, write_summary, write_table


class EvaluationReport:
    """Writes `per_image.csv` and `summary.json`, and prints the summary as a table.

    Attach it after the metrics. It takes each metric's value per image from `engine.state.metric_details` and its
    mean from `engine.state.metrics`, under the metrics' own names.

    Args:
        output_dir: Folder for the two files.
        facts: Further entries of the summary, such as the section evaluated and the network's cost.
    """

    def __init__(self, output_dir: str | Path, facts: dict[str, Any] | None = None) -> None:
        self.output_dir = Path(output_dir)
        self.facts = facts or {}
        self.images: list[str] = []

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.note_images)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def clear(self, engine: Engine) -> None:
        """Forget the images of an earlier run."""
        self.images = []

    def note_images(self, engine: Engine) -> None:
        """Record the batch's file names, in the order of the metrics' values."""
        self.images += [Path(item["image"].meta["filename_or_obj"]).name for item in engine.state.output]

    def write(self, engine: Engine) -> None:
        """Write both files and print the summary."""
        details = {name: values.flatten().tolist() for name, values in engine.state.metric_details.items()}
        write_table(
            self.output_dir / "per_image.csv",
            ["image", *details],
            zip(self.images, *details.values(), strict=True),
        )
        summary = {**self.facts, "images": len(self.images), **engine.state.metrics}
        write_summary(self.output_dir / "summary.json", summary)
        tqdm.write(f"\n{summary_table(summary)}\nper image: {self.output_dir / 'per_image.csv'}")
