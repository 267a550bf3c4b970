"""The columns of a cohort's Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from fetal_monai.reporting.measurement_row import MEASUREMENT_COLUMNS, NUMBER_ENDINGS

LABEL_COLUMNS = ("patient", "exam")
"""Columns of a manifest that are handed on."""
RUN_COLUMNS = ("bundle", "weights_sha256", "engine", "precision", "fetal_monai")
"""What measured the row."""


def _type(column: str) -> pa.DataType:
    if column == "frame":
        return pa.int64()
    return pa.float64() if column.endswith(NUMBER_ENDINGS) else pa.string()


SCHEMA = pa.schema([(column, _type(column)) for column in (*MEASUREMENT_COLUMNS, *LABEL_COLUMNS, *RUN_COLUMNS)])


def parquet_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table; cells that are missing or empty are null."""
    listed = list(rows)
    columns = {name: [None if row.get(name) == "" else row.get(name) for row in listed] for name in SCHEMA.names}
    return pa.table(columns, SCHEMA)
