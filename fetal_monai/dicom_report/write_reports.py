"""From measured frames to DICOM files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset
from pydicom.config import disable_value_validation

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.dicom_report.algorithm import Algorithm
from fetal_monai.dicom_report.comprehensive_report import comprehensive_report
from fetal_monai.dicom_report.obgyn_report import obgyn_report
from fetal_monai.dicom_report.reported_frame import ReportedFrame
from fetal_monai.dicom_report.secondary_capture import secondary_capture
from fetal_monai.dicom_report.segmentation import segmentation
from fetal_monai.dicom_report.source import read_source
from fetal_monai.files import atomic_path
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.measure_frames import MeasuredFrame
from fetal_monai.reporting.output_path import output_path

_BUILDERS: dict[str, dict[str, Callable[[ReportedFrame], Dataset]]] = {
    "sr": {"obgyn": obgyn_report, "tid1500": comprehensive_report},
    "seg": {"seg": segmentation},
    "sc": {"sc": secondary_capture},
}


def build_reports(frame: ReportedFrame, kinds: Collection[str]) -> dict[str, Dataset]:
    """Build the reports of a frame.

    Args:
        frame: The frame.
        kinds: Some of "sr" (both structured reports), "seg" and "sc".

    Returns:
        The reports by the ends of their file names: "obgyn", "tid1500", "seg", "sc".
    """
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some quote the patient's name
        return {name: build(frame) for kind in kinds for name, build in _BUILDERS[kind].items()}


class ReportWriter:
    """Writes the reports of measured frames as ``reports/<name>_obgyn.dcm`` and so on, each whole or not at all.

    Args:
        measurer: Measured the frames.
        kinds: As in `build_reports`.
        folder: Folder to write to.
        source_dir: The folder that file names are relative to.
        store: Called with the files of each frame, such as a `fetal_monai.dicomweb.ReportStore`; None to only write.
            An `OSError` that it raises passes through; the files stay.
    """

    def __init__(
        self,
        measurer: HeadMeasurer,
        kinds: Collection[str],
        folder: Path,
        source_dir: Path,
        store: Callable[[Sequence[Path]], None] | None = None,
    ) -> None:
        self._measurer = measurer
        self._algorithm = Algorithm.of(measurer)
        self._kinds = tuple(dict.fromkeys(kinds))
        self._folder = folder / "reports"
        self._source_dir = source_dir
        self._store = store

    def write(self, item: MeasuredFrame) -> list[Path]:
        """Write the reports of a frame.

        Returns:
            The files.

        Raises:
            NoReportError: The frame is not from a DICOM file, or its measurement is not one to report.
        """
        file = item.source.file
        source = read_source(file, item.source.index)
        frame = ReportedFrame(source, item.source.frame.pixels, item.result, self._algorithm)
        paths = []
        for name, report in build_reports(frame, self._kinds).items():
            path = output_path(file, self._source_dir, self._folder, f"_{name}", ".dcm")
            with atomic_path(path) as temporary, disable_value_validation():
                report.save_as(temporary, enforce_file_format=True)
            paths.append(path)
        if self._store is not None:
            self._store(paths)
        return paths

    def write_from_loop(self, first: SourceFrame, index: int, head: HeadMeasurement) -> list[Path]:
        """Write the reports of one frame of a loop, which is decoded again.

        Args:
            first: Any frame of the loop.
            index: The frame, from 0.
            head: Its measurement.
        """
        pixels = next(frame.pixels for frame in open_cine(first.file) if frame.index == index)
        source = replace(first, frame=replace(first.frame, pixels=pixels), index=index)
        (result,) = self._measurer.measure([pixels], [first.scale])
        # The numbers are those of the table: in another batch, an engine may round otherwise.
        return self.write(MeasuredFrame(source, replace(result, head=head)))
