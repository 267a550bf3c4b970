"""The results of an inference: one row per file, measured or not."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import ignite.distributed as idist
from ignite.engine import Engine, Events

from fetal_monai.biometry import (
    HeadMeasurement,
    OutOfRangeError,
    format_gestational_age,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
    intergrowth_head_circumference_centile,
)
from fetal_monai.data import FrameCollection
from fetal_monai.data.frame_failure import FAILURE, failure_reason
from fetal_monai.data.frame_files import natural_key
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.reporting.growing_table import GrowingTable
from fetal_monai.reporting.report_files import frame_name

logger = logging.getLogger(__name__)

MEASUREMENT_COLUMNS = (
    "file",
    "status",
    "reason",
    "pixel_spacing_row_mm",
    "pixel_spacing_column_mm",
    "pixel_spacing_source",
    "center_x_px",
    "center_y_px",
    "semi_axis_a_px",
    "semi_axis_b_px",
    "angle_rad",
    "head_circumference_mm",
    "biparietal_diameter_mm",
    "occipitofrontal_diameter_mm",
    "gestational_age_hadlock_days",
    "gestational_age_hadlock",
    "gestational_age_intergrowth_days",
    "gestational_age_intergrowth",
    "known_gestational_age_days",
    "head_circumference_centile",
)
SUBMISSION_COLUMNS = ("filename", "center_x_mm", "center_y_mm", "semi_axes_a_mm", "semi_axes_b_mm", "angle_rad")

Row: TypeAlias = dict[str, str]


class MeasurementReport:
    """Writes ``measurements.csv`` and ``hc18_submission.csv``, the tables of an inference.

    ``measurements.csv`` has one row for every file of the collection, in its order. ``status`` is

    - ``measured``;
    - ``unscaled``: there is an ellipse, but the pixel spacing is unknown, so there are no values in mm; ``reason`` says
      why;
    - ``failed``: the file could not be read, no head was found, or the results could not be written; ``reason`` says
      which.

    A gestational age outside its standard's range is left empty, with the reason. The centile is that of the HC at
    the gestational age known from a dating scan (the collection's table); without one it is empty, since an age
    derived from the same HC would be circular. ``hc18_submission.csv`` holds the measured frames in the form of the
    HC18 challenge (https://hc18.grand-challenge.org).

    Rows are appended after each batch, so that an interrupted run keeps them; a completed run sorts them in the order
    of the files. See `GrowingTable`.

    Attach it to an engine with a `FrameDataset` and, as post-processing, an `IsolateFrame` with `MeasureHeadd`.
    Inference must run in a single process: under several ranks the rows of the others would be lost, so that is an
    error.

    Args:
        collection: The frames that are measured and the files that are not, from `collect_frames`.
        output_dir: Folder to write to.
        key: The masks' key: their measurements are under ``<key>_head``.
    """

    def __init__(self, collection: FrameCollection, output_dir: str | Path, key: str = "pred") -> None:
        self.collection = collection
        self.key = key
        self.measurements = GrowingTable(Path(output_dir) / "measurements.csv", MEASUREMENT_COLUMNS)
        self.submission = GrowingTable(Path(output_dir) / "hc18_submission.csv", SUBMISSION_COLUMNS)
        self._known = {frame["image"]: frame for frame in collection.frames}
        self._rejected_before = self._reported = len(collection.rejected)

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator that runs the inference, and write the rejected files' rows.

        This is done here and not at the start, because MONAI skips the run if no frame is left.

        Raises:
            RuntimeError: The inference runs under several ranks.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("MeasurementReport works in one process; run the inference without torchrun.")
        self.clear(engine)
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
            name = self._name(file)
            row, submitted = self._rows(item, file)
            self.measurements.add([{"file": name} | row])
            if submitted:
                self.submission.add([{"filename": name} | submitted])

    def finish(self, engine: Engine) -> None:
        """Put the tables in order, and log how many files were measured, as metrics of the engine too."""
        self._add_rejected()
        self.measurements.finish(lambda row: natural_key(row["file"]))
        self.submission.finish(lambda row: natural_key(row["filename"]))
        statuses = [row["status"] for row in self.measurements.rows]
        counts = {f"frames_{status}": statuses.count(status) for status in ("measured", "unscaled", "failed")}
        engine.state.metrics.update(counts)
        logger.info(
            "Measured %d frames; %d without pixel spacing, %d failed. Table: %s",
            *counts.values(),
            self.measurements.path,
        )

    def _add_rejected(self) -> None:
        rejected = self.collection.rejected[self._reported :]
        self._reported += len(rejected)
        self.measurements.add({"file": self._name(each.file)} | _failed_row(each.reason) for each in rejected)

    def _rows(self, item: Mapping[str, Any], file: str) -> tuple[Row, Row]:
        """The frame's row of either table, which is empty where the frame is not submitted."""
        if FAILURE in item:
            return _failed_row(item[FAILURE]), {}
        head = item[f"{self.key}_head"]
        scaled = isinstance(head, HeadMeasurement) and head.pixel_spacing_mm is not None
        try:
            known = self._known[file]
            row = _row(head, known["gestational_age_days"], known["pixel_spacing_source"])
            return row, _submission_row(head) if scaled else {}
        except Exception as error:  # of figures that are out of all bounds
            return _failed_row(failure_reason(error, file)), {}

    def _name(self, file: str | Path) -> str:
        return frame_name(file, self.collection.source_dir)


def _failed_row(reason: str) -> Row:
    return {"status": "failed", "reason": reason}


def _row(head: HeadMeasurement | FailedEstimate, known_age_days: float, spacing_source: str) -> Row:
    known = {} if math.isnan(known_age_days) else {"known_gestational_age_days": _number(known_age_days)}
    if not isinstance(head, HeadMeasurement):
        return _failed_row(head.reason) | known
    ellipse = head.ellipse_px
    row = known | {
        "center_x_px": _number(ellipse.center_x),
        "center_y_px": _number(ellipse.center_y),
        "semi_axis_a_px": _number(ellipse.semi_axis_a),
        "semi_axis_b_px": _number(ellipse.semi_axis_b),
        "angle_rad": _number(ellipse.angle_rad),
    }
    if head.pixel_spacing_mm is None:
        return row | {
            "status": "unscaled",
            "reason": f"pixel spacing unknown: {_why_unscaled(head)}",
        }
    row_spacing, column_spacing = head.pixel_spacing_mm
    sizes = {
        "status": "measured",
        "pixel_spacing_row_mm": _number(row_spacing),
        "pixel_spacing_column_mm": _number(column_spacing),
        "pixel_spacing_source": spacing_source,
        "head_circumference_mm": _number(head.head_circumference_mm),
        "biparietal_diameter_mm": _number(head.biparietal_diameter_mm),
        "occipitofrontal_diameter_mm": _number(head.occipitofrontal_diameter_mm),
    }
    return row | sizes | _growth(head.head_circumference_mm, known_age_days)


def _why_unscaled(head: HeadMeasurement) -> str:
    how_to = "give it by the option pixel_spacing_mm or in a table"
    return f"{head.unscaled_reason}; {how_to}, with override_pixel_spacing" if head.unscaled_reason else how_to


def _growth(head_circumference_mm: float, known_age_days: float) -> Row:
    """Gestational ages and centile; what is out of its standard's range is left out, with the reason."""
    cells: Row = {}
    reasons = []
    standards: dict[str, Callable[[float], float]] = {
        "gestational_age_hadlock": hadlock_gestational_age_days,
        "gestational_age_intergrowth": intergrowth_gestational_age_days,
    }
    for column, standard in standards.items():
        try:
            days = standard(head_circumference_mm)
        except OutOfRangeError as error:
            reasons.append(str(error))
        else:
            cells |= {f"{column}_days": f"{days:.1f}", column: format_gestational_age(days)}
    if not math.isnan(known_age_days):
        try:
            centile = intergrowth_head_circumference_centile(head_circumference_mm, known_age_days)
            cells["head_circumference_centile"] = f"{centile:.1f}"
        except OutOfRangeError as error:
            reasons.append(str(error))
    return cells | {"reason": " ".join(reasons)}


def _submission_row(head: HeadMeasurement) -> Row:
    ellipse = head.ellipse_mm
    values = (ellipse.center_x, ellipse.center_y, ellipse.semi_axis_a, ellipse.semi_axis_b, ellipse.angle_rad)
    return {column: f"{value:.6f}" for column, value in zip(SUBMISSION_COLUMNS[1:], values, strict=True)}


def _number(value: float) -> str:
    return f"{value:.6g}"
