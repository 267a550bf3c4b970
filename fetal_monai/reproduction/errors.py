"""The error of a reproduction."""


class ReproductionError(ValueError):
    """The requested runs are not possible; the message says what is wrong and how to fix it."""
