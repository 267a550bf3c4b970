"""The results of one cine loop: its track, and the frame to report with its picture."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files import atomic_path
from fetal_monai.measurement.loop_track import perimeters_px, proposed_frame, smoothed_track
from fetal_monai.measurement.measure_frames import MeasuredFrame
from fetal_monai.reporting.head_overlay import draw_overlay
from fetal_monai.reporting.measurement_row import Row
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.picture_video import PictureVideo
from fetal_monai.reporting.report_files import frame_name, write_table

TRACK_COLUMNS = (
    "frame",
    "time_s",
    "status",
    "head_circumference_mm",
    "head_circumference_smoothed_mm",
    "perimeter_px",
    "perimeter_smoothed_px",
)
LOOP_COLUMNS = (
    "file",
    "frames",
    "frame_to_report",
    "head_circumference_mm",
    "head_circumference_smoothed_mm",
)


class LoopResults:
    """Collects the measurements of a loop, and writes its files when it ends.

    - ``loops/<name>_track.csv``: the measurement of each frame, and the track smoothed over time;
    - ``loops/<name>_report.png``: the frame to report, see `fetal_monai.measurement.loop_track.frame_to_report`;
    - ``overlays/<name>_overlay.mp4`` and ``masks/<name>_frame00000_mask.png``, ... on request.

    Args:
        folder: Folder to write to.
        source_dir: The folder that file names are relative to.
        first: The first frame of the loop.
        save: Some of "masks" and "overlays".

    Attributes:
        first: As given.
        file: The file of the loop.
        heads: The measurement of each frame.
        frame_to_report: The proposed frame, once the loop has ended; None if there is none.
    """

    def __init__(self, folder: Path, source_dir: Path, first: SourceFrame, *, save: Collection[str]) -> None:
        self.first = first
        self.file = first.file
        self.frame_to_report: int | None = None
        self.folder = folder
        self.source_dir = source_dir
        self.heads: dict[int, HeadMeasurement | FailedEstimate] = {}
        self.times_s: dict[int, float | None] = {}
        self.statuses: dict[int, str] = {}
        self._saves_masks = "masks" in save
        self._video = (
            PictureVideo(self._path("overlays", "_overlay", ".mp4"), first.frame_rate_hz)
            if "overlays" in save
            else None
        )

    def add(self, item: MeasuredFrame, mask: NDArray[np.bool_] | None, overlay: Image.Image | None) -> None:
        """Add a frame, with its mask (H, W) and its overlay if they are saved."""
        index, result = item.source.index, item.result
        self.heads[index] = result.head
        self.times_s[index] = item.source.time_s
        self.statuses[index] = result.status
        if self._video is not None and overlay is not None:
            self._video.add(overlay)
        if self._saves_masks and mask is not None:
            with atomic_path(self._path("masks", f"_frame{index:05d}_mask", ".png")) as temporary:
                Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)

    def finish(self) -> Row:
        """Write the files of the loop, and return its summary."""
        if self._video is not None:
            self._video.close()
        indices = list(self.heads)
        heads = list(self.heads.values())
        perimeters = perimeters_px(heads)
        sizes_mm = [head.head_circumference_mm if _is_scaled(head) else None for head in heads]
        smoothed_mm = smoothed_track(sizes_mm)
        statuses = list(self.statuses.values())
        write_table(
            self._path("loops", "_track", ".csv"),
            TRACK_COLUMNS,
            zip(
                indices,
                self.times_s.values(),
                statuses,
                sizes_mm,
                smoothed_mm.tolist(),
                perimeters,
                smoothed_track(perimeters).tolist(),
                strict=True,
            ),
        )
        summary: Row = {
            "file": frame_name(self.file, self.source_dir),
            "frames": len(indices),
            "frame_to_report": None,
        }
        self.frame_to_report = proposed = proposed_frame(self.heads, statuses)
        if proposed is None:
            return summary
        self._save_picture(proposed)
        place = indices.index(proposed)
        return summary | {
            "frame_to_report": proposed,
            "head_circumference_mm": sizes_mm[place],
            "head_circumference_smoothed_mm": _known(smoothed_mm[place]),
        }

    def discard(self) -> None:
        """Write nothing, after an interruption."""
        if self._video is not None:
            self._video.discard(KeyboardInterrupt())

    def _save_picture(self, index: int) -> None:
        """Decode the frame again: keeping all frames would fill the memory."""
        frame = next(frame for frame in open_cine(self.file) if frame.index == index)
        title = f"{self.file.name}, frame {index}"
        picture = draw_overlay(frame.pixels, None, self.heads[index], title, self.first.scale.source)
        with atomic_path(self._path("loops", "_report", ".png")) as temporary:
            picture.save(temporary)

    def _path(self, folder: str, ending: str, suffix: str) -> Path:
        return output_path(self.file, self.source_dir, self.folder / folder, ending, suffix)


def _is_scaled(head: HeadMeasurement | FailedEstimate) -> bool:
    return isinstance(head, HeadMeasurement) and head.pixel_spacing_mm is not None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
