"""Tell what was prepared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fetal_monai.data.datalist import SECTIONS, fingerprint, read_datalist
from fetal_monai.data.preparation.prepared import Inspection
from fetal_monai.data.preparation.problem import REJECTED_NAME, Problem


def prepared_summary(inspection: Inspection, output_dir: Path) -> str:
    """What a prepared data set holds, section by section, and what was left out with the reasons."""
    content = read_datalist(output_dir)
    lines = [f"Prepared {len(inspection.frames)} frames in {output_dir}:"]
    for section in SECTIONS:
        exams = {frame["exam"] for frame in content[section]}
        lines.append(f"  {section:<10} {len(content[section]):>4} frames of {len(exams):>4} exams")
    lines.append(f"  fingerprint {fingerprint(output_dir)}")
    if inspection.left_out:
        lines.append(f"Left out {len(inspection.left_out)}, listed in {output_dir / REJECTED_NAME}:")
        lines += reasons(inspection.left_out)
    return "\n".join(lines)


def reasons(problems: Sequence[Problem]) -> list[str]:
    """One indented line a finding: file and reason."""
    return [f"  {finding.file}: {finding.detail}" for finding in problems]
