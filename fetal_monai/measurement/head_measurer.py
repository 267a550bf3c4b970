"""Measure heads in frames that are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.measurement.frame_batch import FrameBatch
from fetal_monai.measurement.head_result import HeadResult
from fetal_monai.runtimes import find_bundle, select_runtime


class HeadMeasurer:
    """Measures the fetal head in gray ultrasound frames, with a bundle's network.

    Pixels come in and numbers go out: no file is written, but for a network that is exported once to the user's cache.

    Args:
        bundle: A folder, or the name of one of this project's bundles.
        engine: "openvino", "onnxruntime" or "torch"; "auto" takes the first of them that is installed.
        precision: "int8", "bf16" or "fp32"; "auto" takes the fastest that the engine has on this machine.
        device: "cpu"; "cuda" or "cuda:1" for PyTorch.
        batch_size: Frames that the network sees at once. Of an iterator, as many are taken before the first result
            comes: 1 for a live stream.

    Raises:
        FileNotFoundError: There is no such bundle, or it has no weights.
        ImportError: The engine is not installed.
        ValueError: An argument is out of its range, or the bundle is not one that measures heads.

    Example:
        >>> measurer = HeadMeasurer()  # doctest: +SKIP
        >>> result = measurer(pixels, pixel_spacing_mm=0.12)  # doctest: +SKIP
        >>> result.head_circumference_mm  # doctest: +SKIP
        175.3
    """

    def __init__(
        self,
        bundle: str | Path = "bisenet",
        *,
        engine: str = "auto",
        precision: str = "auto",
        device: str = "cpu",
        batch_size: int = 4,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
        self.batch_size = batch_size
        self.bundle = find_bundle(bundle)
        self.runtime = select_runtime(self.bundle, engine, precision, device)

    @overload
    def __call__(self, frames: NDArray[Any], pixel_spacing_mm: float | Sequence[float] | None = None) -> HeadResult: ...

    @overload
    def __call__(
        self, frames: Sequence[NDArray[Any]], pixel_spacing_mm: float | Sequence[float] | None = None
    ) -> list[HeadResult]: ...

    @overload
    def __call__(
        self, frames: Iterator[NDArray[Any]], pixel_spacing_mm: float | Sequence[float] | None = None
    ) -> Iterator[HeadResult]: ...

    def __call__(
        self,
        frames: NDArray[Any] | Sequence[NDArray[Any]] | Iterator[NDArray[Any]],
        pixel_spacing_mm: float | Sequence[float] | None = None,
    ) -> HeadResult | list[HeadResult] | Iterator[HeadResult]:
        """Measure one frame, or several of any sizes.

        Args:
            frames: Gray levels (H, W) of one frame; a list or tuple of frames; or an iterator, of which only
                `batch_size` frames are taken at a time.
            pixel_spacing_mm: Size of a pixel of these frames, one number or (row, column); None when unknown: the
                ellipses are in px then, and nothing is in mm.

        Returns:
            One result, a list, or an iterator of results, in the order of the frames. What is no gray frame (colour,
            NaN, one gray level only) has a result with the status "failed" and the reason; the others go on.

        Raises:
            ValueError: `pixel_spacing_mm` is not the size of a pixel.
        """
        spacing = _spacing(pixel_spacing_mm)
        if isinstance(frames, np.ndarray):
            return self.measure([frames], [FrameScale(spacing)])[0]
        if isinstance(frames, Sequence):
            return list(self._measure_in_batches(iter(frames), spacing))
        return self._measure_in_batches(frames, spacing)

    def _measure_in_batches(
        self, frames: Iterator[NDArray[Any]], spacing: tuple[float, float] | None
    ) -> Iterator[HeadResult]:
        while batch := list(islice(frames, self.batch_size)):
            yield from self.measure(batch, [FrameScale(spacing)] * len(batch))

    def measure(self, frames: Sequence[NDArray[Any]], scales: Sequence[FrameScale]) -> list[HeadResult]:
        """Measure one batch of frames that have their own scales, as files do.

        Args:
            frames: As for `__call__`.
            scales: The scale of each frame.

        Returns:
            One result per frame.
        """
        batch = FrameBatch.of(frames, scales, self.bundle.spatial_size)
        return batch.results(batch.probabilities(self.runtime))


def _spacing(value: float | Sequence[float] | None) -> tuple[float, float] | None:
    if value is None:
        return None
    lengths = np.asarray(value, dtype=np.float64)
    if lengths.shape not in ((), (2,)) or not is_plausible_pixel_size(*lengths.flat):
        raise ValueError(
            f"pixel_spacing_mm is {value!r}; expected the size of a pixel, {EXPECTED_PIXEL_SIZE}: one number or "
            "(row, column). Give None where it is unknown."
        )
    row, column = np.broadcast_to(lengths, (2,))
    return float(row), float(column)
