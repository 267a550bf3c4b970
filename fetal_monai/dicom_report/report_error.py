"""Why there is no report."""


class NoReportError(ValueError):
    """No report is written of a frame. The message is the reason, without personal data."""
