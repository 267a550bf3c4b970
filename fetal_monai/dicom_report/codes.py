"""Every coded concept of the reports, in one place."""

from __future__ import annotations

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.sr.coding import Code

# Documents and containers
OBGYN_REPORT = Code("125000", "DCM", "OB-GYN Ultrasound Procedure Report")
IMAGE_LIBRARY = Code("111028", "DCM", "Image Library")
SUMMARY = Code("121111", "DCM", "Summary")
COMMENT = Code("121106", "DCM", "Comment")
FETAL_BIOMETRY = Code("125002", "DCM", "Fetal Biometry")
BIOMETRY_GROUP = Code("125005", "DCM", "Biometry Group")
MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
OBSTETRIC_ULTRASOUND = Code("268445003", "SCT", "Obstetric US scan")
SOURCE_IMAGE = Code("121112", "DCM", "Source of Measurement")

DEVICE = Code("121007", "DCM", "Device")
ENGLISH = Code("en", "RFC5646", "English")

# Measurements
HEAD_CIRCUMFERENCE = Code("11984-2", "LN", "Head Circumference")
BIPARIETAL_DIAMETER = Code("11820-8", "LN", "Biparietal Diameter")
OCCIPITOFRONTAL_DIAMETER = Code("11851-3", "LN", "Occipital-Frontal Diameter")
GESTATIONAL_AGE = Code("18185-9", "LN", "Gestational Age")
PERCENTILE_RANK = Code("125012", "DCM", "Growth Percentile Rank")
EQUATION = Code("121420", "DCM", "Equation")
HADLOCK_AGE = Code("11932-1", "LN", "HC, Hadlock 1984")

# Units
MILLIMETER = Code("mm", "UCUM", "mm")
DAY = Code("d", "UCUM", "day")
PERCENT = Code("%", "UCUM", "Percent")

# What was segmented, and by what
ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
HEAD = Code("69536005", "SCT", "Head")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")

# The standard has no codes for these.
_OWN = "99FETALMONAI"
FETAL_HEAD = Code("FETAL_HEAD", _OWN, "Fetal head")
ELLIPSE_PERIMETER = Code("PERIMETER_OO", _OWN, "Perimeter of the ellipse on the outer edge")
OUTER_TO_OUTER_SHORT = Code("SHORT_AXIS_OO", _OWN, "Short axis of the ellipse, outer to outer")
OUTER_TO_OUTER_LONG = Code("LONG_AXIS_OO", _OWN, "Long axis of the ellipse, outer to outer")
INTERGROWTH_AGE = Code("IG21_GA_BY_HC", _OWN, "HC, INTERGROWTH-21st 2016, doi:10.1002/uog.15894")
INTERGROWTH_GROWTH = Code("IG21_HC_BY_GA", _OWN, "HC by GA, INTERGROWTH-21st, doi:10.1016/S0140-6736(14)61490-2")

OWN_SCHEME = CodingSchemeIdentificationItem(
    designator=_OWN, name="Concepts of fetal_monai", responsible_organization="The fetal_monai developers"
)
"""Declares the private codes in a document."""
