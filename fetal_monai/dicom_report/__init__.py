"""DICOM reports of a measurement, written into the study of the image (extra ``dicom``)."""

from fetal_monai.dicom_report.report_error import NoReportError
from fetal_monai.dicom_report.write_reports import ReportWriter, build_reports

__all__ = ["NoReportError", "ReportWriter", "build_reports"]
