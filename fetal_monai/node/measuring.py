"""The step from a received object to its reports."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.frame_source import SourceFrame, open_frame_source
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.rejected import Rejected
from fetal_monai.dicom_report import NoReportError, ReportWriter
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files.durable import make_durable
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.loop_track import proposed_frame
from fetal_monai.measurement.measure_frames import measure_frames
from fetal_monai.node.object_table import Entry, State
from fetal_monai.node.spool import Spool
from fetal_monai.node.steps import Outcome


class Measuring:
    """Measures an object and writes its reports, of a loop on the frame to report.

    Args:
        spool: The queue.
        measurer: Measures.
        kinds: Reports to make, see `fetal_monai.dicom_report.build_reports`.
    """

    def __init__(self, spool: Spool, measurer: HeadMeasurer, kinds: Collection[str]) -> None:
        self._spool = spool
        self._measurer = measurer
        self._writer = ReportWriter(measurer, kinds, spool.folder, spool.objects)  # into the folder `reports`

    def __call__(self, entry: Entry) -> Outcome:
        """Measure an object.

        Returns:
            REPORTED; UNREPORTED or FAILED with the reason; or RECEIVED if the disk is full.
        """
        self._spool.discard_reports(entry.name)  # of a try that did not end
        try:
            make_durable(*self._report(self._spool.object_path(entry.name)))
        except NoReportError as error:
            return Outcome(State.UNREPORTED, str(error))
        except (FrameError, FileNotFoundError) as error:
            return Outcome(State.FAILED, str(error))
        except OSError as error:
            return Outcome(State.RECEIVED, f"its reports cannot be written: {error.strerror}.")
        except Exception as error:  # whatever it is, it must not end the node
            return Outcome(State.FAILED, f"{type(error).__name__} while it was measured.")
        return Outcome(State.REPORTED)

    def _report(self, file: Path) -> list[Path]:
        first: SourceFrame | None = None
        rejected = ""
        heads: dict[int, HeadMeasurement | FailedEstimate] = {}
        statuses: list[str] = []
        for item in measure_frames(open_frame_source([file]), self._measurer):
            if isinstance(item, Rejected):
                rejected = item.reason
            elif item.source.is_still:
                return self._writer.write(item)
            else:
                first = first or item.source
                heads[item.source.index] = item.result.head
                statuses.append(item.result.status)
        if first is None:
            raise FrameError(rejected)
        index = proposed_frame(heads, statuses)
        head = None if index is None else heads[index]
        if index is None or not isinstance(head, HeadMeasurement):
            raise NoReportError("no frame of the loop is measured without doubt.")
        return self._writer.write_from_loop(first, index, head)
