"""The OB-GYN Ultrasound Procedure Report (TID 5000), which reporting systems read."""

from __future__ import annotations

from collections.abc import Iterable

from highdicom.sr import (
    ComprehensiveSR,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    ImageContentItem,
    LanguageOfContentItemAndDescendants,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.sr.coding import Code

from fetal_monai.dicom_report.algorithm import NOT_VERIFIED
from fetal_monai.dicom_report.codes import (
    BIOMETRY_GROUP,
    COMMENT,
    ENGLISH,
    FETAL_BIOMETRY,
    IMAGE_LIBRARY,
    OBGYN_REPORT,
    OWN_SCHEME,
    SOURCE_IMAGE,
    SUMMARY,
)
from fetal_monai.dicom_report.measurements import ages, observation_context, percentile, sizes
from fetal_monai.dicom_report.reported_frame import ReportedFrame

_CONTAINS = RelationshipTypeValues.CONTAINS


def obgyn_report(frame: ReportedFrame) -> ComprehensiveSR:
    """Build the report: a biometry group (TID 5008) each for HC, BPD and OFD.

    A group has room for one gestational age: the one that `fetal_monai.biometry.date_pregnancy` prefers.
    """
    circumference, *diameters = sizes(frame)
    biometry = [
        _container(BIOMETRY_GROUP, [*circumference, *ages(frame)[:1], *percentile(frame)], "5008"),
        *(_container(BIOMETRY_GROUP, diameter, "5008") for diameter in diameters),
    ]
    root = ContainerContentItem(OBGYN_REPORT, template_id="5000")
    root.ContentSequence = ContentSequence(
        [
            *LanguageOfContentItemAndDescendants(ENGLISH),
            *observation_context(frame),
            _container(IMAGE_LIBRARY, [_image(frame)]),
            _container(SUMMARY, [_comment(text) for text in (NOT_VERIFIED, frame.note) if text], "5002"),
            _container(FETAL_BIOMETRY, biometry, "5005"),
        ]
    )
    return ComprehensiveSR(
        evidence=[frame.source.header],
        content=root,
        is_complete=True,
        coding_schemes=[OWN_SCHEME],
        **frame.identification("obgyn"),
    )


def _container(concept: Code, items: Iterable[ContentItem], template: str | None = None) -> ContainerContentItem:
    container = ContainerContentItem(concept, template_id=template, relationship_type=_CONTAINS)
    container.ContentSequence = ContentSequence(items)
    return container


def _image(frame: ReportedFrame) -> ImageContentItem:
    header = frame.source.header
    return ImageContentItem(
        SOURCE_IMAGE,
        header.SOPClassUID,
        header.SOPInstanceUID,
        referenced_frame_numbers=frame.source.frame_numbers,
        relationship_type=_CONTAINS,
    )


def _comment(text: str) -> TextContentItem:
    return TextContentItem(COMMENT, text, relationship_type=_CONTAINS)
