import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_monai.data import intensity_statistics, load_datalist, read_frame
from fetal_monai.data.datalist import DATALIST_NAME


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Frames of different sizes; the test frames are much brighter than the training frames."""
    random = np.random.default_rng(0)
    content: dict[str, list[dict[str, str]]] = {}
    for section, (low, high, count) in {
        "training": (0, 90, 4),
        "validation": (200, 255, 1),
        "test": (240, 255, 2),
    }.items():
        content[section] = []
        for index in range(count):
            pixels = random.integers(low, high, (40 + 30 * index, 50), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{section}_{index}.png")
            name = f"{section}_{index}.png"
            content[section].append({"image": name, "label": name, "exam": f"{section}{index}"})
    (tmp_path / DATALIST_NAME).write_text(json.dumps(content))
    return tmp_path


def test_all_pixels_of_the_training_frames_and_no_others(dataset: Path) -> None:
    frames = load_datalist(dataset, "training")
    pixels = np.concatenate([read_frame(frame["image"]).pixels.ravel() for frame in frames]).astype(np.float64)
    assert intensity_statistics(dataset) == pytest.approx((pixels.mean(), pixels.std()), rel=1e-5)


def test_a_frame_that_cannot_be_read_is_named(dataset: Path) -> None:
    (dataset / "training_1.png").write_bytes(b"no picture")
    with pytest.raises(RuntimeError) as caught:
        intensity_statistics(dataset)
    assert "training_1.png" in str(caught.getrepr(chain=True))
