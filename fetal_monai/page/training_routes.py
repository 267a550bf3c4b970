"""What the page asks of trainings and networks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from fetal_monai.page.networks import Networks
from fetal_monai.page.training import Training, sizes_of, start_training
from fetal_monai.page.workspace import Workspace


class Wanted(BaseModel):
    """A training to start."""

    model_config = ConfigDict(extra="forbid")

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    size: str = ""


class Chosen(BaseModel):
    """A network to measure with."""

    model_config = ConfigDict(extra="forbid")

    number: int


class Trainings:
    """The training of a server: one at a time."""

    def __init__(self) -> None:
        self.last: Training | None = None

    def start(self, workspace: Workspace, wanted: Wanted) -> Training:
        """Start a training of the network in use.

        Raises:
            ValueError: One is running, or see `start_training`.
        """
        if self.last is not None and self.last.state == "running":
            raise ValueError("A training is running: wait for its end, or stop it.")
        bundle = workspace.measuring.measurer.bundle.root
        self.last = start_training(workspace, bundle, wanted.epochs, wanted.size)
        return self.last

    def stop(self) -> None:
        """Stop the training, if one is running."""
        if self.last is not None:
            self.last.stop()


def add_training_routes(app: FastAPI, workspace: Workspace) -> Trainings:
    """Add the routes; return the trainings, which end with the server."""
    trainings, networks = Trainings(), Networks(workspace, workspace.load)

    def described() -> dict[str, Any]:
        bundle = workspace.measuring.measurer.bundle.root
        accepted = sum(each.decision == "accepted" for each in workspace.store.all().values())
        return {
            "bundle": bundle.name,
            "sizes": sizes_of(bundle),
            "accepted": accepted,
            "networks": networks.all(),
            "last": trainings.last and trainings.last.described(),
        }

    @app.get("/api/training")
    def training() -> dict[str, Any]:
        return described()

    @app.post("/api/training")
    def start(wanted: Wanted) -> dict[str, Any]:
        trainings.start(workspace, wanted)
        return described()

    @app.delete("/api/training")
    def stop() -> dict[str, Any]:
        trainings.stop()
        return described()

    @app.put("/api/network")
    def choose(chosen: Chosen) -> dict[str, Any]:
        networks.use(chosen.number)
        return described()

    return trainings
