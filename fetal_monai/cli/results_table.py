"""The results of a measurement as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fetal_monai.cli.text_table import text_table

_COLUMNS = {
    "file": "file",
    "frame": "frame",
    "HC mm": "head_circumference_mm",
    "BPD mm": "biparietal_diameter_outer_to_outer_mm",
    "OFD mm": "occipitofrontal_diameter_mm",
    "GA": "gestational_age",
    "centile": "head_circumference_centile",
    "status": "status",
}
"""Columns of ``measurements.csv`` by their headings."""
_TEXTS = ("file", "status")


def results_table(rows: Sequence[Mapping[str, Any]], loops: Sequence[Mapping[str, Any]]) -> str:
    """Lay out the most important values in columns; those without a value are left out.

    Args:
        rows: As in ``measurements.csv``. Only the first ones are shown if there are many.
        loops: Summaries of loops, see `LoopResults.finish`: of a loop, only the frame to report is shown.
    """
    reported = {loop["file"]: loop["frame_to_report"] for loop in loops}
    shown = [row for row in rows if row["file"] not in reported or row.get("frame") == reported[row["file"]]]
    cells = [{heading: _cell(row.get(column)) for heading, column in _COLUMNS.items()} for row in shown]
    values = [heading for heading in _COLUMNS if heading not in _TEXTS]
    headings = [heading for heading in _COLUMNS if heading != "frame" or loops]
    lines = text_table(headings, cells, numbers=values, optional=values)
    lines += [f"{file}: no frame has a stable head to report" for file, frame in reported.items() if frame is None]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
