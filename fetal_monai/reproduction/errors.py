"""What cannot be reproduced."""


class ReproductionError(ValueError):
    """The runs asked for cannot be made; the message names what is wrong and the mend."""
