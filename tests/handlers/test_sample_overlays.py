from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine
from skimage.io import imread

from fetal_monai.handlers import SampleOverlays


def test_label_is_outlined_in_green_and_prediction_in_pink(tmp_path: Path) -> None:
    image = torch.rand(3, 60, 80)
    label, pred = torch.zeros(2, 60, 80), torch.zeros(2, 60, 80)
    label[1, 10:30, 10:30] = 1
    pred[1, 35:55, 40:70] = 1
    engine = Engine(lambda _, batch: [{"image": image, "label": label, "pred": pred}] * batch)
    SampleOverlays(tmp_path / "samples.png", count=2).attach(engine)
    engine.run([1, 3])  # four frames, of which two are shown
    picture = imread(tmp_path / "samples.png").astype(int)
    shown = picture[:60, :80]
    red, green, blue = np.moveaxis(shown, -1, 0)
    grass, pink = (green > red + 60) & (green > blue + 60), (red > green + 60) & (blue > green + 60)
    assert grass[10, 10:30].all()
    assert not grass[:, 35:].any()
    assert pink[35, 40:70].all()
    assert not pink[:30].any()
    assert (picture.any(axis=-1).sum()) <= 2 * 60 * 80
