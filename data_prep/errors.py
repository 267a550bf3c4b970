"""Errors of the command lines."""


class DownloadError(RuntimeError):
    """A file could not be fetched, is not what the record promises, or must not be unpacked."""
