"""Collect the frames to measure from a file or folder, and the files that cannot be measured."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from fetal_monai.data.frame_files import frame_files, natural_key
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame, Spacing
from fetal_monai.data.io.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.unusable_names import unusable_names
from fetal_monai.files.csv_table import Row, read_csv_table
from fetal_monai.files.name_matching import composed, listed_name
from fetal_monai.files.printable_text import printable_text
from fetal_monai.geometry import common_spacing, same_spacing, ultrasound_regions_to_text

__all__ = ["FrameCollection", "Rejected", "collect_frames"]

logger = logging.getLogger(__name__)

FILENAME_COLUMN = "filename"
SPACING_COLUMNS = ("pixel size(mm)", "pixel_spacing_mm")  # HC18's own name, and ours
AGE_COLUMN = "gestational_age_days"

UNKNOWN_SPACING = (math.nan, math.nan)


@dataclass(frozen=True)
class Rejected:
    """A file, or a row of the table, that cannot be measured.

    Attributes:
        file: The file; for a row without an image, the path where the image was expected.
        reason: What is wrong and how to fix it, in one or two sentences.
    """

    file: Path
    reason: str

    def __str__(self) -> str:
        return printable_text(f"{self.file}: {self.reason}")  # a file name need not be valid text


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


class _Match(NamedTuple):
    row: Row
    fitting_frames: int


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
        pixel_spacing_mm: Spacing of the frames for which neither the header nor the table states one; one number or
            (row, column).
        table: CSV with the columns ``filename`` and ``pixel size(mm)`` or ``pixel_spacing_mm`` (one number: square
            pixels) and, if known from a dating scan, ``gestational_age_days``. A file name is a path relative to
            `source`, or a bare name that only one frame has. The table's spacing is used for frames whose header states
            none; an empty cell is ignored.
        override_pixel_spacing: Whether the table and the option take precedence over the header. In either case, if two
            of the three differ, a warning says which one is used.

    Returns:
        The frames and the rejected files. A frame without a spacing is not rejected: its spacing is NaN. A frame with
        an implausible spacing (see `PLAUSIBLE_PIXEL_SIZE_MM`) is rejected: its header is wrong, and the true spacing
        cannot be guessed.

    Raises:
        FileNotFoundError: `source` or `table` does not exist.
        ValueError: `pixel_spacing_mm` is not a spacing, the table lacks a column, or the folder contains no frames.
        TypeError: `override_pixel_spacing` is not a bool, for example the string "true".
    """
    source = Path(source).expanduser()
    option = _option_spacing(pixel_spacing_mm)
    if not isinstance(override_pixel_spacing, bool):
        raise TypeError(f"override_pixel_spacing must be True or False, got {override_pixel_spacing!r}.")
    order = ("table", "option", "header") if override_pixel_spacing else ("header", "table", "option")
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

    frames, studies = [], {}
    unusable = unusable_names(files, source_dir)
    for file in tqdm(files, desc="Reading frames", unit="frame", disable=len(files) < 2):
        try:
            if file in unusable:
                raise FrameError(unusable[file])
            row = _only_row(matched.get(file, []))
            table_spacing, age = _table_spacing(row), _table_age(row)
            frame = read_frame(file)
            if frame.pixels.min() == frame.pixels.max():
                raise FrameError(f"every pixel is {frame.pixels.flat[0]:g}: no image content. Export the frame again.")
            stated = {
                "header": frame.stated_spacings_mm,
                "table": [table_spacing] if table_spacing else [],
                "option": [option] if option else [],
            }
            scale = _scale(file, frame, {name: stated[name] for name in order})
        except (FrameError, OSError) as error:
            rejected.append(Rejected(file, str(error).removeprefix(f"{file}: ")))
        else:
            frames.append({"image": str(file), **scale, AGE_COLUMN: age})
            studies[str(file)] = frame.study
    rejected.sort(key=lambda each: natural_key(each.file))
    for each in rejected:
        logger.warning("%s", each)
    return FrameCollection(frames, rejected, source_dir, studies)


def _scale(file: Path, frame: Frame, stated: Mapping[str, Sequence[Spacing]]) -> dict[str, Any]:
    """Determine the entries of an item that describe the size of the frame's pixels.

    Args:
        file: The frame's file.
        frame: The frame.
        stated: Spacings by source; the first source that states any is used.

    Raises:
        FrameError: The spacing to be used is not plausible.
    """
    used = next((source for source, spacings in stated.items() if spacings), "")
    spacings = stated.get(used, ())
    for spacing in spacings:
        if not is_plausible_pixel_size(*spacing):
            raise FrameError(
                f"the {used} states a pixel spacing of {_in_words([spacing])}; expected {EXPECTED_PIXEL_SIZE}. "
                "Correct it, or give the spacing by an option or a table with override_pixel_spacing."
            )
    for source, others in stated.items():
        if any(not same_spacing(spacing, other) for spacing in spacings for other in others) and source != used:
            logger.warning(
                "%s: the %s states a pixel spacing of %s, the %s of %s; the %s is used%s.",
                *(file, used, _in_words(spacings), source, _in_words(others), used),
                " (override_pixel_spacing changes that)" if used == "header" else "",
            )
    return {
        "pixel_spacing_mm": list(common_spacing(spacings) or UNKNOWN_SPACING),
        "ultrasound_regions": ultrasound_regions_to_text(frame.ultrasound_regions if used in ("header", "") else ()),
        "pixel_spacing_source": used,
    }


def _in_words(spacings: Iterable[Spacing]) -> str:
    return " and ".join(f"{row:g} x {column:g}" for row, column in spacings) + " mm (row x column)"


def _option_spacing(value: float | Sequence[float] | None) -> Spacing | None:
    if value is None:
        return None
    try:
        row, column = (value, value) if isinstance(value, int | float) else value
        spacing = (float(row), float(column))
    except (TypeError, ValueError):
        spacing = UNKNOWN_SPACING
    if not is_plausible_pixel_size(*spacing):
        raise ValueError(
            f"pixel_spacing_mm is {value!r}; expected the size of a pixel, {EXPECTED_PIXEL_SIZE}: one number or "
            "[row, column], such as 0.12."
        )
    return spacing


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
    """Assign each row to the frame it names: by its path relative to the source, otherwise by its bare name."""
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
    expected = f"the size of a pixel, {EXPECTED_PIXEL_SIZE}"
    stated = {
        column: _number(row, column, is_plausible_pixel_size, expected) for column in SPACING_COLUMNS if row.get(column)
    }
    if len(set(stated.values())) > 1:
        both = " and ".join(f"{column} = {length:g}" for column, length in stated.items())
        raise FrameError(f"the table says {both}; keep the correct one.")
    return next(((length, length) for length in stated.values()), None)


def _table_age(row: Row) -> float:
    if not row.get(AGE_COLUMN):
        return math.nan
    return _number(row, AGE_COLUMN, lambda days: math.isfinite(days) and days > 0, "days, a positive number")


def _number(row: Row, column: str, is_valid: Callable[[float], bool], expected: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not is_valid(value):
        raise FrameError(f"the table says {column} = {row[column]!r}; expected {expected}, with a decimal point.")
    return value
