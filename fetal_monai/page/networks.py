"""The networks that can measure: the one of the command, and those that were trained on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fetal_monai.measurement import HeadMeasurer
from fetal_monai.page.training import TRAININGS, WEIGHTS
from fetal_monai.page.workspace import Workspace

_GIVEN = 0


class Networks:
    """Chooses the network of a workspace.

    Args:
        workspace: Measures with the network.
        load: Loads the one of the command.
    """

    def __init__(self, workspace: Workspace, load: Callable[[], HeadMeasurer]) -> None:
        self._workspace = workspace
        self._load = load
        self._used = _GIVEN

    def all(self) -> list[dict[str, Any]]:
        """The networks by numbers: 0 is that of the command, the others those of the trainings that left weights."""
        numbers = [_GIVEN, *sorted(int(weights.parts[-3]) for weights in self._trainings.glob(f"[0-9]*/{WEIGHTS}"))]
        return [{"number": number, "used": number == self._used} for number in numbers]

    def use(self, number: int) -> None:
        """Measure with a network from now on.

        Raises:
            IndexError: There is none of this number.
        """
        if number not in (network["number"] for network in self.all()):
            raise IndexError(f"There is no network {number}.")
        folder = self._trainings / str(number)
        self._workspace.measuring.use(self._load if number == _GIVEN else lambda: _trained(folder))
        self._used = number

    @property
    def _trainings(self) -> Path:
        return self._workspace.folder.state / TRAININGS


def _trained(folder: Path) -> HeadMeasurer:
    from fetal_monai.weights import publish_weights  # imports torch

    (bundle,) = (config.parent.parent for config in folder.glob("*/configs/inference.json"))
    if not (bundle / "models" / "model.pt").is_file():
        publish_weights(folder / WEIGHTS, bundle / "models" / "model.pt")
    # Exporting the network to a faster engine would take longer than measuring many frames.
    return HeadMeasurer(bundle, engine="torch")
