"""Errors of the command lines."""


class DownloadError(RuntimeError):
    """A file could not be downloaded, differs from the record, or must not be unpacked."""
