"""What cannot be compared."""


class ComparisonError(ValueError):
    """The runs asked for cannot stand beside each other; the message names them and the mend."""
