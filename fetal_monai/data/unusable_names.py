"""Find names of frames that a table cannot contain, or that would give two frames the same output file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fetal_monai.files.name_matching import composed
from fetal_monai.files.printable_text import printable_text


def unusable_names(files: Iterable[Path], source_dir: Path) -> dict[Path, str]:
    """Find the files whose output would have an invalid name or the same name as that of another file.

    Output files are named after their frame, see `fetal_monai.reporting.output_path`, on a file system that may not
    distinguish upper from lower case or the Unicode forms of a letter. Of files that would share a name there, the
    first is usable.

    Args:
        files: The frames of a run.
        source_dir: The folder that their names are relative to.

    Returns:
        The unusable files, each with the problem and how to fix it.
    """
    unusable: dict[Path, str] = {}
    first_of: dict[str, str] = {}
    for file in files:
        name = (file.relative_to(source_dir) if file.is_relative_to(source_dir) else file).as_posix()
        if printable_text(name) != name:
            unusable[file] = "its name is not valid UTF-8, so a table cannot contain it; rename the file."
            continue
        # Output files of a DICOM file without a suffix are named as if it had the suffix ".dicom".
        key = composed(name).casefold().removesuffix(".dicom")
        if first_of.setdefault(key, name) != name:
            unusable[file] = (
                f"its output files would have the same names as those of {first_of[key]}: the two names differ at most "
                "in upper and lower case, Unicode form, or the suffix .dicom. Rename one of them."
            )
    return unusable
