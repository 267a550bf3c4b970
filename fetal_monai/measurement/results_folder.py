"""The files of a measurement: tables, and on request masks and overlays."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.frame_failure import failure_reason
from fetal_monai.data.frame_files import natural_key
from fetal_monai.data.rejected import Rejected
from fetal_monai.files import atomic_path, read_csv_table
from fetal_monai.measurement.item_row import item_place, item_row
from fetal_monai.measurement.loop_results import LOOP_COLUMNS, LoopResults
from fetal_monai.measurement.measure_frames import MeasuredFrame
from fetal_monai.reporting.growing_table import GrowingTable
from fetal_monai.reporting.head_overlay import draw_overlay
from fetal_monai.reporting.measurement_row import MEASUREMENT_COLUMNS, NUMBER_ENDINGS, Row, failed_row
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.report_files import frame_name

if TYPE_CHECKING:
    from fetal_monai.dicom_report import ReportWriter

SAVED = ("masks", "overlays")
"""What can be written beside the tables."""

_COUNTS = ("frame", "frames", "frame_to_report")


class Unreported(NamedTuple):
    """A file without the DICOM reports that were asked for.

    Attributes:
        file: Its name.
        reason: Why there are none, without personal data.
        is_failure: Whether they should have been written, rather than that the measurement is not one to report.
    """

    file: str
    reason: str
    is_failure: bool


class ResultsFolder:
    """Writes the results of a measurement while it runs.

    - ``measurements.csv``: one row per frame, see `fetal_monai.reporting.measurement_row`, and per rejected file;
    - ``measurements.json``: the same, with what describes the run, when it is complete;
    - ``loops.csv``: one row per loop; ``loops/``: its track and the picture of the frame to report, see `LoopResults`;
    - ``masks/`` and ``overlays/`` on request: of a still in its own format, and as PNG; of a loop as videos;
    - ``reports/`` on request: DICOM reports, of a loop on the frame to report.

    A mask or an overlay that cannot be written makes its frame a failed one, and the others go on.

    Args:
        folder: Folder to write to.
        source_dir: The folder that file names are relative to.
        save: Some of `SAVED`.
        csv_format: How the tables are written, one of `fetal_monai.files.csv_format.CSV_FORMATS`.
        part: Added to the names of the tables, where several runs share the folder.
        reports: Writes the DICOM reports; None for none.

    Attributes:
        unreported: The files without a report, if reports are written; not those that failed anyway.

    Raises:
        ValueError: There is no such format.
    """

    def __init__(
        self,
        folder: Path,
        source_dir: Path,
        *,
        save: Collection[str] = (),
        csv_format: str = "plain",
        part: str = "",
        reports: ReportWriter | None = None,
    ) -> None:
        self.folder = folder
        self.source_dir = source_dir
        self.save = frozenset(save)
        self.measurements = GrowingTable(folder / f"measurements{part}.csv", MEASUREMENT_COLUMNS, csv_format)
        self.loops = GrowingTable(folder / f"loops{part}.csv", LOOP_COLUMNS, csv_format)
        self.unreported: list[Unreported] = []
        self._reports = reports
        self._loop: LoopResults | None = None

    def start(self) -> None:
        """Start empty tables."""
        self.measurements.start()

    def resume(self) -> set[str]:
        """Continue the table of an interrupted run.

        Returns:
            The names of the files that are complete. The last one of the table may not be: its rows are removed.

        Raises:
            FileNotFoundError: There is no table.
            ValueError: The table is damaged, or of another format.
        """
        table, form = self.measurements.path, self.measurements.csv_format
        _, rows = read_csv_table(table, form.delimiter, required=("file", "status"))
        last = rows[-1]["file"] if rows else None
        kept = [_typed(row, form.decimal_mark) for row in rows if row["file"] != last]
        self.measurements.start()
        self.measurements.add(kept)
        done = {row["file"] for row in kept}
        if self.loops.path.exists():
            _, rows = read_csv_table(self.loops.path, form.delimiter, required=LOOP_COLUMNS)
            self.loops.start()
            self.loops.add(_typed(row, form.decimal_mark) for row in rows if row["file"] in done)
        return done

    def add(self, item: MeasuredFrame | Rejected) -> Row:
        """Write the results of a frame, and return its row."""
        if self._loop is not None and item.file != self._loop.file:
            self._end_loop()
        row = item_row(item, self.source_dir) if isinstance(item, Rejected) else self._row(item)
        self.measurements.add([row])
        return row

    def finish(self, run: dict[str, Any]) -> None:
        """Complete the tables.

        Args:
            run: What describes the run, for the JSON file: versions, bundle, engine.
        """
        self._end_loop()
        self.measurements.finish(lambda row: natural_key(row["file"]))
        content = run | {"measurements": _stated(self.measurements), "loops": _stated(self.loops)}
        with atomic_path(self.measurements.path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def close(self) -> None:
        """Close the files of an interrupted run; the tables hold what was measured."""
        if self._loop is not None:
            self._loop.discard()
            self._loop = None

    def _row(self, item: MeasuredFrame) -> Row:
        source, result = item.source, item.result
        try:
            mask = result.mask if self.save else None  # as large as the frame: as slow as the measurement itself
            picture = self._overlay(item, mask) if "overlays" in self.save else None
            if source.is_still:
                self._save_still(source.file, mask, picture)
            else:
                if self._loop is None:
                    self._loop = LoopResults(self.folder, self.source_dir, source, save=self.save)
                self._loop.add(item, mask, picture)
        except Exception as error:  # whatever it is, it must not end the batch
            return item_place(item, self.source_dir) | failed_row(failure_reason(error, source.file))
        if source.is_still and result.status != "failed" and (reports := self._reports) is not None:
            self._report(source.file, lambda: reports.write(item))
        return item_row(item, self.source_dir)

    def _save_still(self, file: Path, mask: NDArray[np.bool_] | None, picture: Image.Image | None) -> None:
        if picture is not None:
            path = output_path(file, self.source_dir, self.folder / "overlays", "_overlay", ".png")
            with atomic_path(path) as temporary:
                picture.save(temporary)
        if "masks" in self.save and mask is not None:
            from fetal_monai.data.io.mask_file import mask_suffix, write_mask  # only needed here, and slow to import

            write_mask(
                mask, file, output_path(file, self.source_dir, self.folder / "masks", "_mask", mask_suffix(file))
            )

    def _overlay(self, item: MeasuredFrame, mask: NDArray[np.bool_] | None) -> Image.Image:
        source = item.source
        title = source.file.name if source.is_still else f"{source.file.name}, frame {source.index}"
        return draw_overlay(source.frame.pixels, mask, item.result.head, title, source.scale.source)

    def _end_loop(self) -> None:
        if self._loop is not None:
            loop, self._loop = self._loop, None
            if not self.loops.rows:
                self.loops.start()
            self.loops.add([loop.finish()])
            self._report_loop(loop)

    def _report_loop(self, loop: LoopResults) -> None:
        if (reports := self._reports) is None:
            return
        index = loop.frame_to_report
        head = None if index is None else loop.heads[index]
        if index is None or not isinstance(head, HeadMeasurement):
            self._add_unreported(loop.file, "no frame of the loop is measured without doubt.")
        else:
            self._report(loop.file, lambda: reports.write_from_loop(loop.first, index, head))

    def _report(self, file: Path, write: Callable[[], object]) -> None:
        """Write reports; what goes wrong does not touch the measurement."""
        from fetal_monai.dicom_report import NoReportError

        try:
            write()
        except NoReportError as error:
            self._add_unreported(file, str(error))
        except OSError as error:
            self._add_unreported(file, failure_reason(error, file), is_failure=True)
        except Exception as error:  # the text of an unforeseen one may quote the patient's data
            self._add_unreported(file, f"{type(error).__name__} while the report was made.", is_failure=True)

    def _add_unreported(self, file: Path, reason: str, is_failure: bool = False) -> None:
        self.unreported.append(Unreported(frame_name(file, self.source_dir), reason, is_failure))


def _stated(table: GrowingTable) -> list[Row]:
    """The rows with the values that the CSV table has, without its empty cells."""
    known = [[(name, row[name]) for name in table.columns if row.get(name) not in (None, "")] for row in table.rows]
    return [
        {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in row} for row in known
    ]


def _typed(row: Mapping[str, str], decimal_mark: str) -> Row:
    """The cells of a table as they were before it was written."""
    typed: Row = dict(row)
    for name, text in row.items():
        if name in _COUNTS:
            typed[name] = int(text) if text else None
        elif text and name.endswith(NUMBER_ENDINGS):
            typed[name] = float(text.replace(decimal_mark, "."))
    return typed
