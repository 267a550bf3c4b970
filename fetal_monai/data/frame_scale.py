"""The size of a frame's pixels: what its header, a table and an option state, and which of them is used."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame, Spacing
from fetal_monai.data.rejected import Rejected
from fetal_monai.files.csv_table import Row
from fetal_monai.files.name_matching import composed, listed_name
from fetal_monai.files.table import read_table
from fetal_monai.geometry import UltrasoundRegion, common_spacing, same_spacing

logger = logging.getLogger(__name__)

FILENAME_COLUMN = "filename"
SPACING_COLUMNS = ("pixel size(mm)", "pixel_spacing_mm")  # HC18's own name, and ours
AGE_COLUMN = "gestational_age_days"


@dataclass(frozen=True, slots=True)
class FrameScale:
    """How large a frame's pixels are, and how old the fetus is on it.

    Attributes:
        pixel_spacing_mm: (row, column), or None when it is unknown or not the same all over the frame.
        ultrasound_regions: Those of the header, whose spacing then counts at each place, see
            `fetal_monai.geometry.spacing_at`.
        source: "header", "table" or "option"; empty when the spacing is unknown.
        gestational_age_days: As known from a dating scan; None when unknown.
    """

    pixel_spacing_mm: Spacing | None
    ultrasound_regions: tuple[UltrasoundRegion, ...] = ()
    source: str = ""
    gestational_age_days: float | None = None


class FrameScales:
    """The scale of each of some frames.

    Args:
        pixel_spacing_mm: Spacing of the frames for which neither the header nor the table states one; one number or
            (row, column).
        table: CSV or Parquet with the columns ``filename`` and ``pixel size(mm)`` or ``pixel_spacing_mm`` (one number:
            square pixels) and, if known from a dating scan, ``gestational_age_days``. A file name is a path relative
            to the source folder, or a bare name that only one frame has. The table's spacing is used for frames whose
            header states none; an empty cell is ignored.
        override_pixel_spacing: Whether the table and the option take precedence over the header. In either case, if two
            of the three differ, a warning says which one is used.

    Raises:
        FileNotFoundError: `table` does not exist.
        ValueError: `pixel_spacing_mm` is not a spacing, or the table lacks a column.
        TypeError: `override_pixel_spacing` is not a bool, for example the string "true".
    """

    def __init__(
        self,
        *,
        pixel_spacing_mm: float | Sequence[float] | None = None,
        table: str | Path | None = None,
        override_pixel_spacing: bool = False,
    ) -> None:
        if not isinstance(override_pixel_spacing, bool):
            raise TypeError(f"override_pixel_spacing must be True or False, got {override_pixel_spacing!r}.")
        self._option = _option_spacing(pixel_spacing_mm)
        self._order = ("table", "option", "header") if override_pixel_spacing else ("header", "table", "option")
        self._table = None if table is None else Path(table).expanduser()
        self._rows = [] if self._table is None else _table_rows(self._table)
        self._matched: Mapping[Path, list[_Match]] = {}

    def match(self, files: Sequence[Path], source_dir: Path) -> list[Rejected]:
        """Find the rows of the table for some frames.

        Args:
            files: The frames' files.
            source_dir: The folder that the table's file names are relative to.

        Returns:
            The rows without a frame.
        """
        self._matched, rejected = _match(self._rows, files, source_dir, self._table or Path())
        return rejected

    def only(self, files: Sequence[Path]) -> FrameScales:
        """Return the scales of some of the files that were matched, without the rest of the table."""
        some = copy(self)
        some._rows = []
        some._matched = {file: self._matched[file] for file in files if file in self._matched}
        return some

    def of(self, file: Path, frame: Frame) -> FrameScale:
        """Return the scale of a frame.

        Args:
            file: Its file, one of those that were matched with the table.
            frame: Its pixels and header.

        Raises:
            FrameError: The table's row is wrong, or what is used is not the size of a pixel.
        """
        row = _only_row(self._matched.get(file, []))
        table_spacing, age = _table_spacing(row), _table_age(row)
        stated = {
            "header": frame.stated_spacings_mm,
            "table": [table_spacing] if table_spacing else [],
            "option": [self._option] if self._option else [],
        }
        return _scale(file, frame, {name: stated[name] for name in self._order}, age)


class _Match(NamedTuple):
    row: Row
    fitting_frames: int


def _scale(file: Path, frame: Frame, stated: Mapping[str, Sequence[Spacing]], age_days: float | None) -> FrameScale:
    """The scale by the first source that states a spacing."""
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
    regions = frame.ultrasound_regions if used in ("header", "") else ()
    return FrameScale(common_spacing(spacings), regions, used, age_days)


def _in_words(spacings: Iterable[Spacing]) -> str:
    return " and ".join(f"{row:g} x {column:g}" for row, column in spacings) + " mm (row x column)"


def _option_spacing(value: float | Sequence[float] | None) -> Spacing | None:
    if value is None:
        return None
    try:
        row, column = (value, value) if isinstance(value, int | float) else value
        spacing = (float(row), float(column))
    except (TypeError, ValueError):
        spacing = (math.nan, math.nan)
    if not is_plausible_pixel_size(*spacing):
        raise ValueError(
            f"pixel_spacing_mm is {value!r}; expected the size of a pixel, {EXPECTED_PIXEL_SIZE}: one number or "
            "[row, column], such as 0.12."
        )
    return spacing


def _table_rows(table: Path) -> list[Row]:
    if not table.is_file():
        raise FileNotFoundError(
            f"{table}: no such table; give a CSV or Parquet file with the columns filename and pixel size(mm)."
        )
    columns, rows = read_table(table)
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


def _table_age(row: Row) -> float | None:
    if not row.get(AGE_COLUMN):
        return None
    return _number(row, AGE_COLUMN, lambda days: math.isfinite(days) and days > 0, "days, a positive number")


def _number(row: Row, column: str, is_valid: Callable[[float], bool], expected: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not is_valid(value):
        raise FrameError(f"the table says {column} = {row[column]!r}; expected {expected}, with a decimal point.")
    return value
