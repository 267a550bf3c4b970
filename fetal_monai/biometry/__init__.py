"""Measurement of the fetal head in millimetres from its mask; needs only NumPy, SciPy and scikit-image."""

from fetal_monai.biometry.dating import Dating, date_pregnancy
from fetal_monai.biometry.ellipse import Ellipse, fit_ellipse
from fetal_monai.biometry.gestational_age import (
    OutOfRangeError,
    format_gestational_age,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
    intergrowth_head_circumference_centile,
    intergrowth_head_circumference_mm,
)
from fetal_monai.biometry.head import HeadMeasurement, ellipse_from_outline, measure_head, measure_head_in_probability
from fetal_monai.biometry.quality import MeasurementQuality, measurement_quality

__all__ = [
    "Dating",
    "Ellipse",
    "HeadMeasurement",
    "MeasurementQuality",
    "OutOfRangeError",
    "date_pregnancy",
    "ellipse_from_outline",
    "fit_ellipse",
    "format_gestational_age",
    "hadlock_gestational_age_days",
    "intergrowth_gestational_age_days",
    "intergrowth_head_circumference_centile",
    "intergrowth_head_circumference_mm",
    "measure_head",
    "measure_head_in_probability",
    "measurement_quality",
]
