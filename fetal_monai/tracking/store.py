"""The MLflow store: one for all bundles of a checkout."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from fetal_monai.files import atomic_path
from fetal_monai.files.folder_lock import folder_lock

EXPERIMENT = "fetal_monai"
WEIGHTS_TAG = "weights_sha256"
"""The tag by which an evaluation finds the training that made its weights."""

_SQLITE = "sqlite:///"


def tracking_uri(bundle_root: str | Path) -> str:
    """Return the URI of the MLflow store for the runs of a bundle.

    This is `MLFLOW_TRACKING_URI` if it is set, else one SQLite file for all bundles, so that they can be compared:
    `mlruns/mlruns.db` in the folder that contains `bundles/`, or in the bundle itself if it is not in such a folder.
    For a bundle inside the installed package, which is to be read only, it is in the working directory.
    """
    if named := os.environ.get("MLFLOW_TRACKING_URI"):
        return named
    root = Path(bundle_root).resolve()
    homes = {"bundles": root.parent.parent, "_bundles": Path.cwd()}
    store = homes.get(root.parent.name, root) / "mlruns"
    store.mkdir(parents=True, exist_ok=True)
    return f"{_SQLITE}{store / 'mlruns.db'}"


def create_store(uri: str) -> None:
    """Create the database of a SQLite store if it does not exist; leave any other store to MLflow.

    MLflow creates the tables one by one in the file itself: two processes that do so at once, or one that is killed
    meanwhile, leave a file that MLflow cannot use. Here a single process creates it under another name.

    Args:
        uri: MLflow's tracking URI.

    Raises:
        RuntimeError: The file was left behind by an interrupted creation or upgrade.
    """
    database = Path(uri.removeprefix(_SQLITE).partition("?")[0]).absolute()
    if not uri.startswith(_SQLITE) or uri in (_SQLITE, f"{_SQLITE}:memory:"):
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with folder_lock(database.parent):
        if database.exists():
            _refuse_half_created(database)
            return
        logging.getLogger("mlflow.store.db.utils").setLevel(
            logging.WARNING
        )  # "Creating initial MLflow database tables"
        with atomic_path(database, recorded=False) as temporary:  # it is that of many runs
            artifacts = (database.parent / "mlruns").as_uri()  # where MONAI's handler keeps them too
            store = SqlAlchemyStore(f"{_SQLITE}{temporary}", artifacts)
            # Of two first runs that create the experiment at once, one would fail.
            store.create_experiment(EXPERIMENT, artifacts)
            store.engine.dispose()


def _refuse_half_created(database: Path) -> None:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as connection:
        query = "SELECT name FROM sqlite_master WHERE name LIKE '_alembic_tmp_%'"
        table = connection.execute(query).fetchone()
    if table is not None:
        raise RuntimeError(
            f"{database} is unusable: its creation or upgrade was interrupted (it contains the table '{table[0]}'). "
            "Move the file away: the next run creates a new store."
        )
