"""Measure a cohort: every file has its row in the end, whatever happens to workers meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fetal_monai.cohort.cohort_source import CohortSource
from fetal_monai.cohort.piece import Piece, Place
from fetal_monai.cohort.pipeline import Pipeline
from fetal_monai.cohort.result_folder import ResultFolder
from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement.item_row import item_row
from fetal_monai.reporting.measurement_row import Row

_WORKER_ENDED = (
    "the process that measured this file ended twice, with this file alone: the file makes a decoder crash, or needs "
    "more memory than there is. Look at the file, or export it again."
)


def measure_cohort(
    source: CohortSource,
    results: ResultFolder,
    pipeline: Pipeline,
    *,
    files_per_shard: int,
    run: Mapping[str, str],
    done: Callable[[int, Iterable[Row]], None],
) -> None:
    """Write the parts that are missing, each when its last file is measured.

    The files of a part are read together first. If a worker process ends over them, they are read again, each alone.

    Args:
        source: The files.
        results: Where the parts are written.
        pipeline: Measures them.
        files_per_shard: Number of files of a part.
        run: What measured, for each row.
        done: Is told the number of files and the rows of each part that has been written.
    """
    files = source.frames.files
    there = results.shards()
    starts = range(0, len(files), files_per_shard)
    shards = {
        number: files[start : start + files_per_shard] for number, start in enumerate(starts) if number not in there
    }

    def finish(number: int, rows: Sequence[Row]) -> None:
        labelled = [{**row, **source.label(row["file"]), **run} for row in rows]
        results.write_shard(number, labelled)
        done(len(shards.pop(number)), labelled)

    together = [Piece(Place(number, 0), source.frames.only(each)) for number, each in shards.items()]
    for place, rows in pipeline.rows(together):
        finish(place.shard, rows)
    alone = [
        Piece(Place(number, start), source.frames.only([file]))
        for number, each in shards.items()
        for start, file in enumerate(each)
    ]
    found: dict[int, dict[int, list[Row]]] = defaultdict(dict)
    for place, rows in pipeline.rows(alone):
        found[place.shard][place.start] = rows
        if len(found[place.shard]) == len(shards[place.shard]):
            finish(place.shard, _in_order(found.pop(place.shard)))
    for number, each in list(shards.items()):
        failed = {start: [_failed(file, source.frames.source_dir)] for start, file in enumerate(each)}
        finish(number, _in_order(failed | found[number]))


def _in_order(rows: Mapping[int, list[Row]]) -> list[Row]:
    return [row for start in sorted(rows) for row in rows[start]]


def _failed(file: Path, source_dir: Path) -> Row:
    return item_row(Rejected(file, _WORKER_ENDED), source_dir)
