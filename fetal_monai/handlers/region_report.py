"""The results of an evaluation of region classification and localisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
from ignite.engine import Engine, Events
from monai.utils import convert_to_numpy
from tqdm import tqdm

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.metrics import EvaluatedFrame, region_statistics
from fetal_monai.reporting.region_figures import REGION_FIGURES, write_region_figures
from fetal_monai.reporting.region_tables import REGION_TABLES, write_region_tables
from fetal_monai.reporting.report_files import summary_table, write_summary

NOT_LOCALISED = FailedEstimate("not localised")


class RegionReport:
    """Writes the results of an evaluation as tables and figures, and prints the means.

    ``per_image.csv``
        One row a frame: its file below the folder that all frames share, labels, winning class, score of each class
        (sigmoid of its logit), box, IoU. A row thus has the same name wherever the data set is stored.
    ``accuracy.csv``
        Accuracy (see `class_accuracy`) and average precision of each class.
    ``precision_recall.csv``, ``precision_recall.png``
        The precision-recall curve of each class.
    ``confusion_matrix.csv``, ``confusion_matrix.png``
        Over the frames with one label: the part of a class's frames (row) that each class wins (column).
    ``iou.csv``, ``iou.png``
        Mean intersection over union of each class with the expert's boxes (see `region_overlap`).
    ``summary.json``
        The facts, the means over the regions (without the background and classes without frames), and the values of
        each class.

    A class without frames has empty cells. The means and the values of each class also go to
    ``engine.state.metrics``, as ``accuracy_mean``, ``accuracy_head`` and so on (``average_precision_...``,
    ``iou_...``), so attach `RunTracker` after this handler, with `artifacts`.

    Frames are taken from the engine's batch and output, decollated to one dictionary a frame: ``image``, with its file
    name as meta data; ``pred``, logits (C,); ``target``, (C,), 1 for every class in sight; and, where present,
    ``frame``, its place in a cine loop; ``boxes``, the expert's, (C, 4) with NaN where unknown; ``pred_box``, the `Box`
    or `FailedEstimate` of the winning class in the same px as ``boxes``.

    The evaluation must run in a single process: under several ranks the frames of the others would be lost, so that is
    an error.

    Args:
        output_dir: Folder to write to.
        class_names: C of them, in the order of the network's outputs.
        background: The class that is no region.
        facts: Further entries of the summary, such as the section evaluated and the network's cost.

    Raises:
        ValueError: `background` is none of the classes.
    """

    def __init__(
        self,
        output_dir: str | Path,
        *,
        class_names: Sequence[str],
        background: str = "background",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        if background not in class_names:
            raise ValueError(f"background must be one of the classes {list(class_names)}, got {background!r}.")
        self.output_dir = Path(output_dir)
        self.class_names = list(class_names)
        self.background = self.class_names.index(background)
        self.facts = dict(facts or {})
        self._frames: list[EvaluatedFrame] = []

    @property
    def artifacts(self) -> list[Path]:
        """The files that a run writes."""
        return [self.output_dir / name for name in (*REGION_TABLES, *REGION_FIGURES, "summary.json")]

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator.

        Raises:
            RuntimeError: The evaluation runs under several ranks.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("RegionReport works in one process; run the evaluation without torchrun.")
        engine.add_event_handler(Events.EPOCH_STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add_batch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def clear(self, engine: Engine) -> None:
        """Forget the frames of an earlier run."""
        self._frames = []

    def add_batch(self, engine: Engine) -> None:
        """Record the frames of a batch.

        Raises:
            ValueError: A logit is not finite, or a frame has other classes than the report; the message names the
                file.
        """
        for known, predicted in zip(engine.state.batch, engine.state.output, strict=True):
            self._frames.append(self._evaluated({**known, **predicted}))

    def write(self, engine: Engine) -> None:
        """Write the files, print the summary, and hand the values to the engine."""
        statistics = region_statistics(self._frames, self.background)
        write_region_tables(self.output_dir, self.class_names, self._frames, statistics)
        write_region_figures(self.output_dir, self.class_names, statistics)

        metrics = {f"{name}_mean": mean for name, mean in statistics.means.items()}
        for measure, values in statistics.by_class.items():
            metrics |= {
                f"{measure}_{name}": value for name, value in zip(self.class_names, values.tolist(), strict=True)
            }
        engine.state.metrics.update(metrics)
        summary = {**self.facts, "frames": len(self._frames), **metrics}
        write_summary(self.output_dir / "summary.json", summary)
        tqdm.write(f"\n{summary_table(summary)}\nper image: {self.output_dir / 'per_image.csv'}")

    def _evaluated(self, item: Mapping[str, Any]) -> EvaluatedFrame:
        image, classes = str(item["image"].meta["filename_or_obj"]), len(self.class_names)
        logits, target = (convert_to_numpy(item[key]).astype(float).ravel() for key in ("pred", "target"))
        references = convert_to_numpy(item.get("boxes", np.full((classes, 4), np.nan))).astype(float)
        if not (len(logits) == len(target) == len(references) == classes):
            raise ValueError(
                f"{image}: has {len(logits)} logits, {len(target)} targets and {len(references)} boxes; expected "
                f"{classes}, one a class: {', '.join(self.class_names)}."
            )
        if not np.isfinite(logits).all():
            raise ValueError(f"{image}: the logits are {logits.tolist()}; expected finite numbers. Check the weights.")
        return EvaluatedFrame(
            image=image,
            index=int(item["frame"]) if "frame" in item else None,
            logits=logits,
            target=target,
            box=item.get("pred_box", NOT_LOCALISED),
            references=references,
        )
