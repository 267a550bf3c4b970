"""The result of checking a data set before it is prepared: usable frames and problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fetal_monai.data.preparation.problem import Problem

_LISTED_IN_ERROR = 5


class NamedFrame(Protocol):
    """A frame with a file name for the report of its problems."""

    @property
    def filename(self) -> str: ...  # noqa: D102


FrameT = TypeVar("FrameT", bound=NamedFrame)


@dataclass(frozen=True, slots=True)
class Inspection(Generic[FrameT]):
    """The usable frames of a data set, and all problems found in it.

    Frames with an error of their own are not in `frames`; frames that are identical to others are.

    Attributes:
        frames: The usable frames.
        problems: Errors and warnings.
    """

    frames: list[FrameT]
    problems: list[Problem]

    @property
    def left_out(self) -> list[Problem]:
        """Errors of files that are not among the usable frames."""
        usable = {frame.filename for frame in self.frames}
        return [finding for finding in self.problems if finding.level == "error" and finding.file not in usable]

    def check_usable(self) -> None:
        """Check that there is a usable frame.

        Raises:
            ValueError: There is none. The message names the first files that were left out, with the reasons.
        """
        if not self.frames:
            left_out = self.left_out
            reasons = "".join(f"\n  {finding.file}: {finding.detail}" for finding in left_out[:_LISTED_IN_ERROR])
            raise ValueError(f"No usable frame in the data set ({len(left_out)} left out).{reasons}")
