"""One row of the table of measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeAlias

from fetal_monai.biometry import (
    HeadMeasurement,
    OutOfRangeError,
    date_pregnancy,
    format_gestational_age,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
    intergrowth_head_circumference_centile,
)
from fetal_monai.data.io.dicom_study import STUDY_ATTRIBUTES
from fetal_monai.failed_estimate import FailedEstimate

MEASUREMENT_COLUMNS = (
    "file",
    "frame",
    "status",
    "head_circumference_mm",
    "biparietal_diameter_outer_to_outer_mm",
    "occipitofrontal_diameter_mm",
    "gestational_age",
    "gestational_age_basis",
    "reason",
    *STUDY_ATTRIBUTES,
    "pixel_spacing_row_mm",
    "pixel_spacing_column_mm",
    "pixel_spacing_source",
    "center_x_px",
    "center_y_px",
    "semi_axis_a_px",
    "semi_axis_b_px",
    "angle_rad",
    "ellipse_overlap",
    "visible_outline",
    "mean_probability",
    "gestational_age_hadlock_days",
    "gestational_age_hadlock",
    "gestational_age_intergrowth_days",
    "gestational_age_intergrowth",
    "known_gestational_age_days",
    "head_circumference_centile",
)
NUMBER_ENDINGS = ("_mm", "_px", "_rad", "_days", "_centile", "_overlap", "_outline", "_probability")
"""How the names of columns with numbers end."""
SUBMISSION_COLUMNS = ("filename", "center_x_mm", "center_y_mm", "semi_axes_a_mm", "semi_axes_b_mm", "angle_rad")

Row: TypeAlias = dict[str, Any]


def failed_row(reason: str) -> Row:
    """Return the row of a frame that could not be measured."""
    return {"status": "failed", "reason": reason}


def measurement_row(
    head: HeadMeasurement | FailedEstimate, *, known_age_days: float | None, spacing_source: str
) -> Row:
    """Return the values of a frame, by the names in `MEASUREMENT_COLUMNS`; without those of its file.

    Args:
        head: The measurement.
        known_age_days: Gestational age known from a dating scan, or None.
        spacing_source: Where the pixel spacing is from: "header", "table", "option", or empty when it is unknown.
    """
    known = {"known_gestational_age_days": known_age_days} | _dating(None, known_age_days)
    if not isinstance(head, HeadMeasurement):
        return failed_row(head.reason) | known
    ellipse = head.ellipse_px
    row = known | {
        "center_x_px": ellipse.center_x,
        "center_y_px": ellipse.center_y,
        "semi_axis_a_px": ellipse.semi_axis_a,
        "semi_axis_b_px": ellipse.semi_axis_b,
        "angle_rad": ellipse.angle_rad,
    }
    if head.quality is not None:
        row |= asdict(head.quality)
    if head.pixel_spacing_mm is None:
        return _marked(head, row | {"status": "unscaled", "reason": f"pixel spacing unknown: {_why_unscaled(head)}"})
    row_spacing, column_spacing = head.pixel_spacing_mm
    sizes = {
        "status": "measured",
        "pixel_spacing_row_mm": row_spacing,
        "pixel_spacing_column_mm": column_spacing,
        "pixel_spacing_source": spacing_source,
        "head_circumference_mm": head.head_circumference_mm,
        "biparietal_diameter_outer_to_outer_mm": head.biparietal_diameter_mm,
        "occipitofrontal_diameter_mm": head.occipitofrontal_diameter_mm,
    }
    return _marked(head, row | sizes | _growth(head.head_circumference_mm, known_age_days))


def _marked(head: HeadMeasurement, row: Row) -> Row:
    """The row with status ``check`` if the ellipse is doubtful: then it matters less whether it has a scale."""
    if not head.doubts:
        return row
    doubts = f"check by eye: {', '.join(head.doubts)}"
    return row | {"status": "check", "reason": "; ".join(filter(None, [doubts, row["reason"]]))}


def _why_unscaled(head: HeadMeasurement) -> str:
    how_to = "give it by the option pixel_spacing_mm or in a table"
    return f"{head.unscaled_reason}; {how_to}, with override_pixel_spacing" if head.unscaled_reason else how_to


def _growth(head_circumference_mm: float, known_age_days: float | None) -> Row:
    """Gestational ages and centile; what is out of its standard's range is left out, with the reason."""
    cells = _dating(head_circumference_mm, known_age_days)
    reasons = []
    standards: dict[str, Callable[[float], float]] = {
        "gestational_age_hadlock": hadlock_gestational_age_days,
        "gestational_age_intergrowth": intergrowth_gestational_age_days,
    }
    for column, standard in standards.items():
        try:
            days = standard(head_circumference_mm)
        except OutOfRangeError as error:
            reasons.append(str(error))
        else:
            cells |= {f"{column}_days": round(days, 1), column: format_gestational_age(days)}
    if known_age_days is not None:
        try:
            centile = intergrowth_head_circumference_centile(head_circumference_mm, known_age_days)
            cells["head_circumference_centile"] = round(centile, 1)
        except OutOfRangeError as error:
            reasons.append(str(error))
    return cells | {"reason": " ".join(reasons)}


def _dating(head_circumference_mm: float | None, known_age_days: float | None) -> Row:
    dating = date_pregnancy(head_circumference_mm, known_age_days)
    if dating is None:
        return {}
    age = format_gestational_age(dating.gestational_age_days)
    return {"gestational_age": age, "gestational_age_basis": dating.basis}


def submission_row(head: HeadMeasurement) -> Row:
    """Return the values of a measured frame in the table of the HC18 challenge; without its file name."""
    ellipse = head.ellipse_mm
    values = (ellipse.center_x, ellipse.center_y, ellipse.semi_axis_a, ellipse.semi_axis_b, ellipse.angle_rad)
    return {column: f"{value:.6f}" for column, value in zip(SUBMISSION_COLUMNS[1:], values, strict=True)}
