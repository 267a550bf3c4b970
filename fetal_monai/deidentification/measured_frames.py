"""Which frames a measurement found a head on, and their masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.frame_source import FrameSource, SourceFrame
from fetal_monai.data.io.mask_file import mask_suffix
from fetal_monai.data.io.reading import read_frame
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.report_files import frame_name


class MeasuredFrames:
    """The results of `fetal-monai measure` on some files: the stills with a head, and of each loop the frame to report.

    Args:
        results: Its output folder.
        source: The files.

    Raises:
        FileNotFoundError: The folder has no results of a complete run.
        ValueError: They cannot be read, or are about other files.
    """

    def __init__(self, results: Path, source: FrameSource) -> None:
        table = results / "measurements.json"
        if not table.is_file():
            raise FileNotFoundError(f"{table}: no such file; give the output folder of `fetal-monai measure`.")
        try:
            content = json.loads(table.read_text(encoding="utf-8"))
            loops = {row["file"]: row.get("frame_to_report") for row in content["loops"]}
            self._frames = {
                (row["file"], row.get("frame"))
                for row in content["measurements"]
                if row["status"] != "failed" and row.get("frame") == loops.get(row["file"], 0)
            }
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{table}: not the results of `fetal-monai measure`; measure again.") from error
        self._masks, self._source_dir = results / "masks", source.source_dir
        measured = {row["file"] for row in content["measurements"]}
        if not any(frame_name(file, source.source_dir) in measured for file in source.files):
            raise ValueError(f"{table}: is about other files; give the PATHs that were measured.")

    def __contains__(self, item: SourceFrame) -> bool:
        return (frame_name(item.file, self._source_dir), item.index) in self._frames

    def mask(self, item: SourceFrame) -> NDArray[np.bool_] | None:
        """The mask (H, W) of a frame; None if none was saved.

        Raises:
            FrameError: It cannot be read.
        """
        if item.is_still:
            ending, suffix = "_mask", mask_suffix(item.file)
        else:
            ending, suffix = f"_frame{item.index:05d}_mask", ".png"
        path = output_path(item.file, self._source_dir, self._masks, ending, suffix)
        return read_frame(path).pixels > 0 if path.exists() else None
