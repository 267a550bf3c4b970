"""DICOM structured reports of what the network measured on a frame (extra ``dicom``)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import astuple

import numpy as np
from pydicom.config import disable_value_validation

from fetal_monai.biometry import Ellipse
from fetal_monai.dicom_report import build_reports
from fetal_monai.dicom_report.algorithm import Algorithm
from fetal_monai.dicom_report.reported_frame import ReportedFrame
from fetal_monai.dicom_report.source import read_source
from fetal_monai.page.workspace import Workspace

_SAME_PX = 1e-6


def structured_reports(workspace: Workspace, identifier: str, index: int) -> bytes:
    """Build both structured reports of a frame.

    They state that software measured. An ellipse that a person has corrected is not what it measured, so there are none
    of it.

    Returns:
        A ZIP file with `obgyn.dcm` and `tid1500.dcm`.

    Raises:
        ValueError: The frame is not from a DICOM file, its measurement is not one to report, or it was corrected.
        UnknownFileError: See `Workspace.model`, as for the other errors.
    """
    result, drawn = workspace.model(identifier, index), workspace.annotation(identifier, index).ellipse
    if drawn and not (result.ellipse_px and _is_same(drawn.ellipse(), result.ellipse_px)):
        raise ValueError("The DICOM reports state what software measured, and this ellipse was drawn by hand.")
    file = workspace.open(identifier)
    algorithm = Algorithm.of(workspace.measuring.measurer)
    frame = ReportedFrame(read_source(file.path, index), file.pixels(index).astype(np.float32), result, algorithm)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, report in build_reports(frame, ["sr"]).items():
            content = io.BytesIO()
            with disable_value_validation():
                report.save_as(content, enforce_file_format=True)
            archive.writestr(f"{name}.dcm", content.getvalue())
    return written.getvalue()


def _is_same(ellipse: Ellipse, other: Ellipse) -> bool:
    return bool(np.allclose(astuple(ellipse), astuple(other), rtol=0, atol=_SAME_PX))
