"""Frames with the same pixels, which would leak from one section of a data set into another."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from fetal_monai.data.preparation.problem import Problem


def identical_frames(frames: Iterable[tuple[str, str, str]]) -> list[Problem]:
    """Find frames with the same pixels.

    Args:
        frames: (file name, exam, digest of the pixels) of each frame.

    Returns:
        A warning for each group within one exam, an error for each group across exams.
    """
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, exam, digest in frames:
        groups[digest].append((name, exam))
    problems = []
    for group in groups.values():
        if len(group) < 2:
            continue
        (first, _), *others = group
        copies = ", ".join(name for name, _ in others)
        exams = sorted({exam for _, exam in group})
        if len(exams) == 1:
            problems.append(Problem("warning", "identical frames", first, f"is the same image as {copies}"))
        else:
            detail = f"is the same image as {copies}, though the exams differ ({', '.join(exams)})"
            problems.append(Problem("error", "identical frames", first, detail))
    return problems


def pixel_digest(pixels: NDArray[Any]) -> str:
    """Compute the SHA-256 of an image's shape and pixels, which does not depend on its compression."""
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()
