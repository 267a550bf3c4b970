"""The error of a comparison."""


class ComparisonError(ValueError):
    """The selected runs cannot be compared; the message names them and says how to fix it."""
