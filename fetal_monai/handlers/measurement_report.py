"""The results of an inference: one row per file, measured or not."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data import FrameCollection
from fetal_monai.data.frame_failure import FAILURE, failure_reason
from fetal_monai.data.frame_files import natural_key
from fetal_monai.reporting.growing_table import GrowingTable
from fetal_monai.reporting.measurement_row import (
    MEASUREMENT_COLUMNS,
    SUBMISSION_COLUMNS,
    Row,
    failed_row,
    measurement_row,
    submission_row,
)
from fetal_monai.reporting.report_files import frame_name

logger = logging.getLogger(__name__)


class MeasurementReport:
    """Writes ``measurements.csv`` and ``hc18_submission.csv``, the tables of an inference.

    ``measurements.csv`` has one row for every file of the collection, in its order. ``frame`` is 0, as for stills in
    the table of `RegionTable`. ``status`` is

    - ``measured``;
    - ``unscaled``: there is an ellipse, but the pixel spacing is unknown, so there are no values in mm; ``reason`` says
      why;
    - ``check``: measured, with or without a spacing, but a figure of its quality is poor: look at the overlay.
      ``reason`` says which. It need not be a head, or not the whole of it;
    - ``failed``: the file could not be read, no head was found, or the results could not be written; ``reason`` says
      which.

    ``ellipse_overlap``, ``visible_outline`` and ``mean_probability`` are those of `MeasurementQuality`.

    ``gestational_age`` is the one to use, and ``gestational_age_basis`` where it comes from and why, see
    `date_pregnancy`. A gestational age outside its standard's range is left empty, with the reason. The centile is that
    of the HC at the gestational age known from a dating scan (the collection's table); without one it is empty, since
    an age derived from the same HC would be circular.

    The patient and the study that a DICOM file states are personal data. They are in ``measurements.csv`` and nowhere
    else: do not log this table to a tracker. ``hc18_submission.csv`` holds the measured frames in the form of the HC18
    challenge (https://hc18.grand-challenge.org).

    Rows are appended after each batch, so that an interrupted run keeps them; a completed run sorts them in the order
    of the files. See `GrowingTable`.

    Attach it to an engine with a `FrameDataset` and, as post-processing, an `IsolateFrame` with `MeasureHeadd`.
    Inference must run in a single process: under several ranks the rows of the others would be lost, so that is an
    error.

    Args:
        collection: The frames that are measured and the files that are not, from `collect_frames`.
        output_dir: Folder to write to.
        key: The masks' key: their measurements are under ``<key>_head``.
        csv_format: How ``measurements.csv`` is written, one of `fetal_monai.files.csv_format.CSV_FORMATS`.

    Raises:
        ValueError: There is no such format.
    """

    def __init__(
        self, collection: FrameCollection, *, output_dir: str | Path, key: str = "pred", csv_format: str = "plain"
    ) -> None:
        self.collection = collection
        self.key = key
        table = Path(output_dir) / "measurements.csv"
        self.measurements = GrowingTable(table, MEASUREMENT_COLUMNS, csv_format)
        self.submission = GrowingTable(Path(output_dir) / "hc18_submission.csv", SUBMISSION_COLUMNS)
        self._known = {frame["image"]: frame for frame in collection.frames}
        self._rejected_before = self._reported = len(collection.rejected)

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator that runs the inference.

        Raises:
            RuntimeError: The inference runs under several ranks.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("MeasurementReport works in one process; run the inference without torchrun.")
        engine.add_event_handler(Events.STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add_batch)
        # Where frames were left out there are fewer than expected: the engine would begin with the first ones again.
        engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, lambda engine: engine.terminate_epoch())
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def clear(self, engine: Engine) -> None:
        """Start the tables with the rejected files."""
        del self.collection.rejected[self._rejected_before :]  # what an earlier run left out
        self._reported = 0
        self.measurements.start()
        self.submission.start()
        self._add_rejected()

    def add_batch(self, engine: Engine) -> None:
        """Add the rows of the decollated items in ``engine.state.output``, and of the files rejected meanwhile."""
        self._add_rejected()
        for item in engine.state.output:
            file = item["image"].meta["filename_or_obj"]
            row, submitted = self._rows(item, file)
            self.measurements.add([self._place(file) | {"frame": 0} | row])
            if submitted:
                self.submission.add([{"filename": self._name(file)} | submitted])

    def finish(self, engine: Engine) -> None:
        """Put the tables in order, and log how many files were measured, as metrics of the engine too."""
        self._add_rejected()
        self.measurements.finish(lambda row: natural_key(row["file"]))
        self.submission.finish(lambda row: natural_key(row["filename"]))
        statuses = [row["status"] for row in self.measurements.rows]
        counts = {f"frames_{status}": statuses.count(status) for status in ("measured", "check", "unscaled", "failed")}
        engine.state.metrics.update(counts)
        logger.info(
            "Measured %d frames; %d to check, %d without pixel spacing, %d failed. Table: %s",
            *counts.values(),
            self.measurements.path,
        )

    def _add_rejected(self) -> None:
        rejected = self.collection.rejected[self._reported :]
        self._reported += len(rejected)
        self.measurements.add(self._place(each.file) | failed_row(each.reason) for each in rejected)

    def _rows(self, item: Mapping[str, Any], file: str) -> tuple[Row, Row]:
        """The frame's row of either table, which is empty where the frame is not submitted."""
        if FAILURE in item:
            return failed_row(item[FAILURE]), {}
        head = item[f"{self.key}_head"]
        scaled = isinstance(head, HeadMeasurement) and head.pixel_spacing_mm is not None
        try:
            known = self._known[file]
            age = known["gestational_age_days"]
            row = measurement_row(
                head,
                known_age_days=None if math.isnan(age) else age,
                spacing_source=known["pixel_spacing_source"],
            )
            return row, submission_row(head) if scaled else {}
        except Exception as error:  # of figures that are out of all bounds
            return failed_row(failure_reason(error, file)), {}

    def _place(self, file: str | Path) -> Row:
        return {"file": self._name(file), **self.collection.studies.get(str(file), {})}

    def _name(self, file: str | Path) -> str:
        return frame_name(file, self.collection.source_dir)
