"""The stages of the pipeline, which run in Ray's workers: reading, the network, measuring."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from fetal_monai.cohort.piece import Batch, BatchRows, Piece
from fetal_monai.data.frame_failure import failure_reason
from fetal_monai.data.frame_source import FrameSource, SourceFrame
from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement.frame_batch import FrameBatch
from fetal_monai.measurement.item_row import item_row
from fetal_monai.measurement.measure_frames import frames_of, in_batches, with_results
from fetal_monai.runtimes import find_bundle, select_runtime

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class EngineChoice:
    """What `select_runtime` chooses an engine by.

    Attributes:
        bundle: Name or folder of the bundle.
        engine: As for `select_runtime`, like the next two.
        precision: See there.
        device: See there.
    """

    bundle: str
    engine: str
    precision: str
    device: str


def to_record(value: object) -> Record:
    """Return the row of Ray Data's table that holds an object."""
    return {"pickled": pickle.dumps(value, protocol=5)}


def from_record(record: Record) -> Any:
    """Return the object of a row of Ray Data's table."""
    return pickle.loads(record["pickled"])  # noqa: S301 - written by our own processes


def read(record: Record, spatial_size: tuple[int, int], batch_size: int) -> Iterator[Record]:
    """Read the files of a piece, in batches of frames at the network's size."""
    piece: Piece = from_record(record)
    batches = in_batches(_frames(piece.frames), batch_size)
    current = next(batches, [])
    index = 0
    while True:
        following = next(batches, None)
        frames = frames_of(current)
        inputs = FrameBatch.of([each.frame.pixels for each in frames], [each.scale for each in frames], spatial_size)
        items = [item.without_pixels() if isinstance(item, SourceFrame) else item for item in current]
        yield to_record(Batch(piece.place, index, following is None, items, inputs))
        if following is None:
            return
        current, index = following, index + 1


class Engine:
    """The network, loaded once for each actor."""

    def __init__(self, choice: EngineChoice) -> None:
        self.runtime = select_runtime(find_bundle(choice.bundle), choice.engine, choice.precision, choice.device)

    def __call__(self, record: Record) -> Record:
        """Run the network on a batch."""
        batch: Batch = from_record(record)
        return to_record(replace(batch, probabilities=batch.inputs.probabilities(self.runtime)))


def measure(record: Record, source_dir: Path) -> Record:
    """Measure the heads in the network's output."""
    batch: Batch = from_record(record)
    assert batch.probabilities is not None
    items = with_results(batch.items, batch.inputs.results(batch.probabilities))
    return to_record(BatchRows(batch.place, batch.index, batch.is_last, [item_row(item, source_dir) for item in items]))


def _frames(source: FrameSource) -> Iterator[SourceFrame | Rejected]:
    """The frames of a piece; the copies of its files that are made for it are removed.

    An unforeseen error ends the piece; where it is one file, this file fails.
    """
    try:
        yield from source
    except Exception as error:
        if len(source.files) > 1:
            raise
        yield Rejected(source.files[0], failure_reason(error, source.files[0]))
    finally:
        if source.retrieve is not None:
            for file in source.files:
                file.unlink(missing_ok=True)
