"""Summaries of prepared data sets, which the command lines print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fetal_monai.data import load_classification_datalist
from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.data.datalist import SECTIONS, fingerprint, read_datalist
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.labelled_frame import LabelledFrame
from fetal_monai.data.preparation.problem import REJECTED_NAME, Problem


def segmentation_summary(inspection: Inspection[AnnotatedFrame], output_dir: Path) -> str:
    """Summarise the frames and exams of each section, and the files that were left out with the reasons."""
    content = read_datalist(output_dir)
    sections = []
    for section in SECTIONS:
        exams = {frame["exam"] for frame in content[section]}
        sections.append(f"  {section:<10} {len(content[section]):>4} frames of {len(exams):>4} exams")
    if unscaled := sum(frame.pixel_spacing_mm is None for frame in inspection.frames):
        sections.append(f"  {unscaled} frames have no pixel spacing: they have masks and overlap, but no figures in mm")
    return _summary(inspection, output_dir, sections, reasons(inspection.left_out))


def classification_summary(inspection: Inspection[LabelledFrame], output_dir: Path) -> str:
    """Summarise the frames, patients and classes of each section, and count the files that were left out by reason."""
    sections = [f"  {'':<10} {'frames':>7} {'patients':>8}" + "".join(f"{name:>11}" for name in ANATOMICAL_CLASSES)]
    for section in SECTIONS:
        frames = load_classification_datalist(output_dir, section)
        counts = "".join(f"{int(count):>11}" for count in np.sum([frame["target"] for frame in frames], axis=0))
        sections.append(f"  {section:<10} {len(frames):>7} {len({frame['patient'] for frame in frames}):>8}{counts}")
    return _summary(inspection, output_dir, sections, _counted_reasons(inspection.left_out))


def reasons(problems: Sequence[Problem]) -> list[str]:
    """Format each problem as an indented line with file and reason."""
    return [f"  {finding.file}: {finding.detail}" for finding in problems]


def _summary(inspection: Inspection[Any], output_dir: Path, sections: list[str], left_out: list[str]) -> str:
    lines = [f"Prepared {len(inspection.frames)} frames in {output_dir}:", *sections]
    lines.append(f"  fingerprint {fingerprint(output_dir)}")
    if left_out:
        lines += [f"Left out {len(inspection.left_out)}, listed in {output_dir / REJECTED_NAME}:", *left_out]
    return "\n".join(lines)


def _counted_reasons(problems: Sequence[Problem]) -> list[str]:
    """Format each reason as an indented line with the file or the number of files."""
    count_of = Counter(finding.detail for finding in problems)
    file_of = {finding.detail: finding.file for finding in problems}
    return [f"  {file_of[why] if count == 1 else f'{count} files'}: {why}" for why, count in count_of.items()]
