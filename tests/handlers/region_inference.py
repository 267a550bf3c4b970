"""What an inference engine holds of each frame, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from fetal_monai.data import FrameStream
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box, Sector, geometry_record

CLASSES = ["head", "limbs", "background"]
SHAPE = (60, 80)
SECTOR = Sector(40, -20, 20, 70, -0.5, 0.5)
BOX = Box(10.25, 20, 30, 44.5)


def inferred(
    file: Path, box: Box | FailedEstimate = BOX, region: str = "head", known: bool = True, **values: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The decollated batch and output of a frame."""
    geometry = SECTOR if known else FailedEstimate("no edge is seen")
    batch = {
        "frame": torch.tensor(0),
        "time_s": torch.tensor(float("nan")),
        "loop": torch.tensor(False),
        "frame_rate_hz": torch.tensor(float("nan")),
        "frame_pixels": MetaTensor(torch.full((1, *SHAPE), 90.0)),
        "geometry": geometry_record(geometry, SHAPE, "estimate", 0.75 if known else 0),
        **values,
    }
    meta = {"filename_or_obj": str(file), "pixel_spacing_mm": [float("nan")] * 2}
    output = {
        "image": MetaTensor(torch.zeros(1, 4, 4), meta=meta),
        "pred": torch.tensor([2.0, 0.0, -2.0]),
        "pred_region": region,
        "pred_box": box,
        "pred_heat": torch.zeros(1, *SHAPE),
    }
    return batch, output


def run(handlers: list[Any], frames: list[tuple[dict[str, Any], dict[str, Any]]]) -> Engine:
    """Run an engine over frames, one a batch."""

    def step(engine: Engine, frame: tuple[dict[str, Any], dict[str, Any]]) -> list[dict[str, Any]]:
        engine.state.batch = [frame[0]]
        return [frame[1]]

    engine = Engine(step)
    for handler in handlers:
        handler.attach(engine)
    engine.run(frames)
    return engine


def loop(file: Path, count: int, **values: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The frames of a cine loop of 10 frames a second."""
    return [
        inferred(
            file,
            frame=torch.tensor(index),
            time_s=torch.tensor(index / 10),
            loop=torch.tensor(True),
            frame_rate_hz=torch.tensor(10.0),
            **values,
        )
        for index in range(count)
    ]


def stream_of(folder: Path) -> FrameStream:
    """A stream of a folder with one file that cannot be read."""
    (folder / "2.png").write_bytes(b"")
    stream = FrameStream(folder)
    list(stream)
    return stream
