"""The data sets of the demonstration, used when a bundle is given none."""

from __future__ import annotations

from pathlib import Path

import ignite.distributed as idist

from fetal_monai.data.datalist import DATALIST_NAME
from fetal_monai.data.preparation.classification_dataset import write_classification_datalist
from fetal_monai.data.preparation.hc18 import prepare_hc18
from fetal_monai.data.preparation.label_folder import LABELS_TABLE, inspect_label_folder
from fetal_monai.phantom.plane_writer import write_plane_phantoms
from fetal_monai.phantom.writer import write_phantoms

DEMONSTRATION_FRAMES = 200
DEMONSTRATION_TEST_FRAMES = 8
DEMONSTRATION_PLANES = 1400

PLANES_DESCRIPTION = {
    "name": "Simulated planes",
    "description": "Phantoms of seven classes with exact boxes and sectors.",
    "licence": "Apache-2.0",
}


def demonstration_dataset(folder: str | Path, count: int = DEMONSTRATION_FRAMES) -> Path:
    """Return a folder of prepared phantoms, created on the first call.

    Several ranks may call it at once: the first one creates the phantoms, the others wait.

    Args:
        folder: Folder of the phantoms, in HC18's layout (annotated frames and a few test frames), and their data list.
        count: Number of annotated frames.
    """
    folder = Path(folder)
    with idist.one_rank_first():
        if not (folder / DATALIST_NAME).is_file():
            # Phantoms appear in one step: those of a call that was interrupted later are complete and can be used.
            if not (folder / "training_set").is_dir():
                write_phantoms(folder, count=count, test_count=DEMONSTRATION_TEST_FRAMES)
            prepare_hc18(folder, folder)
    return folder


def demonstration_planes(folder: str | Path, count: int = DEMONSTRATION_PLANES) -> Path:
    """Return a folder of simulated planes, prepared for classification; created on the first call.

    Several ranks may call it at once: the first one creates the phantoms, the others wait.

    Args:
        folder: Folder of the phantoms, as written by `write_plane_phantoms`, and their data list.
        count: Number of frames, over all classes.
    """
    folder = Path(folder)
    with idist.one_rank_first():
        if not (folder / DATALIST_NAME).is_file():
            # Phantoms appear in one step: those of a call that was interrupted later are complete and can be used.
            if not (folder / LABELS_TABLE).is_file():
                write_plane_phantoms(folder, count)
            write_classification_datalist(inspect_label_folder(folder), PLANES_DESCRIPTION, folder)
    return folder
