"""The data set that a bundle trains on when none is given."""

from __future__ import annotations

from pathlib import Path

import ignite.distributed as idist

from fetal_monai.data.datalist import DATALIST_NAME
from fetal_monai.data.hc18 import prepare_hc18
from fetal_monai.phantom.writer import write_phantoms

DEMONSTRATION_FRAMES = 200
DEMONSTRATION_TEST_FRAMES = 8


def demonstration_dataset(folder: str | Path, count: int = DEMONSTRATION_FRAMES) -> Path:
    """Return a folder of prepared phantoms, made on the first call; says that this is a demonstration.

    Several ranks may call it at once: the first one makes the phantoms, the others wait.

    Args:
        folder: where the phantoms lie, in HC18's layout (annotated frames and a few test frames), with their data list.
        count: how many annotated frames.
    """
    folder = Path(folder)
    with idist.one_rank_first():
        if idist.get_rank() == 0:
            print(
                "No data set given: this is the DEMONSTRATION, on simulated heads (phantoms). "
                "For real frames prepare a data set (python -m data_prep.hc18 --help) and name it with --dataset_dir."
            )
        if not (folder / DATALIST_NAME).is_file():
            # Phantoms appear in one step: those of a call that was interrupted later are whole, and serve.
            if not (folder / "training_set").is_dir():
                write_phantoms(folder, count=count, test_count=DEMONSTRATION_TEST_FRAMES)
            prepare_hc18(folder, folder)
    return folder
