"""What is sent between the stages of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.frame_source import FrameSource, SourceFrame
from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement.frame_batch import FrameBatch
from fetal_monai.reporting.measurement_row import Row


class Place(NamedTuple):
    """Where a piece belongs: the files of a shard from `start` on."""

    shard: int
    start: int


@dataclass(frozen=True)
class Piece:
    """Files that are read by one task.

    Attributes:
        place: Where their rows belong.
        frames: The files.
    """

    place: Place
    frames: FrameSource


@dataclass(frozen=True, eq=False)
class Batch:
    """Frames of a piece that the network sees at once, and what could not be read between them.

    Attributes:
        place: Of the piece.
        index: The place of this batch in the piece, from 0.
        is_last: Whether it ends the piece.
        items: The frames, without their pixels, and what could not be read.
        inputs: The frames at the network's size.
        probabilities: The network's output, (N, h, w), when it has seen them.
    """

    place: Place
    index: int
    is_last: bool
    items: Sequence[SourceFrame | Rejected]
    inputs: FrameBatch
    probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class BatchRows:
    """The rows of a batch; for the attributes see `Batch`."""

    place: Place
    index: int
    is_last: bool
    rows: Sequence[Row]
