from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fetal_monai
from fetal_monai.measurement import HeadMeasurer
from tests.bundles.call_bundle import call_bundle

REPOSITORY = Path(__file__).parents[2]
FRAMES = 6


@pytest.fixture(scope="module")
def measurer() -> HeadMeasurer:
    return HeadMeasurer(engine="torch", batch_size=2)


@pytest.fixture(scope="module")
def hc18(real_data: Path) -> list[tuple[Path, float]]:
    with (real_data / "hc18" / "test_set_pixel_size.csv").open() as file:
        rows = list(csv.DictReader(file))[:FRAMES]
    return [(real_data / "hc18" / "test_set" / row["filename"], float(row["pixel size(mm)"])) for row in rows]


def pixels_of(path: Path) -> NDArray[Any]:
    return np.asarray(Image.open(path))


def test_agrees_with_the_bundles_inference(
    measurer: HeadMeasurer, hc18: list[tuple[Path, float]], tmp_path: Path, real_data: Path
) -> None:
    frames, output = tmp_path / "frames", tmp_path / "output"
    frames.mkdir()
    for path, _ in hc18:
        shutil.copy(path, frames)
    call_bundle(
        *("run", "inferring", "--config_file", "bundles/bisenet/configs/inference.json", "--dataset_dir", str(frames)),
        *("--table", str(real_data / "hc18" / "test_set_pixel_size.csv"), "--output_dir", str(output)),
        *("--device", "$torch.device('cpu')"),
        cwd=REPOSITORY,
    )
    with (output / "measurements.csv").open() as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    for path, spacing in hc18:
        result, row = measurer(pixels_of(path), pixel_spacing_mm=spacing), rows[path.name]
        assert result.status == row["status"] == "measured"
        # Loose enough for a bundle that fits the outline of a mask at the frame's own size.
        assert result.head_circumference_mm == pytest.approx(float(row["head_circumference_mm"]), abs=0.1)
        assert result.ellipse_px is not None
        for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
            assert getattr(result.ellipse_px, name) == pytest.approx(float(row[f"{name}_px"]), abs=0.5)
        mask = pixels_of(output / "masks" / f"{path.stem}_mask.png") > 0
        assert np.count_nonzero(mask != result.mask) < 1e-4 * mask.size


def test_one_a_list_and_an_iterator_give_the_same(measurer: HeadMeasurer, hc18: list[tuple[Path, float]]) -> None:
    frames = [pixels_of(path) for path, _ in hc18[:3]]
    frames[1] = frames[1][:400, 50:]  # of another size
    taken = []

    def stream() -> Iterator[NDArray[Any]]:
        for number, frame in enumerate(frames):
            taken.append(number)
            yield frame

    alone = [measurer(frame, 0.1).head_circumference_mm for frame in frames]
    assert [each.head_circumference_mm for each in measurer(frames, 0.1)] == pytest.approx(alone, abs=1e-3)
    results = measurer(stream(), 0.1)
    assert next(results).head_circumference_mm == pytest.approx(alone[0], abs=1e-3)
    assert taken == [0, 1]  # a batch, not the whole stream
    assert [each.head_circumference_mm for each in results] == pytest.approx(alone[1:], abs=1e-3)


def test_spacing_scales_each_axis(measurer: HeadMeasurer, hc18: list[tuple[Path, float]]) -> None:
    pixels = pixels_of(hc18[0][0])
    square, tall = measurer(pixels, 0.1), measurer(pixels, (0.2, 0.1))
    assert square.ellipse_px is not None
    assert tall.ellipse_px == square.ellipse_px
    assert tall.head_circumference_mm == pytest.approx(square.ellipse_px.scaled(0.1, 0.2).perimeter)


def test_without_spacing_there_are_no_millimetres(measurer: HeadMeasurer, hc18: list[tuple[Path, float]]) -> None:
    result = measurer(pixels_of(hc18[0][0]))
    assert result.status == "unscaled"
    assert result.ellipse_px is not None
    assert result.reason == "pixel spacing unknown: give it by the option pixel_spacing_mm or in a table"
    assert result.head_circumference_mm is result.gestational_age_days is result.biparietal_diameter_mm is None


@pytest.mark.parametrize("spacing", [0, -0.1, 5.0, float("nan"), (0.1,), (0.1, 0.0), (0.1, 0.1, 0.1)])
def test_what_is_no_spacing_is_an_error(measurer: HeadMeasurer, spacing: Any) -> None:
    with pytest.raises(ValueError, match=r"pixel_spacing_mm is .*; expected the size of a pixel, between 0\.01 and 2"):
        measurer(np.zeros((4, 4)), spacing)


GRADIENT = np.arange(12000, dtype=np.float64).reshape(100, 120)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (np.where(GRADIENT == 7, np.nan, GRADIENT), "1 of 12000 pixels are NaN or infinite"),
        (np.where(GRADIENT == 7, np.inf, GRADIENT), "1 of 12000 pixels are NaN or infinite"),
        (np.zeros((100, 120, 3), np.uint8), r"gray levels \(H, W\), got an array of shape \(100, 120, 3\)"),
        (np.zeros((0, 120), np.uint8), r"got an array of shape \(0, 120\)"),
        (np.full((100, 120), 9, np.uint8), "every pixel is 9: no image content"),
        (GRADIENT.astype(complex), "got complex128"),
    ],
)
def test_what_is_no_gray_frame_fails_and_the_others_go_on(measurer: HeadMeasurer, frame: Any, reason: str) -> None:
    bad, good = measurer([frame, GRADIENT], 0.1)
    assert bad.status == "failed"
    assert re.search(reason, bad.reason)
    assert bad.mask is bad.probability is bad.ellipse_px is bad.head_circumference_mm is None
    assert good.probability is not None


def test_a_frame_without_a_head_fails_with_the_reason_of_the_fit(measurer: HeadMeasurer) -> None:
    result = measurer(GRADIENT, 0.1)
    assert result.status == "failed"
    assert result.reason
    assert result.mask is not None


def test_is_named_at_the_top() -> None:
    assert fetal_monai.HeadMeasurer is HeadMeasurer


def test_measures_without_pytorch_and_monai() -> None:
    pytest.importorskip("openvino", reason="openvino is not installed: pip install fetal-monai[fast]")
    code = """
import sys, numpy, fetal_monai
result = fetal_monai.HeadMeasurer()(numpy.random.default_rng(0).integers(0, 255, (540, 800)), 0.1)
print(result.status, [name for name in ("torch", "monai", "ignite", "mlflow", "itk", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    assert done.stdout == "failed []\n", done.stderr


def test_signals_are_handled_after_a_measurer_is_gone() -> None:
    """OpenVINO frees the stack of signal handlers with its core, in whatever thread that is."""
    pytest.importorskip("openvino", reason="openvino is not installed: pip install fetal-monai[fast]")
    code = """
import os, signal, threading, fetal_monai
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
measurers = [fetal_monai.HeadMeasurer(engine="openvino"), fetal_monai.HeadMeasurer(engine="openvino")]
measurers.pop(0)
thread = threading.Thread(target=measurers.clear)
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
