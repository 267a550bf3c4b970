"""Split the frames of a data set into training, validation and test sections by exam."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from fetal_monai.data.datalist import SECTIONS


class FrameOfExam(Protocol):
    """A frame with the attributes that the split needs: its exam and a digest of its pixels."""

    @property
    def exam(self) -> str: ...  # noqa: D102
    @property
    def pixels_sha256(self) -> str: ...  # noqa: D102


FrameT = TypeVar("FrameT", bound=FrameOfExam)


def split_by_exam(frames: Sequence[FrameT], seed: int, fractions: Sequence[float]) -> dict[str, list[FrameT]]:
    """Split whole exams into training, validation and test.

    Exams that share a pixel-identical frame stay together. Exams are ordered by the SHA-256 of seed and exam, which is
    the same on every machine and does not depend on a random number generator.

    Args:
        frames: The frames to split.
        seed: Seed of the split; the same seed always gives the same split.
        fractions: Fractions of the exams for training, validation and test; positive, with the sum 1.

    Returns:
        The frames of each section, in the order of `frames`; every section has at least one exam.

    Raises:
        ValueError: The fractions are wrong, or there are fewer exams than sections, where exams that share an identical
            frame count as one.
    """
    check_fractions(fractions)
    groups = inseparable_groups((frame.exam, frame.pixels_sha256) for frame in frames)
    if len(groups) < len(SECTIONS):
        raise ValueError(
            f"Only {len(groups)} exams (exams that share an identical frame count as one); training, validation and "
            "test need at least one each. Add frames of other exams."
        )
    groups.sort(key=lambda exams: hashlib.sha256(f"{seed}:{min(exams)}".encode()).hexdigest())
    targets = [fraction * len(groups) for fraction in fractions]
    counts = [1] * len(SECTIONS)
    for _ in range(len(groups) - len(SECTIONS)):
        shortest = max(range(len(SECTIONS)), key=lambda index: targets[index] - counts[index])
        counts[shortest] += 1
    section_of: dict[str, str] = {}
    remaining = iter(groups)
    for section, count in zip(SECTIONS, counts, strict=True):
        for _ in range(count):
            section_of.update(dict.fromkeys(next(remaining), section))
    return {section: [frame for frame in frames if section_of[frame.exam] == section] for section in SECTIONS}


def check_fractions(fractions: Sequence[float]) -> None:
    """Check the fractions of the exams for training, validation and test.

    Raises:
        ValueError: The fractions are not three positive numbers with the sum 1.
    """
    if len(fractions) != len(SECTIONS) or not all(fraction > 0 for fraction in fractions):
        raise ValueError(f"fractions must be three positive numbers (training, validation, test), got {fractions}.")
    if not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise ValueError(f"fractions must sum to 1, got {fractions} with sum {sum(fractions):g}.")


def inseparable_groups(frames: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Find sets of exams (or patients) that must stay together because they share a pixel-identical frame.

    Args:
        frames: (exam, digest of the pixels) of each frame.

    Returns:
        Sets of exams; each exam is in exactly one of them.
    """
    group_of: dict[str, set[str]] = {}
    exam_of_pixels: dict[str, str] = {}
    for exam, digest in frames:
        group_of.setdefault(exam, {exam})
        twin = exam_of_pixels.setdefault(digest, exam)
        if group_of[twin] is not group_of[exam]:
            merged = group_of[twin] | group_of[exam]
            group_of.update(dict.fromkeys(merged, merged))
    return list({id(group): group for group in group_of.values()}.values())
