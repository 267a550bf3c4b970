"""Images from a PACS and reports to it, by DICOMweb (extra `dicom`)."""

from .address import http_url, is_dicomweb
from .client import open_client
from .error import DicomWebError
from .report_store import ReportStore
from .study import UltrasoundStudy

__all__ = ["DicomWebError", "ReportStore", "UltrasoundStudy", "http_url", "is_dicomweb", "open_client"]
