"""Pictures of an inference: a PNG of each still frame, a video of each cine loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.utils import convert_to_numpy
from PIL import Image

from fetal_monai.data import FrameStream, Rejected
from fetal_monai.data.frame_failure import FAILURE, failure_reason
from fetal_monai.files import atomic_path
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.picture_video import PictureVideo
from fetal_monai.reporting.region_overlay import draw_region_overlay


class RegionOverlays:
    """Writes an overlay of each frame, see `draw_region_overlay`.

    A still gives ``<name>_overlay.png``, a cine loop ``<name>_overlay.mp4`` (H.264) at the loop's own rate, 25 frames a
    second where it states none. A video appears when its loop has ended. A file whose pictures cannot be drawn or
    written is recorded in the stream's `rejected`, and the run continues.

    Items hold ``image`` (its meta data name the file), the frame itself under `frame_key`, ``frame``, ``time_s``,
    ``loop`` and ``frame_rate_hz`` (see `FrameStream`), and what `LocaliseRegiond` adds; ``<key>_heat`` is on the
    frame's own pixel grid (`PolarToSectord`). Attach `RunTracker` after this handler: an error that ends the run is
    raised again there.

    Args:
        stream: Where the frames come from; the subfolders of its folder are recreated below `output_dir`.
        output_dir: The folder to write to.
        class_names: In the order of the network's outputs.
        key: Key of the logits.
        frame_key: The frame as it was read, (1, H, W).
        geometry_key: Where `FrameGeometryd` put the frame's geometry.
    """

    def __init__(
        self,
        stream: FrameStream,
        *,
        output_dir: str | Path,
        class_names: Sequence[str],
        key: str = "pred",
        frame_key: str = "frame_pixels",
        geometry_key: str = "geometry",
    ) -> None:
        self.stream = stream
        self.output_dir = Path(output_dir)
        self.class_names = list(class_names)
        self.key = key
        self.frame_key = frame_key
        self.geometry_key = geometry_key
        self._file: str | None = None
        self._failed = False
        self._video: PictureVideo | None = None

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator that runs the inference."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.draw_batch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.end_loop)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self.end_loop)

    def draw_batch(self, engine: Engine) -> None:
        """Draw the frames of a batch."""
        for known, predicted in zip(engine.state.batch, engine.state.output, strict=True):
            item = {**known, **predicted}
            file = str(item["image"].meta["filename_or_obj"])
            if file != self._file:
                self.end_loop(engine)
                self._file, self._failed = file, False
            if self._failed or FAILURE in item:
                continue
            try:
                self._draw(item, file)
            except Exception as error:  # whatever it is, it must not end the batch
                self._reject(file, error)

    def end_loop(self, engine: Engine, *_: Any) -> None:
        """Finish the video of the loop that has ended."""
        video, file = self._video, self._file
        self._video = self._file = None
        if video is not None and file is not None:
            try:
                video.close()
            except Exception as error:
                self._reject(file, error)

    def _draw(self, item: Mapping[str, Any], file: str) -> None:
        picture = self._picture(item, file)
        if not item["loop"]:
            with atomic_path(self._path(file, ".png")) as temporary:
                picture.save(temporary)
            return
        if self._video is None:
            rate_hz = float(item["frame_rate_hz"])
            self._video = PictureVideo(self._path(file, ".mp4"), None if math.isnan(rate_hz) else rate_hz)
        self._video.add(picture)

    def _reject(self, file: str, error: Exception) -> None:
        """Note why a file has no pictures, and leave out the rest of it."""
        self._failed = True
        if self._video is not None:
            self._video.discard(error)
            self._video = None
        self.stream.rejected.append(Rejected(Path(file), f"no picture: {failure_reason(error, file)}"))

    def _path(self, file: str, suffix: str) -> Path:
        return output_path(file, self.stream.source_dir, self.output_dir, "_overlay", suffix)

    def _picture(self, item: Mapping[str, Any], file: str) -> Image.Image:
        record, scores = item[self.geometry_key], torch.sigmoid(item[self.key]).tolist()
        kind, origin = str(record["kind"]), str(record["origin"])
        sector = "sector unknown" if kind == "unknown" else f"{kind} by {origin}"
        if origin == "estimate" and kind != "unknown":
            sector += f" ({float(record['confidence']):.2f})"
        place = [f"frame {int(item['frame'])}"] if item["loop"] else []
        if not math.isnan(float(item["time_s"])):
            place.append(f"{float(item['time_s']):.2f} s")
        row, column = (float(length) for length in item["image"].meta["pixel_spacing_mm"])
        return draw_region_overlay(
            convert_to_numpy(item[self.frame_key])[0],
            convert_to_numpy(item[f"{self.key}_heat"])[0],
            item[f"{self.key}_box"],
            item[f"{self.key}_region"],
            dict(zip(self.class_names, scores, strict=True)),
            [Path(file).name, *place, sector],
            None if math.isnan(row) or math.isnan(column) else (row, column),
        )
