"""The pipeline: Ray Data streams pieces of a cohort through reading, the network and measuring."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext

from fetal_monai.cohort.piece import BatchRows, Piece, Place
from fetal_monai.cohort.stages import Engine, EngineChoice, from_record, measure, read, to_record
from fetal_monai.reporting.measurement_row import Row

_TRIES = 2
_BLOCK_BYTES = 4 << 20  # of pixels that wait together between two stages


@dataclass(frozen=True)
class Pipeline:
    """Measures pieces on the connected Ray cluster.

    A task whose worker process ends is tried twice. Where it ends again, its piece has no rows and the others go on.

    Attributes:
        choice: The engine.
        spatial_size: (H, W) of the network.
        batch_size: Frames that the network sees at once.
        engines: Number of engines, each in a process of its own.
        engine_resources: What Ray is to reserve for an engine, such as `{"num_gpus": 1}`.
        source_dir: The folder that the names of the files are relative to.
    """

    choice: EngineChoice
    spatial_size: tuple[int, int]
    batch_size: int
    engines: int
    engine_resources: dict[str, float]
    source_dir: Path

    def rows(self, pieces: Sequence[Piece]) -> Iterator[tuple[Place, list[Row]]]:
        """Measure pieces.

        Yields:
            The rows of each piece that was measured to its end, in the order in which the pieces end.
        """
        if not pieces:
            return
        begun: dict[Place, list[BatchRows]] = defaultdict(list)
        for record in self._dataset(pieces).iter_rows():
            batch: BatchRows = from_record(record)
            batches = begun[batch.place]
            batches.append(batch)
            if len(batches) == sum(each.index + 1 for each in batches if each.is_last):
                del begun[batch.place]
                ordered = sorted(batches, key=lambda each: each.index)
                yield batch.place, [row for each in ordered for row in each.rows]

    def _dataset(self, pieces: Sequence[Piece]) -> ray.data.Dataset:
        context = DataContext.get_current()
        context.max_errored_blocks = -1
        context.target_max_block_size = _BLOCK_BYTES
        context.enable_progress_bars = False
        on_tasks: dict[str, Any] = {"num_cpus": 1, "max_retries": _TRIES - 1}
        on_engines: dict[str, Any] = {"max_restarts": -1, "max_task_retries": _TRIES - 1, **self.engine_resources}
        sizes = {"spatial_size": self.spatial_size, "batch_size": self.batch_size}
        with warnings.catch_warnings():
            # Ray Data retries without end, and the arguments that change it have no other name yet.
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
            return (
                ray.data.from_items([to_record(piece) for piece in pieces], override_num_blocks=len(pieces))
                .flat_map(read, fn_kwargs=sizes, **on_tasks)
                .map(
                    Engine,
                    fn_constructor_args=(self.choice,),
                    compute=ActorPoolStrategy(size=self.engines),
                    **on_engines,
                )
                .map(measure, fn_kwargs={"source_dir": self.source_dir}, **on_tasks)
            )
