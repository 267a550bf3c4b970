"""A DICOM node, which measures what it receives and sends the reports to a PACS (extra ``dicom``)."""
