"""A picture of predictions on validation frames, renewed after every validation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.transforms import ScaleIntensity
from skimage.io import imsave
from skimage.segmentation import mark_boundaries
from skimage.util import img_as_ubyte, montage

from fetal_monai.files import atomic_path

_LABEL_COLOUR = (0.2, 0.9, 0.3)
_PREDICTION_COLOUR = (1.0, 0.3, 0.8)


class SampleOverlays:
    """Writes the first frames of each validation as one PNG: the label's outline green, the prediction's pink.

    Args:
        path: The PNG file.
        count: Number of frames in it.
    """

    def __init__(self, path: str | Path, count: int = 9) -> None:
        self.path = Path(path)
        self.count = count
        self.pictures: list[np.ndarray] = []

    def attach(self, engine: Engine) -> None:
        """Attach to the validator, whose output holds image, label and pred as one-hot masks, (C, H, W) each."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.draw)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def clear(self, engine: Engine) -> None:
        """Start a new picture."""
        self.pictures = []

    def draw(self, engine: Engine) -> None:
        """Draw frames of the batch until there are enough."""
        for item in engine.state.output[: self.count - len(self.pictures)]:
            picture = _array(ScaleIntensity()(item["image"][0]))
            picture = mark_boundaries(picture, _array(item["label"][-1]) > 0, color=_LABEL_COLOUR, mode="inner")
            picture = mark_boundaries(picture, _array(item["pred"][-1]) > 0, color=_PREDICTION_COLOUR, mode="inner")
            self.pictures.append(picture)

    def write(self, engine: Engine) -> None:
        """Write the picture."""
        with atomic_path(self.path) as temporary:
            imsave(
                temporary,
                img_as_ubyte(montage(self.pictures, fill=(0.0, 0.0, 0.0), channel_axis=-1)),
                check_contrast=False,
            )


def _array(values: torch.Tensor) -> np.ndarray:
    return np.asarray(values.detach().cpu(), dtype=float)
