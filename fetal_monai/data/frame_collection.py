"""Collect the frames to measure from a file or folder, and the files that cannot be measured."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from fetal_monai.data.frame_files import frame_files, natural_key
from fetal_monai.data.frame_scale import FrameScale, FrameScales
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import blank_pixels
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.rejected import Rejected
from fetal_monai.data.unusable_names import unusable_names
from fetal_monai.geometry import ultrasound_regions_to_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameCollection:
    """The frames to measure.

    Attributes:
        frames: One dictionary per frame, in natural order of the files: ``image`` (path as str),
            ``pixel_spacing_mm`` ([row, column], NaN when unknown or not the same all over the frame),
            ``ultrasound_regions`` (those of the header, if their spacing is used, see
            `fetal_monai.geometry.ultrasound_regions_to_text`), ``pixel_spacing_source`` ("header", "table", "option",
            or "" when unknown), ``gestational_age_days`` (NaN when unknown).
        rejected: Files and table rows that cannot be measured, in natural order, followed by those that a
            `FrameDataset` leaves out during the run.
        source_dir: The folder that file names are relative to.
        studies: The patient and the study of each DICOM frame by its ``image``, see
            `fetal_monai.data.io.dicom_study.read_study`. These are personal data: they are not part of `frames`, so
            that no transform, log or tracker receives them, and `repr` does not show them.
    """

    frames: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    source_dir: Path = Path()
    studies: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def collect_frames(
    source: str | Path,
    pixel_spacing_mm: float | Sequence[float] | None = None,
    table: str | Path | None = None,
    override_pixel_spacing: bool = False,
) -> FrameCollection:
    """Collect the frames in a file or folder, each with its pixel spacing.

    Every frame is opened once: a damaged one is reported, and the batch continues without it. In a folder, hidden
    files, HC18's annotations (``*_Annotation``), masks and overlays of an earlier run (``*_mask``, ``*_overlay``) and
    files of other kinds are skipped, and their number is logged. A single file given as `source` is never skipped.

    Args:
        source: One file, or a folder that is searched with all its subfolders.
        pixel_spacing_mm: Spacing of the frames for which neither header nor table states one, see `FrameScales`.
        table: CSV with a row for each frame, see `FrameScales`.
        override_pixel_spacing: Table and option win over the header, see `FrameScales`.

    Returns:
        The frames and the rejected files. A frame without a spacing is not rejected: its spacing is NaN. A frame with
        an implausible spacing (see `PLAUSIBLE_PIXEL_SIZE_MM`) is rejected: its header is wrong, and the true spacing
        cannot be guessed.

    Raises:
        FileNotFoundError: `source` or `table` does not exist.
        ValueError: `pixel_spacing_mm` is not a spacing, the table lacks a column, or the folder contains no frames.
        TypeError: `override_pixel_spacing` is not a bool, for example the string "true".
    """
    scales = FrameScales(pixel_spacing_mm=pixel_spacing_mm, table=table, override_pixel_spacing=override_pixel_spacing)
    source = Path(source).expanduser()
    if source.is_file():
        source_dir, files = source.parent, [source]
    elif source.is_dir():
        source_dir, files = source, frame_files(source)
    else:
        raise FileNotFoundError(f"{source}: no such file or folder; give the frame or the folder of frames to measure.")
    rejected = scales.match(files, source_dir)
    if source.is_file():
        rejected = []  # The table may well cover more than the one frame asked for.

    frames, studies = [], {}
    unusable = unusable_names(files, source_dir)
    with logging_redirect_tqdm():
        for file in tqdm(files, desc="Reading frames", unit="frame", disable=len(files) < 2):
            try:
                if file in unusable:
                    raise FrameError(unusable[file])
                frame = read_frame(file)
                if problem := blank_pixels(frame.pixels):
                    raise FrameError(f"{problem} Export the frame again.")
                scale = scales.of(file, frame)
            except (FrameError, OSError) as error:
                rejected.append(Rejected(file, str(error).removeprefix(f"{file}: ")))
            else:
                frames.append({"image": str(file), **_items(scale)})
                studies[str(file)] = frame.study
    rejected.sort(key=lambda each: natural_key(each.file))
    for each in rejected:
        logger.warning("%s", each)
    return FrameCollection(frames, rejected, source_dir, studies)


def _items(scale: FrameScale) -> dict[str, Any]:
    """The scale in types that MONAI collates."""
    age = scale.gestational_age_days
    return {
        "pixel_spacing_mm": list(scale.pixel_spacing_mm or (math.nan, math.nan)),
        "ultrasound_regions": ultrasound_regions_to_text(scale.ultrasound_regions),
        "pixel_spacing_source": scale.source,
        "gestational_age_days": math.nan if age is None else age,
    }
