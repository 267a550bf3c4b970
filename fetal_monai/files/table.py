"""Read tables as CSV or Parquet, by their suffix."""

from __future__ import annotations

from pathlib import Path

from fetal_monai.files.csv_table import Row, read_csv_table

PARQUET_SUFFIX = ".parquet"


def read_table(table: Path) -> tuple[list[str], list[Row]]:
    """Read the column names and the rows of a table, as `read_csv_table` does; cells of a Parquet table become text.

    Raises:
        ValueError: The file is no such table.
    """
    if table.suffix.lower() != PARQUET_SUFFIX:
        return read_csv_table(table)
    import pyarrow as pa  # slow to import, and rarely needed
    import pyarrow.parquet as pq

    try:
        content = pq.ParquetFile(table).read()
    except pa.ArrowInvalid as error:
        raise ValueError(f"{table}: not a Parquet table ({error}); write it again.") from error
    cells = [["" if value is None else str(value) for value in column.to_pylist()] for column in content.columns]
    names = content.column_names
    return names, [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
