"""The data set that a bundle trains on when none is given."""

from __future__ import annotations

from pathlib import Path

import ignite.distributed as idist

from fetal_monai.data.datalist import DATALIST_NAME
from fetal_monai.data.hc18 import prepare_hc18

from .writer import write_phantoms

DEMONSTRATION_FRAMES = 200


def demonstration_dataset(folder: str | Path, count: int = DEMONSTRATION_FRAMES) -> Path:
    """Return a folder of prepared phantoms, made on the first call; says that this is a demonstration.

    Several processes may call it at once: the first rank makes the phantoms, the others wait.

    Args:
        folder: where the phantoms lie, in HC18's layout, with their data list.
        count: how many frames.
    """
    folder = Path(folder)
    with idist.one_rank_first():
        if idist.get_rank() == 0:
            print(
                "No data set given: this is the DEMONSTRATION, on simulated heads (phantoms). "
                "For real frames prepare a data set (python -m data_prep.hc18 --help) and name it with --dataset_dir."
            )
        if not (folder / DATALIST_NAME).is_file():
            write_phantoms(folder, count=count)
            prepare_hc18(folder, folder)
    return folder
