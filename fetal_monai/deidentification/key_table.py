"""Who is who: the table that leads from a pseudonym back to the patient."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.files import append_to_csv_table, read_csv_table
from fetal_monai.files.folder_lock import lock_file

_COLUMNS = ("name", "patient", "patient_id", "study_instance_uid", "sop_instance_uid", "frame", "file")


class Pseudonym(NamedTuple):
    """What a frame is called where nobody may know whose it is.

    Attributes:
        name: Name of the frame, such as ``483920_0001``: the patient's number and a running one.
        patient: The patient's number, drawn at random.
    """

    name: str
    patient: str

    @property
    def number(self) -> int:
        """The running number of the frame among those of its patient, from 1."""
        return int(self.name.rpartition("_")[2])


class KeyTable:
    """A CSV table that only its owner can read. It grows with each frame, and an existing one is continued.

    A patient keeps the number, and a frame its name, in later exports with the same table. Until it is closed, no other
    process can open it: two would give the same name to different frames.

    Args:
        path: The table. Its folder is created.

    Raises:
        OSError: It cannot be written.
        ValueError: The file is not such a table, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._patients: dict[str, str] = {}
        self._names: dict[tuple[str, str], Pseudonym] = {}
        self._last: Counter[str] = Counter()  # running number of each patient's last frame
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never readable by others, not even for a moment.
        self._open = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w")
        path.chmod(0o600)
        if not lock_file(self._open):
            raise ValueError(f"{path} is used by another export; wait for its end.")
        if not path.stat().st_size:
            append_to_csv_table(path, [_COLUMNS])
        for row in read_csv_table(path, required=_COLUMNS)[1]:
            try:
                self._add(row, Pseudonym(row["name"], row["patient"]))
            except ValueError as error:
                raise ValueError(f"{path}: the name {row['name']!r} was not given by this program.") from error

    def close(self) -> None:
        """Let other processes use the table."""
        self._open.close()

    def pseudonym(self, study: Mapping[str, str], file: Path, frame: int) -> Pseudonym:
        """The pseudonym of a frame, a new one if it has none yet.

        Args:
            study: Patient and study of the frame, see `fetal_monai.data.io.dicom_study.read_study`.
            file: Its file.
            frame: Its place in a loop, from 0.

        Raises:
            FrameError: The header names no patient, study or image.
            OSError: The table cannot be written.
        """
        row = {name: study.get(name, "").strip() for name in _COLUMNS if name.endswith(("_id", "_uid"))}
        if not (row["patient_id"] or row["study_instance_uid"]) or not row["sop_instance_uid"]:
            raise FrameError("is not DICOM, or its header names no patient or image. Export it from the PACS again.")
        row |= {"frame": str(frame), "file": str(file)}
        if (known := self._names.get(_image(row))) is not None:
            return known
        patient = self._patients.get(_identity(row)) or self._new_number()
        pseudonym = Pseudonym(f"{patient}_{self._last[patient] + 1:04d}", patient)
        row |= {"name": pseudonym.name, "patient": patient}
        append_to_csv_table(self._path, [[row[column] for column in _COLUMNS]])
        self._add(row, pseudonym)
        return pseudonym

    def _add(self, row: Mapping[str, str], pseudonym: Pseudonym) -> None:
        self._names[_image(row)] = pseudonym
        self._patients[_identity(row)] = pseudonym.patient
        self._last[pseudonym.patient] = max(self._last[pseudonym.patient], pseudonym.number)

    def _new_number(self) -> str:
        """Six digits at random: a running number would tell the order of the files, often that of their names."""
        taken = set(self._patients.values())
        while (number := str(100_000 + secrets.randbelow(900_000))) in taken:
            pass
        return number


def _image(row: Mapping[str, str]) -> tuple[str, str]:
    return row["sop_instance_uid"], row["frame"]


def _identity(row: Mapping[str, str]) -> str:
    """Whose frame it is; without a patient's ID, all that is known to be of one patient is the study."""
    return f"patient {row['patient_id']}" if row["patient_id"] else f"study {row['study_instance_uid']}"
