import time

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator

from fetal_monai.handlers import FrameTime


class Sleeping(torch.nn.Module):
    """A network that takes long for its first frames."""

    def __init__(self, first_ms: float, then_ms: float) -> None:
        super().__init__()
        self.first_ms, self.then_ms = first_ms, then_ms
        self.frames = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.frames += len(images)
        time.sleep((self.first_ms if self.frames <= 2 else self.then_ms) / 1000)
        return images


def slow(item: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    time.sleep(0.2)
    return item


def ms_per_frame(network: torch.nn.Module, frames: int, batch_size: int = 1, runs: int = 1) -> float:
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([{"image": torch.zeros(1, 4, 4)}] * frames), batch_size=batch_size),
        network=network,
        postprocessing=slow,
        val_handlers=[FrameTime(warm_up=2)],
    )
    for _ in range(runs):
        evaluator.run()
    return evaluator.state.metrics["ms_per_frame"]


def test_it_is_the_networks_time_without_warm_up_and_post_processing() -> None:
    assert 5 <= ms_per_frame(Sleeping(200, 5), frames=5) < 200


def test_of_a_batch_each_frame_takes_its_part() -> None:
    assert 10 <= ms_per_frame(Sleeping(0, 20), frames=6, batch_size=2) < 20


def test_a_warm_up_alone_tells_nothing() -> None:
    assert np.isnan(ms_per_frame(torch.nn.Identity(), frames=2))
    assert np.isnan(ms_per_frame(torch.nn.Identity(), frames=2, runs=2))
