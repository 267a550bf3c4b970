"""The numbers of a frame as content items, the same in both structured reports."""

from __future__ import annotations

from highdicom.sr import (
    CodeContentItem,
    ContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    NumContentItem,
    ObservationContext,
    ObserverContext,
    RelationshipTypeValues,
    SourceImageForMeasurement,
)
from pydicom.sr.coding import Code

from fetal_monai.dicom_report.algorithm import MANUFACTURER
from fetal_monai.dicom_report.codes import (
    BIPARIETAL_DIAMETER,
    DAY,
    DEVICE,
    ELLIPSE_PERIMETER,
    EQUATION,
    GESTATIONAL_AGE,
    HADLOCK_AGE,
    HEAD_CIRCUMFERENCE,
    INTERGROWTH_AGE,
    INTERGROWTH_GROWTH,
    MILLIMETER,
    OCCIPITOFRONTAL_DIAMETER,
    OUTER_TO_OUTER_LONG,
    OUTER_TO_OUTER_SHORT,
    PERCENT,
    PERCENTILE_RANK,
)
from fetal_monai.dicom_report.reported_frame import ReportedFrame, derived_uid

_SIZES = (
    ("head_circumference_mm", HEAD_CIRCUMFERENCE, ELLIPSE_PERIMETER),
    ("biparietal_diameter_outer_to_outer_mm", BIPARIETAL_DIAMETER, OUTER_TO_OUTER_SHORT),
    ("occipitofrontal_diameter_mm", OCCIPITOFRONTAL_DIAMETER, OUTER_TO_OUTER_LONG),
)
"""The column of the table of measurements, its concept and how it was measured."""
_AGES = (
    ("gestational_age_intergrowth_days", INTERGROWTH_AGE),
    ("gestational_age_hadlock_days", HADLOCK_AGE),
)
"""Ages that follow from the head circumference, the preferred one first, see `fetal_monai.biometry.date_pregnancy`."""
_CONTAINS, _INFERRED_FROM = RelationshipTypeValues.CONTAINS, RelationshipTypeValues.INFERRED_FROM


def sizes(frame: ReportedFrame) -> list[Measurement]:
    """HC, BPD and OFD (TID 300), each with its method, algorithm and source image."""
    header, row = frame.source.header, frame.result.row
    spacing = f"{row['pixel_spacing_row_mm']:.6g} x {row['pixel_spacing_column_mm']:.6g} mm (row x column)"
    return [
        Measurement(
            concept,
            _printed(row[column]),
            MILLIMETER,
            method=method,
            algorithm_id=frame.algorithm.content_items(
                pixel_spacing=f"{spacing}, from the {row['pixel_spacing_source']}"
            ),
            referenced_images=[
                SourceImageForMeasurement(header.SOPClassUID, header.SOPInstanceUID, frame.source.frame_numbers)
            ],
        )
        for column, concept, method in _SIZES
    ]


def ages(frame: ReportedFrame) -> list[NumContentItem]:
    """The gestational ages that follow from the HC, each with its equation; none outside the standards' ranges."""
    row = frame.result.row
    return [_age(row[column], equation) for column, equation in _AGES if column in row]


def percentile(frame: ReportedFrame) -> list[NumContentItem]:
    """The percentile of the HC with its standard and the known age; none if the age is not known."""
    row = frame.result.row
    if "head_circumference_centile" not in row:
        return []
    item = _number(PERCENTILE_RANK, row["head_circumference_centile"], PERCENT)
    item.ContentSequence = ContentSequence(
        [
            _equation(INTERGROWTH_GROWTH),
            _number(GESTATIONAL_AGE, row["known_gestational_age_days"], DAY, _INFERRED_FROM),
        ]
    )
    return [item]


def observation_context(frame: ReportedFrame) -> ObservationContext:
    """The observer is a device: this software."""
    algorithm = frame.algorithm
    device = DeviceObserverIdentifyingAttributes(
        uid=derived_uid(algorithm.name, algorithm.version, algorithm.weights_sha256),
        name="fetal_monai",
        manufacturer_name=MANUFACTURER,
        model_name=algorithm.name,
        serial_number=algorithm.weights_sha256,
    )
    return ObservationContext(observer_device_context=ObserverContext(DEVICE, device))


def _age(days: float, equation: Code) -> NumContentItem:
    item = _number(GESTATIONAL_AGE, days, DAY)
    item.ContentSequence = ContentSequence([_equation(equation)])
    return item


def _number(
    concept: Code, value: float, unit: Code, relationship: RelationshipTypeValues = _CONTAINS
) -> NumContentItem:
    return NumContentItem(concept, _printed(value), unit, relationship_type=relationship)


def _equation(equation: Code) -> ContentItem:
    return CodeContentItem(EQUATION, equation, relationship_type=_INFERRED_FROM)


def _printed(value: float) -> float:
    """The value as tables print it."""
    return float(f"{value:.6g}")
