"""From what the user names, a file or a folder, to the frames to measure and the files that cannot be."""

from __future__ import annotations

import logging
import math
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from fetal_monai.data.csv_table import Row, read_csv_table
from fetal_monai.data.file_name import composed, listed_name
from fetal_monai.data.frame import FRAME_SUFFIXES, Frame, FrameError, Spacing, frame_suffix, read_frame

__all__ = ["Intake", "Rejected", "frame_files", "natural_key", "take_in"]

logger = logging.getLogger(__name__)

FILENAME_COLUMN = "filename"
SPACING_COLUMNS = ("pixel size(mm)", "pixel_spacing_mm")  # HC18's own name, and ours
AGE_COLUMN = "gestational_age_days"

# HC18's outlines, and what this project writes itself: pictures that lie beside frames without being frames.
COMPANION_ENDINGS = ("_annotation", "_mask", "_overlay")
UNKNOWN_SPACING = (math.nan, math.nan)


@dataclass(frozen=True)
class Rejected:
    """A file, or a row of the table, that cannot be measured.

    Attributes:
        file: the file; for a row without an image, where the image was looked for.
        reason: what is wrong and the mend, in one sentence or two.
    """

    file: Path
    reason: str


@dataclass(frozen=True)
class Intake:
    """What there is to measure.

    Attributes:
        frames: one dictionary per frame, in natural order of the files: ``image`` (path as str),
            ``pixel_spacing_mm`` ([row, column], NaN when unknown), ``gestational_age_days`` (NaN when unknown).
        rejected: the files and table rows that are no frame to measure, in natural order.
        source_dir: the folder that file names are told relative to.
    """

    frames: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    source_dir: Path = Path()


class _Match(NamedTuple):
    row: Row
    fitting_frames: int


def natural_key(path: str | Path) -> list[list[tuple[int, str]]]:
    """Sort key that puts ``2_HC.png`` before ``10_HC.png``, folder by folder."""
    return [
        [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in re.split(r"(\d+)", part)]
        for part in Path(path).parts
    ]


def take_in(
    source: str | Path,
    pixel_spacing_mm: float | Sequence[float] | None = None,
    table: str | Path | None = None,
) -> Intake:
    """Collect the frames in a file or folder, each with its pixel spacing.

    Every frame is opened once, so that a damaged one is told about here and the batch goes on without it. In a
    folder, hidden files, HC18's annotations (``*_Annotation``), masks and overlays of an earlier run (``*_mask``,
    ``*_overlay``) and files of other kinds are passed over; how many is logged. A file named by itself is always
    tried.

    Args:
        source: one file, or a folder that is searched with all its subfolders.
        pixel_spacing_mm: spacing for every frame, one number or (row, column); wins over table and header.
        table: CSV with the columns ``filename`` and ``pixel size(mm)`` or ``pixel_spacing_mm`` (one number: square
            pixels) and, if known from a dating scan, ``gestational_age_days``. A file name is a path relative to
            `source`, or a bare name that only one frame has. The table's spacing wins over the header's; an empty
            cell says nothing.

    Returns:
        The frames and the rejected files. A frame without any spacing is no rejected file: it has NaN.

    Raises:
        FileNotFoundError: `source` or `table` does not exist.
        ValueError: `pixel_spacing_mm` is no spacing, the table lacks a column, or the folder holds no frame.
    """
    source = Path(source).expanduser()
    option = _option_spacing(pixel_spacing_mm)
    if source.is_file():
        source_dir, files = source.parent, [source]
    elif source.is_dir():
        source_dir, files = source, frame_files(source)
    else:
        raise FileNotFoundError(f"{source}: no such file or folder; give the frame or the folder of frames to measure.")
    rows = _table_rows(Path(table).expanduser()) if table is not None else []
    matched, rejected = _match(rows, files, source_dir, Path(table or ""))
    if source.is_file():
        rejected = []  # The table may well cover more than the one frame asked for.

    frames = []
    for file in tqdm(files, desc="Reading frames", unit="frame", disable=len(files) < 2):
        try:
            stated = _only_row(matched.get(file, []))
            spacing = option or _table_spacing(stated)
            age = _table_age(stated)
            frame = read_frame(file)
            if frame.pixels.min() == frame.pixels.max():
                raise FrameError(f"every pixel is {frame.pixels.flat[0]:g}: no image content. Export the frame again.")
        except (FrameError, OSError) as error:
            rejected.append(Rejected(file, str(error).removeprefix(f"{file}: ")))
        else:
            frames.append(_item(file, spacing, frame, age))
    rejected.sort(key=lambda each: natural_key(each.file))
    for each in rejected:
        logger.warning("%s: %s", each.file, each.reason)
    return Intake(frames, rejected, source_dir)


def _item(file: Path, spacing: Spacing | None, frame: Frame, age_days: float) -> dict[str, Any]:
    return {
        "image": str(file),
        "pixel_spacing_mm": list(spacing or frame.pixel_spacing_mm or UNKNOWN_SPACING),
        AGE_COLUMN: age_days,
    }


def _option_spacing(value: float | Sequence[float] | None) -> Spacing | None:
    if value is None:
        return None
    try:
        row, column = (value, value) if isinstance(value, int | float) else value
        spacing = (float(row), float(column))
    except (TypeError, ValueError):
        spacing = UNKNOWN_SPACING
    if not all(math.isfinite(length) and length > 0 for length in spacing):
        raise ValueError(
            f"pixel_spacing_mm is {value!r}; expected the size of a pixel in mm, one positive number or "
            "[row, column], such as 0.12."
        )
    return spacing


def frame_files(
    folder: Path,
    suffix_of: Callable[[Path], str | None] = frame_suffix,
    expected: Sequence[str] = FRAME_SUFFIXES,
) -> list[Path]:
    """The files with frames in a folder and its subfolders, in natural order.

    Hidden files, annotations, masks and overlays beside the frames, and files of other kinds are passed over; how many
    is logged.

    Args:
        folder: where to search.
        suffix_of: tells the suffix by which a file is read, None for a file of another kind.
        expected: those suffixes, for the message.

    Raises:
        ValueError: there is no such file.
    """
    files, companions, others = [], 0, 0
    for parent, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            file = Path(parent, name)
            suffix = suffix_of(file)
            if suffix is None or name == "DICOMDIR":  # the index of a DICOM disc
                others += 1
            elif name.lower().removesuffix(suffix).endswith(COMPANION_ENDINGS):
                companions += 1
            else:
                files.append(file)
    if companions or others:
        logger.info(
            "%s: passed over %d annotations, masks or overlays and %d files of other kinds", folder, companions, others
        )
    if not files:
        raise ValueError(
            f"{folder}: no frames in this folder; expected files with one of {', '.join(expected)}, "
            "or DICOM files without a suffix."
        )
    return sorted(files, key=natural_key)


def _table_rows(table: Path) -> list[Row]:
    if not table.is_file():
        raise FileNotFoundError(
            f"{table}: no such table; give a CSV file with the columns filename and pixel size(mm)."
        )
    columns, rows = read_csv_table(table)
    if FILENAME_COLUMN not in columns or not {*SPACING_COLUMNS, AGE_COLUMN} & set(columns):
        raise ValueError(
            f"{table}: has the columns {columns}; expected {FILENAME_COLUMN!r} and one of {SPACING_COLUMNS!r}, "
            f"separated by commas ({AGE_COLUMN!r} may be added)."
        )
    return rows


def _match(
    rows: Iterable[Row], files: Sequence[Path], source_dir: Path, table: Path
) -> tuple[dict[Path, list[_Match]], list[Rejected]]:
    """Give each row to the frame it names: by its path relative to the source, else by its bare name."""
    by_path, by_name = defaultdict(list), defaultdict(list)
    for file in files:
        by_path[composed(str(file))].append(file)
        by_name[composed(file.name)].append(file)

    matched: dict[Path, list[_Match]] = defaultdict(list)
    rejected = []
    for number, row in enumerate(rows, start=1):
        name = listed_name(row[FILENAME_COLUMN])
        if not name:
            rejected.append(Rejected(table, f"row {number} has no file name; fill it in or delete the row."))
        elif found := by_path.get(composed(str(source_dir / name))) or by_name.get(name):
            for file in found:
                matched[file].append(_Match(row, len(found)))
        else:
            rejected.append(Rejected(source_dir / name, f"in the table {table.name}, but no such frame was found."))
    return matched, rejected


def _only_row(matches: Sequence[_Match]) -> Row:
    if len(matches) > 1:
        raise FrameError(f"{len(matches)} rows of the table name this frame; keep one of them.")
    if not matches:
        return {}
    row, fitting_frames = matches[0]
    if fitting_frames > 1:
        raise FrameError(
            f"the table's row {row[FILENAME_COLUMN]!r} fits {fitting_frames} frames in different folders; "
            "write the path relative to the source folder."
        )
    return row


def _table_spacing(row: Row) -> Spacing | None:
    stated = {
        column: _positive(row, column, "the size of a pixel in mm") for column in SPACING_COLUMNS if row.get(column)
    }
    if len(set(stated.values())) > 1:
        both = " and ".join(f"{column} = {length:g}" for column, length in stated.items())
        raise FrameError(f"the table says {both}; keep the one that is right.")
    return next(((length, length) for length in stated.values()), None)


def _table_age(row: Row) -> float:
    return _positive(row, AGE_COLUMN, "days") if row.get(AGE_COLUMN) else math.nan


def _positive(row: Row, column: str, meaning: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise FrameError(
            f"the table says {column} = {row[column]!r}; expected {meaning}, a positive number with a decimal point."
        )
    return value
