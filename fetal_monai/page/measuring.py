"""Measuring for the page: the network in one thread, so that requests never run it twice at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.data.io.frame import Spacing
from fetal_monai.measurement import HeadMeasurer, HeadResult
from fetal_monai.measurement.measure_output import scaled_at_its_place
from fetal_monai.page.annotation import EllipseValues, ModelMeasurement
from fetal_monai.page.opened_file import OpenedFile, Pixels

_Key: TypeAlias = tuple[Path, int, int, FrameScale]  # file, when it was changed, frame, scale

_KEPT_RESULTS = 5000
CALIBRATION = "calibration"


class Measuring:
    """Measures frames with a network that is loaded in the background.

    Args:
        load: Loads the network.
    """

    def __init__(self, load: Callable[[], HeadMeasurer]) -> None:
        self._worker = ThreadPoolExecutor(1, "measuring")
        self._results: OrderedDict[_Key, HeadResult] = OrderedDict()
        self._lock = Lock()
        self._measurer = self._worker.submit(load)

    def use(self, load: Callable[[], HeadMeasurer]) -> None:
        """Measure with another network once it is loaded; what was measured with the last one is forgotten."""
        loaded = self._worker.submit(load)
        loaded.result()
        with self._lock:
            self._measurer = loaded
            self._results.clear()

    @property
    def measurer(self) -> HeadMeasurer:
        """The network, once it is loaded."""
        return self._measurer.result()

    def results(self, file: OpenedFile, scale: FrameScale, indices: Sequence[int]) -> list[HeadResult]:
        """Measure frames of a file; each once.

        Raises:
            FrameError: A frame cannot be shown.
        """
        keys = {index: (file.path, file.modified_ns, index, scale) for index in indices}
        missing = [index for index, key in keys.items() if key not in self._results]
        size = self.measurer.batch_size
        for batch in (missing[start : start + size] for start in range(0, len(missing), size)):
            pixels = [file.pixels(index) for index in batch]
            results = self._worker.submit(self._measure, pixels, [scale] * len(batch)).result()
            with self._lock:
                self._results |= {keys[index]: each for index, each in zip(batch, results, strict=True)}
        with self._lock:
            found = [self._results[keys[index]] for index in indices]
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    def said(self, result: HeadResult) -> ModelMeasurement:
        """What the network said, as it is kept with an annotation."""
        measurer = self.measurer
        return ModelMeasurement(
            ellipse=None if result.ellipse_px is None else EllipseValues.of(result.ellipse_px),
            status=result.status,
            reason=result.reason,
            head_circumference_mm=result.head_circumference_mm,
            bundle=measurer.bundle.root.name,
            weights_sha256=measurer.bundle.weights_sha256,
            engine=f"{measurer.runtime.engine} {measurer.runtime.precision}",
        )

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _measure(self, pixels: Sequence[Pixels], scales: Sequence[FrameScale]) -> list[HeadResult]:
        results = self.measurer.measure(pixels, scales)
        return [HeadResult(each.head, each.frame_shape, each.scale) for each in results]  # without the maps


def known_scale(stated: FrameScale, spacing_mm: Spacing | None, age_days: float | None) -> FrameScale:
    """What a file states, and what a person knows better; None is what the person does not know."""
    age = stated.gestational_age_days if age_days is None else age_days
    if spacing_mm is None:
        return FrameScale(stated.pixel_spacing_mm, stated.ultrasound_regions, stated.source, age)
    return FrameScale(spacing_mm, (), CALIBRATION, age)


def measure_ellipse(ellipse: Ellipse, shape: tuple[int, int], scale: FrameScale) -> HeadResult:
    """Measure an ellipse that a person has drawn on a frame (H, W), in the same way as a network's."""
    head = scaled_at_its_place(HeadMeasurement(ellipse), shape, scale.pixel_spacing_mm, scale.ultrasound_regions)
    return HeadResult(head, shape, scale)


def frame_shape(pixels: Pixels) -> tuple[int, int]:
    """(H, W) of a frame."""
    return pixels.shape[0], pixels.shape[1]
