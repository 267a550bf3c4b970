"""The engines agree with one another on real frames, at the network's size."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.biometry import measure_head_in_probability
from fetal_monai.runtimes import SegmentationBundle, find_bundle, select_runtime
from fetal_monai.runtimes.resize import resize

pytest.importorskip("openvino", reason="openvino is not installed: pip install fetal-monai[fast]")

FRAMES = 12


class Frames:
    def __init__(self, real_data: Path, bundle: SegmentationBundle) -> None:
        with (real_data / "hc18" / "test_set_pixel_size.csv").open() as file:
            rows = list(csv.DictReader(file))[:FRAMES]
        pictures = [np.asarray(Image.open(real_data / "hc18" / "test_set" / row["filename"])) for row in rows]
        self.shapes = [picture.shape for picture in pictures]
        self.spacings = [float(row["pixel size(mm)"]) for row in rows]
        self.gray = np.stack([resize(picture, bundle.spatial_size) for picture in pictures])[:, np.newaxis]

    def circumferences_mm(self, probabilities: NDArray[Any]) -> NDArray[np.float64]:
        return np.array(
            [
                measure_head_in_probability(each, shape, (spacing, spacing)).head_circumference_mm
                for each, shape, spacing in zip(probabilities, self.shapes, self.spacings, strict=True)
            ]
        )


@pytest.fixture(scope="module")
def bundle() -> SegmentationBundle:
    return find_bundle("bisenet")


@pytest.fixture(scope="module")
def frames(real_data: Path, bundle: SegmentationBundle) -> Frames:
    return Frames(real_data, bundle)


@pytest.fixture(scope="module")
def eager(bundle: SegmentationBundle, frames: Frames) -> NDArray[Any]:
    return select_runtime(bundle, "torch")(frames.gray)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install fetal-monai[fast]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def agreement(frames: Frames, first: NDArray[Any], second: NDArray[Any]) -> tuple[float, float]:
    """Mean Dice, and mean absolute difference of HC in mm."""
    pairs = [(one > 0.5, other > 0.5) for one, other in zip(first, second, strict=True)]
    dice = np.mean([2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)) for a, b in pairs])
    return float(dice), float(np.abs(frames.circumferences_mm(first) - frames.circumferences_mm(second)).mean())


def test_the_shipped_int8_model_agrees_with_eager_pytorch(
    bundle: SegmentationBundle, frames: Frames, eager: NDArray[Any]
) -> None:
    runtime = select_runtime(bundle)
    assert (runtime.engine, runtime.precision) == ("openvino", "int8")
    int8 = runtime(frames.gray)
    dice, difference_mm = agreement(frames, int8, eager)
    assert dice >= 0.997
    assert difference_mm <= 0.3
    assert not np.array_equal(int8, eager)  # it is another network indeed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "precision", "most_mm"),
    [("openvino", "fp32", 0.01), ("openvino", "bf16", 0.1), ("onnxruntime", "fp32", 0.01), ("torch", "bf16", 0.1)],
)
def test_exported_networks_agree_with_eager_pytorch(
    bundle: SegmentationBundle,
    frames: Frames,
    eager: NDArray[Any],
    cache: None,
    engine: str,
    precision: str,
    most_mm: float,
) -> None:
    pytest.importorskip(engine, reason=f"{engine} is not installed: pip install fetal-monai[fast]")
    try:
        runtime = select_runtime(bundle, engine, precision)
    except ValueError as error:
        assert "does not compute bfloat16 in hardware" in str(error)
        pytest.skip(str(error))
    dice, difference_mm = agreement(frames, runtime(frames.gray), eager)
    assert dice >= 0.999
    assert difference_mm <= most_mm


def test_an_int8_model_of_other_weights_is_not_used(tmp_path: Path, bundle: SegmentationBundle) -> None:
    root = tmp_path / "mine"
    shutil.copytree(bundle.root, root, ignore=shutil.ignore_patterns("output"))
    with (root / "models" / "model.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(FileNotFoundError, match=r"no int8 model of .*model\.pt.*quantise"):
        select_runtime(find_bundle(root), "openvino", "int8")
