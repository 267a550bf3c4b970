"""What an estimate returns that found nothing: a falsy object with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn


@dataclass(frozen=True, slots=True)
class FailedEstimate:
    """What a fit or a localisation returns when it finds nothing: falsy, and an error as soon as it is used.

    Attributes:
        reason: What went wrong, in words for the person who made the image.

    Raises:
        ValueError: Any attribute but `reason` is read.

    Example:
        >>> fit = FailedEstimate("the mask is empty")
        >>> bool(fit)
        False
        >>> fit.perimeter
        Traceback (most recent call last):
            ...
        ValueError: There is no 'perimeter': the mask is empty
    """

    reason: str

    def __bool__(self) -> Literal[False]:
        return False

    def __getattr__(self, name: str) -> NoReturn:
        # Protocol probes (numpy, copy, pickle) ask for dunder names and rely on AttributeError.
        if name.startswith("__"):
            raise AttributeError(name)
        raise ValueError(f"There is no '{name}': {self.reason}")
