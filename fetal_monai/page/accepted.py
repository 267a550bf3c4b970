"""The frames whose ellipse a person has accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Spacing
from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement import HeadResult
from fetal_monai.page.annotation import StoredAnnotation
from fetal_monai.page.folder import UnknownFileError
from fetal_monai.page.opened_file import Pixels
from fetal_monai.page.workspace import Workspace


@dataclass(frozen=True, eq=False)
class AcceptedFrame:
    """A frame with the ellipse that a person has accepted.

    Attributes:
        file: The frame's file.
        is_still: Whether the file holds this frame only.
        pixels: Gray levels (H, W).
        head: The ellipse and its sizes.
        result: The same with its scale, as a row of the table.
        annotation: What the person said.
    """

    file: Path
    is_still: bool
    pixels: Pixels
    head: HeadMeasurement
    result: HeadResult
    annotation: StoredAnnotation

    @property
    def name(self) -> str:
        """Its file, and of a loop its place."""
        return self.annotation.file if self.is_still else f"{self.annotation.file}, frame {self.annotation.frame}"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the frame."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def ellipse(self) -> Ellipse:
        """The ellipse, px."""
        return self.head.ellipse_px

    @property
    def pixel_spacing_mm(self) -> Spacing | None:
        """(row, column) where the ellipse is; None when unknown."""
        return self.head.pixel_spacing_mm


def accepted_frames(workspace: Workspace) -> Iterator[AcceptedFrame | Rejected]:
    """Read the frames with an accepted ellipse, in the order of the work list.

    Yields:
        The frames, and a `Rejected` for each that cannot be read any more.
    """
    annotations = workspace.store.all()
    order = {identifier: place for place, identifier in enumerate(workspace.folder.files)}
    for key in sorted(annotations, key=lambda key: (order.get(key[0], len(order)), key)):
        annotation = annotations[key]
        if annotation.decision != "accepted" or annotation.ellipse is None:
            continue
        identifier, index = key
        try:
            file = workspace.open(identifier)
            pixels = file.pixels(index)
            result = workspace.drawn(identifier, index, annotation.ellipse.ellipse(), annotation.scale)
        except (UnknownFileError, FrameError, IndexError, OSError) as error:
            yield Rejected(workspace.folder.root / annotation.file, str(error), index or None)
        else:
            assert isinstance(result.head, HeadMeasurement)
            yield AcceptedFrame(file.path, len(file.frames) == 1, pixels, result.head, result, annotation)
