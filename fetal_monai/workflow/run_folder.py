"""A run in its output folder, apart from the results of earlier runs."""

from __future__ import annotations

import logging
from pathlib import Path

import ignite.distributed as idist
from ignite.engine import Events
from monai.engines import Trainer, Workflow
from tqdm.contrib.logging import logging_redirect_tqdm

from fetal_monai.files.run_record import move_recorded_files, record_run

logger = logging.getLogger(__name__)

# The stages whose earlier results a run replaces: an evaluation may read the weights of a training in its own folder.
_REPLACED = {
    "train": ("train", "evaluate", "inference"),
    "evaluate": ("evaluate", "inference"),
    "inference": ("evaluate", "inference"),
}


def run_in_folder(output_dir: str | Path, stage: str, engine: Workflow, resume: bool = False) -> None:
    """Run an engine, with the files of earlier runs moved aside.

    The newest results are at the top of the output folder. What earlier runs wrote there is moved into a numbered
    folder in it (`run_1`, `run_2`, ...) before the engine starts; a log line says so. `<stage>_files.txt` lists the
    files of a run; no other file is ever moved. A training replaces the results of all stages, an evaluation or
    inference those of evaluations and inferences.

    MONAI skips an engine that has no data. Here its handlers are still started and completed, so that the reports say
    what was left out.

    Args:
        output_dir: Where the run writes; created if it does not exist.
        stage: "train", "evaluate" or "inference".
        engine: The trainer or evaluator.
        resume: Whether an interrupted run is continued: its files stay where they are.

    Raises:
        NotADirectoryError: `output_dir` is a file.
        FolderInUseError: Another process writes to the folder.
        RuntimeError: The training has already run.
    """
    folder, replaced = Path(output_dir), _REPLACED[stage]
    if isinstance(engine, Trainer) and engine.state.iteration > 0:
        raise RuntimeError(
            "This training has already run, and its networks are trained. Call initialize() of the workflow before "
            "run() to train anew."
        )
    if idist.get_rank() > 0:
        _run(engine)
        return
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder for the results with --output_dir.")
    folder.mkdir(parents=True, exist_ok=True)
    if not resume and (earlier := move_recorded_files(folder, map(_record, replaced))):
        logger.info("%s: the files of the earlier run are now in %s", folder, earlier)
    with record_run(folder, _record(stage)):
        _run(engine)


def _record(stage: str) -> str:
    return f"{stage}_files.txt"


def _run(engine: Workflow) -> None:
    with logging_redirect_tqdm():  # a line of the log is written above the progress bar, not into it
        if engine.state.epoch_length == 0:
            engine.fire_event(Events.STARTED)
            engine.fire_event(Events.COMPLETED)
        else:
            engine.run()
