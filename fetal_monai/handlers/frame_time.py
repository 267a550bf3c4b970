"""The time that a network takes for a frame."""

from __future__ import annotations

import time

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents


class FrameTime:
    """Puts `ms_per_frame` into the engine's metrics: the median time from the preprocessed input to the output.

    It is measured on the run's device and includes the transfer to it, but not reading, preprocessing and
    post-processing. The time of a batch is divided by its frames: batches of one give the delay of a live view. NaN if
    no iteration follows the warm-up.

    Attach it first, so that the handlers that write the metrics find it.

    Args:
        warm_up: Number of first iterations that are not counted: they allocate memory and choose algorithms.
    """

    def __init__(self, warm_up: int = 3) -> None:
        self.warm_up = warm_up
        self._start_s = 0.0
        self._times_ms: list[float] = []

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_STARTED, self.start)
        engine.add_event_handler(IterationEvents.FORWARD_COMPLETED, self.stop)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.report)

    def clear(self, engine: Engine) -> None:
        """Forget the times of an earlier run."""
        self._times_ms = []

    def start(self, engine: Engine) -> None:
        """Record when the input is ready."""
        self._start_s = _now_s(engine)

    def stop(self, engine: Engine) -> None:
        """Record when the output is ready."""
        frames = len(engine.state.output["image"])
        self._times_ms.append(1000 * (_now_s(engine) - self._start_s) / frames)

    def report(self, engine: Engine) -> None:
        """Hand the median to the engine."""
        counted = self._times_ms[self.warm_up :]
        engine.state.metrics["ms_per_frame"] = float(np.median(counted)) if counted else float("nan")


def _now_s(engine: Engine) -> float:
    if engine.state.device.type == "cuda":
        torch.cuda.synchronize(engine.state.device)  # the GPU runs asynchronously
    return time.perf_counter()
