"""Checkpoints: the complete state of a training, and the best network so far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ignite.engine import Engine, Events
from monai.data import set_rnd
from monai.utils import set_determinism
from torch import nn

from fetal_monai.handlers.checkpoint_file import remove_unfinished, save_checkpoint
from fetal_monai.weights.settings import write_settings
from fetal_monai.weights.state_dict import read_state_dict
from fetal_monai.weights.trained import move_weights_aside

# Settings that may differ when a training is resumed.
_MAY_CHANGE = {"device", "autocast_dtype", "time_limit_s"}


class Stateful(Protocol):
    """Anything with a state to save and to load: networks, optimisers, schedulers."""

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...  # noqa: D102


class BestNetwork:
    """Keeps the weights of the epoch with the highest metric in one file, a plain state dict.

    Attach it to the validator. Unlike MONAI's `CheckpointSaver` it replaces the file in one step, so that there is a
    whole one at every moment, and its own state can be saved with the training, so that a resumed training does not
    take its first epoch for the best one.

    Args:
        path: The file, e.g. `models/model.pt`.
        network: The network whose weights are kept; under DistributedDataParallel, the wrapped one's.
        metric: Name of the validator's metric; NaN is never the best.
        settings: What the network needs at inference as in training, written beside the weights, see `write_settings`.
    """

    def __init__(
        self, path: str | Path, *, network: nn.Module, metric: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.path = Path(path)
        self.network = network
        self.metric = metric
        self.settings = settings
        self.best_value = float("-inf")
        self.best_epoch = 0

    def attach(self, engine: Engine) -> None:
        """Attach to the validator, after its metrics."""
        engine.add_event_handler(Events.STARTED, self.clean)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def clean(self, engine: Engine) -> None:
        """Remove the unfinished files of a killed training, and move the weights of an earlier one aside."""
        if engine.state.rank == 0:
            remove_unfinished(self.path)
            if self.best_epoch == 0:  # there are none of this training yet
                move_weights_aside(self.path)

    def __call__(self, engine: Engine) -> None:
        """Save the weights if this epoch's metric is the highest so far."""
        value = engine.state.metrics[self.metric]
        if value > self.best_value:
            self.best_value, self.best_epoch = value, engine.state.epoch
            if engine.state.rank != 0:
                return
            save_checkpoint(_unwrapped(self.network).state_dict(), self.path)
            if self.settings is not None:
                write_settings(self.path, self.settings)
            engine.logger.info(f"best {self.metric} so far: {value:.4f} (epoch {self.best_epoch}), saved {self.path}")

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and its epoch."""
        return {"best_value": self.best_value, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the best value and its epoch from an earlier run."""
        self.best_value, self.best_epoch = state_dict["best_value"], state_dict["best_epoch"]

    def __str__(self) -> str:
        if self.best_epoch == 0:
            return f"no weights were kept: no validation gave a {self.metric}"
        return f"best weights: {self.path} ({self.metric} {self.best_value:.4f} in epoch {self.best_epoch})"


class TrainingState:
    """Saves the whole state of a training after every epoch, and resumes from it.

    Every epoch draws its random numbers from `seed + epoch`: a training that was interrupted and resumed ends with
    the same weights as one that was not. Attach it to the trainer after the validation and the learning-rate
    handlers, so that what they change in an epoch is saved with it.

    Args:
        path: The file, e.g. `output/train/checkpoint.pt`; replaced in one step, so that a kill leaves a whole one.
        objects: Objects with a state, by name: network, optimizer, lr_scheduler, best network.
        settings: Settings of the training by name, such as its batch size; saved with the state.
        seed: Seed of the random numbers.
        resume: Load the file before the first epoch, and continue after the epoch it was saved in.

    Raises:
        TypeError: `resume` is no bool: MONAI's command line takes "true" and "false" for text, and text is true.
        FileNotFoundError: There is no file to resume from.
        ValueError: The file to resume from is damaged, or belongs to a training with other settings.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        objects: Mapping[str, Stateful],
        settings: Mapping[str, Any],
        seed: int = 0,
        resume: bool = False,
    ) -> None:
        if not isinstance(resume, bool):
            raise TypeError(f"resume must be True or False, got {resume!r} (on the command line: --resume True).")
        self.path = Path(path)
        self.objects = {name: _unwrapped(item) for name, item in objects.items()}
        self.settings = {name: str(value) for name, value in settings.items() if name not in _MAY_CHANGE}
        self.seed = seed
        self.resume = resume

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.STARTED, self.clean)
        if self.resume:
            engine.add_event_handler(Events.STARTED, self.load)
        engine.add_event_handler(Events.EPOCH_STARTED, self.seed_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def clean(self, engine: Engine) -> None:
        """Remove the unfinished files of a killed training."""
        if engine.state.rank == 0:
            remove_unfinished(self.path)

    def seed_epoch(self, engine: Engine) -> None:
        """Seed all random numbers of the epoch that starts, the transforms' own generators included."""
        seed = self.seed + engine.state.epoch
        set_determinism(seed=seed, use_deterministic_algorithms=None)
        # The generators of a loader's worker processes follow from the seed above, those of this process do not.
        set_rnd(engine.data_loader.dataset, seed=seed + engine.state.rank)

    def save(self, engine: Engine) -> None:
        """Write the state after an epoch, on the first rank."""
        if engine.state.rank != 0:
            return
        state = {name: item.state_dict() for name, item in self.objects.items()}
        state["settings"] = self._settings_of(engine)
        state["progress"] = {"epoch": engine.state.epoch, "iteration": engine.state.iteration}
        if engine.scaler is not None:
            state["scaler"] = engine.scaler.state_dict()
        save_checkpoint(state, self.path)

    def load(self, engine: Engine) -> None:
        """Restore the state and continue after the epoch it was saved in.

        After the last epoch the run ends at once, which completes a run that was killed while logging its results.
        """
        if not self.path.is_file():
            raise FileNotFoundError(
                f"Cannot resume: there is no checkpoint {self.path}. Leave --resume out to start again, or name the "
                "folder of the interrupted training with --output_dir."
            )
        try:
            state = read_state_dict(self.path)
        except ValueError as error:
            raise ValueError(f"Cannot resume: {error} Leave --resume out to start again.") from error
        self._check_settings(state.get("settings", {}), self._settings_of(engine))
        progress = state["progress"]
        if progress["epoch"] >= engine.state.max_epochs:
            engine.logger.warning(
                f"{self.path} was saved after epoch {progress['epoch']}, and the training ends after epoch "
                f"{engine.state.max_epochs}: no epoch is left. Ask for more with --epochs."
            )
        for name, item in self.objects.items():
            item.load_state_dict(state[name])
        if engine.scaler is not None:
            engine.scaler.load_state_dict(state["scaler"])
        engine.state.epoch, engine.state.iteration = progress["epoch"], progress["iteration"]
        engine.logger.info(f"resumed {self.path} after epoch {engine.state.epoch}")

    def _settings_of(self, engine: Engine) -> dict[str, str]:
        return {**self.settings, "iterations_per_epoch": str(engine.state.epoch_length)}

    def _check_settings(self, earlier: Mapping[str, str], now: Mapping[str, str]) -> None:
        """Refuse other settings: the loaded state would replace some of them and not fit others."""
        changed = [name for name in now if earlier.get(name, now[name]) != now[name]]
        if changed:
            changes = ", ".join(f"{name} {earlier[name]} (now {now[name]})" for name in changed)
            raise ValueError(
                f"Cannot resume: the training of {self.path} was started with {changes}. State the earlier values, or "
                "leave --resume out to start again; only --epochs, --time_limit_s, --device, --num_workers and "
                "--autocast_dtype may change."
            )


def _unwrapped(item: Any) -> Any:
    return item.module if isinstance(item, nn.parallel.DistributedDataParallel) else item
