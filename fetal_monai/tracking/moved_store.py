"""Find the artifacts of a moved MLflow store again: python -m fetal_monai.tracking.moved_store --help."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

_DESCRIPTION = """\
MLflow keeps the absolute path of each run's artifacts. After the folder of the store was
moved or copied, this command replaces those paths in its database. Artifacts that are not
beside the database, such as those of a server, keep theirs.

example:
  python -m fetal_monai.tracking.moved_store mlruns/mlruns.db"""

# The tables and columns in which MLflow keeps places of artifacts.
_PLACES = (("experiments", "artifact_location"), ("runs", "artifact_uri"))


def update_artifact_places(database: str | Path) -> int:
    """Replace the paths of the artifacts that lie beside the database, where `create_store` keeps them.

    Args:
        database: The SQLite file of the store, at its new place, with the folder `mlruns` of its artifacts beside it.

    Returns:
        Number of runs whose path was replaced.

    Raises:
        FileNotFoundError: There is no such file, or no folder of artifacts beside it.
        ValueError: The file is not an MLflow store.
    """
    database = Path(database).resolve()
    artifacts = database.parent / "mlruns"
    if not database.is_file() or not artifacts.is_dir():
        missing = artifacts if database.is_file() else database
        raise FileNotFoundError(
            f"{missing} does not exist. Move the database together with the folder mlruns beside it."
        )
    with closing(sqlite3.connect(database)) as connection, connection:
        try:
            counts = [_replace(connection, table, column, artifacts) for table, column in _PLACES]
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{database} is not an MLflow store ({error}). Give the file mlruns.db.") from error
    return counts[-1]


def _replace(connection: sqlite3.Connection, table: str, column: str, artifacts: Path) -> int:
    replaced = 0
    for (place,) in connection.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE 'file:%'").fetchall():
        # file:///somewhere/mlruns of an experiment, file:///somewhere/mlruns/RUN/artifacts of a run
        inside = f"{place}/".rpartition("/mlruns/")[2].strip("/")
        new = "/".join([artifacts.as_uri(), *inside.split("/")]).rstrip("/")
        if new != place and (artifacts / inside).is_dir():
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, place))
            replaced += 1
    return replaced


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words of the command line; those of the process when None.

    Returns:
        Exit code: 0 done, 2 could not do it.
    """
    parser = argparse.ArgumentParser(
        prog="python -m fetal_monai.tracking.moved_store",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("database", type=Path, help="the SQLite file of the store")
    options = parser.parse_args(arguments)
    try:
        print(f"Replaced the places of the artifacts of {update_artifact_places(options.database)} runs.")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
