"""How many files of an inference failed, as its last line and its exit code."""

from __future__ import annotations

import logging
from pathlib import Path

from fetal_monai.files import read_csv_table
from fetal_monai.files.csv_format import csv_format_named
from fetal_monai.workflow.brief_errors import on_command_line

logger = logging.getLogger(__name__)


def state_failed_files(table: str | Path, csv_format: str = "plain") -> None:
    """Say how many files failed, if any. An inference calls it in its `finalize`.

    Args:
        table: The results, with the columns `file` and `status`.
        csv_format: How the table is written, one of `fetal_monai.files.csv_format.CSV_FORMATS`.

    Raises:
        SystemExit: Files failed, and this is the command line: the exit code is 1. A program that runs a workflow gets
            a log line.
    """
    _, rows = read_csv_table(Path(table), csv_format_named(csv_format).delimiter)
    failed = {row["file"] for row in rows if row["status"] == "failed"}
    if failed:
        message = f"{len(failed)} of {len({row['file'] for row in rows})} files failed; {table} says why."
        if on_command_line():
            raise SystemExit(message)
        logger.warning(message)
