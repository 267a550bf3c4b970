"""The mask of the head as a DICOM Segmentation."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from highdicom import PixelMeasuresSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom import Dataset

from fetal_monai.dicom_report.codes import ANATOMICAL_STRUCTURE, HEAD
from fetal_monai.dicom_report.reported_frame import ReportedFrame, derived_uid


def segmentation(frame: ReportedFrame) -> Segmentation:
    """Build the segmentation: one binary frame of the size of the source frame."""
    header, mask = frame.source.header, frame.result.mask
    assert mask is not None  # the network saw the frame
    head = SegmentDescription(
        segment_number=1,
        segment_label="Fetal head",
        segmented_property_category=ANATOMICAL_STRUCTURE,
        segmented_property_type=HEAD,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=frame.algorithm.sequence(),
    )
    # highdicom takes a loop for a volume, so it is given the frame as a volume of one.
    image = deepcopy(header)
    image.NumberOfFrames = 1
    image.SharedFunctionalGroupsSequence = [Dataset()]
    image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence = PixelMeasuresSequence(
        frame.result.head.pixel_spacing_mm, slice_thickness=None
    )
    document = Segmentation(
        source_images=[image],
        pixel_array=mask.astype(np.uint8)[np.newaxis],
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[head],
        content_label="FETAL_HEAD",
        content_description="Fetal head by artificial intelligence, not verified",
        **frame.identification("seg"),
    )
    document.PatientOrientation = None  # not known
    # A frame has no slice thickness, without which readers refuse the measures; its pixels are those of the source.
    document.SharedFunctionalGroupsSequence[0].pop("PixelMeasuresSequence", None)
    dimensions = derived_uid(document.SOPInstanceUID, "dimensions")  # highdicom's is random
    for item in (*document.DimensionOrganizationSequence, *document.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
    if frame.source.frame_number is not None:
        (groups,) = document.PerFrameFunctionalGroupsSequence
        (derivation,) = groups.DerivationImageSequence
        derivation.SourceImageSequence[0].ReferencedFrameNumber = frame.source.frame_number
    return document
