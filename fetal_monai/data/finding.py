"""What is wrong with a data set, as one finding a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a data set.

    Attributes:
        level: "error", or "warning" for what does no harm.
        check: Which check found it.
        file: Name of the frame, label or table.
        detail: What is wrong, with the values.
    """

    level: Literal["error", "warning"]
    check: str
    file: str
    detail: str
