"""The Imaging Measurement Report (TID 1500), which viewers read and draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from highdicom.sr import (
    ComprehensiveSR,
    GraphicTypeValues,
    ImageRegion,
    LanguageOfContentItemAndDescendants,
    MeasurementReport,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.dicom_report.algorithm import NOT_VERIFIED
from fetal_monai.dicom_report.codes import (
    COMMENT,
    ENGLISH,
    FETAL_HEAD,
    MEASUREMENT_REPORT,
    OBSTETRIC_ULTRASOUND,
    OWN_SCHEME,
)
from fetal_monai.dicom_report.measurements import ages, observation_context, percentile, sizes
from fetal_monai.dicom_report.reported_frame import ReportedFrame, derived_uid


def comprehensive_report(frame: ReportedFrame) -> ComprehensiveSR:
    """Build the report: the ellipse on its frame, and the numbers that belong to it."""
    identification = frame.identification("tid1500")
    tracking = TrackingIdentifier(derived_uid(identification["sop_instance_uid"], "head"), "Fetal head")
    region = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking,
        referenced_region=_region(frame),
        finding_type=FETAL_HEAD,
        measurements=sizes(frame),
    )
    (group,) = region
    comments = [text for text in (NOT_VERIFIED, frame.note) if text]
    group.ContentSequence.extend(
        [
            *ages(frame),
            *percentile(frame),
            *(TextContentItem(COMMENT, text, relationship_type=RelationshipTypeValues.CONTAINS) for text in comments),
        ]
    )
    report = MeasurementReport(
        observation_context=observation_context(frame),
        procedure_reported=OBSTETRIC_ULTRASOUND,
        imaging_measurements=[region],
        title=MEASUREMENT_REPORT,
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(ENGLISH),
    )
    return ComprehensiveSR(
        evidence=[frame.source.header],
        content=report[0],
        is_complete=True,
        coding_schemes=[OWN_SCHEME],
        **identification,
    )


def _region(frame: ReportedFrame) -> ImageRegion:
    """The ellipse by the ends of its axes; of one that leaves the frame, where coordinates end, the visible outline."""
    header, ellipse = frame.source.header, frame.result.ellipse_px
    assert isinstance(ellipse, Ellipse)  # it was measured
    kind = GraphicTypeValues.ELLIPSE
    points = ellipse.points(4)[[0, 2, 1, 3]]  # both ends of the long axis, then of the short one
    size = np.array([header.Columns, header.Rows])
    if not _inside(points, size).all():
        kind = GraphicTypeValues.POLYLINE
        outline = ellipse.points()
        visible = outline[_inside(outline, size)]
        points = np.concatenate([visible, visible[:1]])
    return ImageRegion(
        kind,
        points + 0.5,  # DICOM counts from the corner of the first pixel
        SourceImageForRegion(header.SOPClassUID, header.SOPInstanceUID, frame.source.frame_numbers),
    )


def _inside(points: NDArray[np.float64], size: NDArray[Any]) -> NDArray[np.bool_]:
    return np.all((points >= -0.5) & (points <= size - 0.5), axis=1)
