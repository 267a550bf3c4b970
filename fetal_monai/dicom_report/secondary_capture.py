"""The overlay as a DICOM Secondary Capture: any viewer shows it."""

from __future__ import annotations

import numpy as np
from highdicom.sc import SCImage
from pydicom import Dataset

from fetal_monai.dicom_report.algorithm import NOT_VERIFIED
from fetal_monai.dicom_report.reported_frame import ReportedFrame
from fetal_monai.reporting.head_overlay import draw_overlay


def secondary_capture(frame: ReportedFrame) -> SCImage:
    """Build the picture: the frame with the mask, the ellipse and the measurements."""
    header, result = frame.source.header, frame.result
    number = frame.source.frame_number
    title = "AI, not verified" if frame.note is None else f"AI, not verified, frame {number}"
    picture = draw_overlay(frame.pixels, result.mask, result.head, title, result.scale.source)
    image = SCImage.from_ref_dataset(
        header,
        np.asarray(picture),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # highdicom wants one; it is not known
        **frame.identification("sc"),
    )
    image.PatientOrientation = image.Laterality = None
    image.ConversionType = "WSD"  # made on a workstation
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if number is not None:
        source.ReferencedFrameNumber = number
    image.SourceImageSequence = [source]
    image.DerivationDescription = " ".join(filter(None, [NOT_VERIFIED, frame.note]))
    image.BurnedInAnnotation = "YES"
    return image
