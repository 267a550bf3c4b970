"""The folder of a cohort's results: one Parquet file for each part of the input."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from fetal_monai.cohort.schema import parquet_table
from fetal_monai.files import atomic_path

_RUN = "cohort.json"
_SHARD = re.compile(r"part-(\d{6})\.parquet")


class ResultFolder:
    """A folder or an address of results. Each file in it is there whole or not at all.

    Args:
        place: A folder, or an address that fsspec opens, such as `s3://bucket/results`.
    """

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.files, self.root = url_to_fs(self.place)

    def start(self, run: Mapping[str, Any]) -> None:
        """Note what is measured, and how; continue where the same was begun before.

        Args:
            run: What the rows depend on.

        Raises:
            ValueError: The folder holds the results of another run.
        """
        earlier = self._earlier()
        if earlier is None:
            self.write(_RUN, (json.dumps(run, indent=2) + "\n").encode())
            return
        if differing := [name for name in {**earlier, **run} if earlier.get(name) != run.get(name)]:
            stated = "; ".join(f"{name}: {earlier.get(name)} there, {run.get(name)} now" for name in differing)
            raise ValueError(
                f"{self.place} holds the results of another run ({stated}). Repeat that command to continue it, or "
                "name another folder."
            )

    def shards(self) -> set[int]:
        """Return the numbers of the parts that are there."""
        if not self.files.isdir(self.root):
            return set()
        names = (path.rpartition("/")[2] for path in self.files.ls(self.root, detail=False, refresh=True))
        return {int(found[1]) for name in names if (found := _SHARD.fullmatch(name))}

    def write_shard(self, number: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the rows of one part."""
        content = io.BytesIO()
        pq.write_table(parquet_table(rows), content)
        self.write(f"part-{number:06d}.parquet", content.getvalue())

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        path = f"{self.root}/{name}"
        if isinstance(self.files, LocalFileSystem):
            with atomic_path(path, recorded=False) as temporary:
                temporary.write_bytes(content)
        else:
            self.files.pipe_file(path, content)  # an object is there when its last byte is

    def table(self, columns: list[str]) -> Any:
        """Return some columns of all rows, in the order of the input, as a `pyarrow.Table`."""
        paths = [f"{self.root}/part-{number:06d}.parquet" for number in sorted(self.shards())]
        return pq.read_table(paths, columns=columns, filesystem=self.files)

    def _earlier(self) -> dict[str, Any] | None:
        path = f"{self.root}/{_RUN}"
        return json.loads(self.files.cat_file(path)) if self.files.exists(path) else None
