"""The same network in nnU-Net's predictor, for comparison: what a user of nnU-Net v2 would run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch import nn

from benchmarks.workload import Workload
from fetal_monai.biometry import HeadMeasurement, measure_head
from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.runtimes import SegmentationBundle
from fetal_monai.runtimes.graph import load_graph

_DATASET = {"channel_names": {"0": "ultrasound"}, "labels": {"background": 0, "head": 1}, "file_ending": ".png"}


class NnUnet:
    """nnU-Net's way from a file to the mask, without test-time mirroring, then the ellipse of the mask.

    Frames are resampled to the network's size, as far as nnU-Net's cropping lets them have it: the network sees one
    patch. PyTorch on the CPU, in fp32.

    Args:
        bundle: The network.
        frames: What is measured; all have the size of the first.
    """

    def __init__(self, bundle: SegmentationBundle, frames: Workload) -> None:
        self.frames = frames
        plans = PlansManager(_plans(bundle.spatial_size, frames.decoded()[0].frame.pixels.shape))
        network = _GrayNetwork(load_graph(bundle).network)
        self._predictor = nnUNetPredictor(use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False)
        self._predictor.manual_initialization(
            network, plans, plans.get_configuration("2d"), [network.state_dict()], _DATASET, "nnUNetTrainer", None
        )

    def __call__(self) -> dict[str, float | None]:
        """Measure all frames; returns HC in mm by the file's name."""
        return {
            frame.file.name: self._measured(frame) for frame in self.frames.source() if isinstance(frame, SourceFrame)
        }

    def _measured(self, frame: SourceFrame) -> float | None:
        gray = frame.frame.pixels[np.newaxis, np.newaxis]
        mask = self._predictor.predict_single_npy_array(gray, {"spacing": [1.0, 1.0, 1.0]})[0]
        head = measure_head(mask, frame.scale.pixel_spacing_mm)
        scaled = isinstance(head, HeadMeasurement) and head.pixel_spacing_mm is not None
        return head.head_circumference_mm if scaled else None


class _GrayNetwork(nn.Module):
    """A network on gray frames, which nnU-Net has normalised."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, image: torch.Tensor) -> Any:
        return self.network(image.expand(-1, 3, -1, -1))


def _plans(size: tuple[int, int], frame_shape: tuple[int, ...]) -> dict[str, Any]:
    """What nnU-Net's planner would write for such frames; spacings are in px of the frame."""
    resampling = {
        f"resampling_fn_{what}": "resample_data_or_seg_to_shape" for what in ("data", "seg", "probabilities")
    } | {
        f"resampling_fn_{what}_kwargs": {
            "is_seg": what == "seg",
            "order": order,
            "order_z": 0,
            "force_separate_z": None,
        }
        for what, order in (("data", 3), ("seg", 1), ("probabilities", 1))
    }
    return {
        "dataset_name": "heads",
        "plans_name": "plans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "image_reader_writer": "NaturalImage2DIO",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {}},
        "configurations": {
            "2d": {
                "preprocessor_name": "DefaultPreprocessor",
                "patch_size": list(size),
                "spacing": [length / new for length, new in zip(frame_shape, size, strict=True)],
                "normalization_schemes": ["ZScoreNormalization"],
                "use_mask_for_norm": [False],
                **resampling,
                "architecture": {},
            }
        },
    }
