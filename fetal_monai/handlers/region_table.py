"""The results of an inference: one row per frame, and the frame rate."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events

from fetal_monai.data import FrameStream
from fetal_monai.data.frame_failure import FAILURE
from fetal_monai.data.frame_files import natural_key
from fetal_monai.geometry import Box
from fetal_monai.reporting.growing_table import GrowingTable
from fetal_monai.reporting.report_files import frame_name

logger = logging.getLogger(__name__)


class RegionTable:
    """Writes ``regions.csv``, the table of an inference, and reports the frame rate.

    ``regions.csv`` has one row per frame, in natural order of the files: ``file``, ``frame`` (its place in a cine
    loop), ``time_s``, ``status``, ``reason``, ``region`` (the winning class), ``score_<class>`` (sigmoid of the logit),
    the box in px of the frame (``x_min`` ... ``y_max``, see `Box`), ``geometry`` ("sector", "polar" or "unknown"),
    ``geometry_origin`` and ``geometry_confidence``. ``status`` is

    - ``localised``;
    - ``background``: no region is in sight;
    - ``no box``: a region is in sight, but nothing stands out in its response; ``reason`` says why;
    - ``failed``: the file, or the rest of it, could not be read, or the result could not be drawn; ``reason`` says
      why.

    Rows are appended after each batch, so that an interrupted run keeps them, and sorted when it completes, see
    `GrowingTable`. ``engine.state.metrics["frames_per_second"]`` covers what a live display would wait for: decoding,
    polar image, network and box, from the second frame on. Handlers attached after this one, such as drawing, are not
    included, so attach it first.

    Args:
        stream: Where the frames come from; its rejected files are rows.
        output_dir: The folder to write to.
        class_names: In the order of the network's outputs.
        background: The class that is no region.
        key: Key of the logits, see `LocaliseRegiond`.
        geometry_key: Where `FrameGeometryd` put the frames' geometry.
        csv_format: How the table is written, one of `fetal_monai.files.csv_format.CSV_FORMATS`.

    Raises:
        ValueError: There is no such format.
    """

    def __init__(
        self,
        stream: FrameStream,
        *,
        output_dir: str | Path,
        class_names: Sequence[str],
        background: str = "background",
        key: str = "pred",
        geometry_key: str = "geometry",
        csv_format: str = "plain",
    ) -> None:
        self.stream = stream
        self.class_names = list(class_names)
        self.background = background
        self.key = key
        self.geometry_key = geometry_key
        columns = (
            *("file", "frame", "time_s", "status", "reason", "region"),
            *(f"score_{name}" for name in self.class_names),
            *Box._fields,
            *("geometry", "geometry_origin", "geometry_confidence"),
        )
        self.table = GrowingTable(Path(output_dir) / "regions.csv", columns, csv_format)

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator that runs the inference.

        Raises:
            RuntimeError: The inference runs under several ranks.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("RegionTable works in one process; run the inference without torchrun.")
        engine.add_event_handler(Events.STARTED, self.clear)
        engine.add_event_handler(Events.GET_BATCH_STARTED, self.start_clock)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add_batch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.state_rate)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def clear(self, engine: Engine) -> None:
        """Start an empty table."""
        self.table.start()
        self._reported = 0  # of the rejected files
        self._busy_s, self._timed_frames, self._frames = 0.0, 0, 0
        self._started_s = time.perf_counter()

    def start_clock(self, engine: Engine) -> None:
        """Record when the reading of a frame starts."""
        self._started_s = time.perf_counter()

    def add_batch(self, engine: Engine) -> None:
        """Add the rows of a batch."""
        now_s = time.perf_counter()
        if self._frames:  # the first frame also includes the setup
            self._busy_s += now_s - self._started_s
            self._timed_frames += len(engine.state.output)
        self._add_rejected()
        for known, predicted in zip(engine.state.batch, engine.state.output, strict=True):
            self.table.add([self._row({**known, **predicted})])
            self._frames += 1

    def state_rate(self, engine: Engine) -> None:
        """Add the frame rate to the engine's metrics."""
        rate_hz = self._timed_frames / self._busy_s if self._timed_frames else math.nan
        engine.state.metrics["frames_per_second"] = rate_hz

    def finish(self, engine: Engine) -> None:
        """Sort the table, and log its counts, which become metrics of the engine too, and the frame rate."""
        self._add_rejected()
        # Of one file the frames that were read, then why the others were not.
        self.table.finish(lambda row: (natural_key(row["file"]), row["status"] == "failed"))
        statuses = [row["status"] for row in self.table.rows]
        counts = {status: statuses.count(status) for status in ("localised", "background", "no box", "failed")}
        engine.state.metrics.update({f"frames_{status.replace(' ', '_')}": count for status, count in counts.items()})
        logger.info(
            "%d frames: %d localised, %d background, %d without a box; %d files or frames failed. From file to box "
            "%.1f frames a second. Table: %s",
            self._frames,
            *counts.values(),
            engine.state.metrics["frames_per_second"],
            self.table.path,
        )

    def _add_rejected(self) -> None:
        rejected = self.stream.rejected[self._reported :]
        self._reported += len(rejected)
        self.table.add({"file": self._name(each.file), "status": "failed", "reason": each.reason} for each in rejected)

    def _row(self, item: Mapping[str, Any]) -> dict[str, Any]:
        place = {
            "file": self._name(item["image"].meta["filename_or_obj"]),
            "frame": int(item["frame"]),
            "time_s": float(item["time_s"]),
        }
        if FAILURE in item:
            return {**place, "status": "failed", "reason": item[FAILURE]}
        region, box, record = item[f"{self.key}_region"], item[f"{self.key}_box"], item[self.geometry_key]
        if isinstance(box, Box):
            status, reason = "localised", ""
        else:
            status, reason = ("background" if region == self.background else "no box"), box.reason
        scores = torch.sigmoid(item[self.key]).tolist()
        return {
            **place,
            "status": status,
            "reason": reason,
            "region": region,
            **{f"score_{name}": score for name, score in zip(self.class_names, scores, strict=True)},
            **(box._asdict() if isinstance(box, Box) else {}),
            "geometry": record["kind"],
            "geometry_origin": record["origin"],
            "geometry_confidence": float(record["confidence"]),
        }

    def _name(self, file: str | Path) -> str:
        return frame_name(file, self.stream.source_dir)
