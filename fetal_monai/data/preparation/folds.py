"""Cross-validation folds: whole patients, with the classes distributed as evenly as possible."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fetal_monai.data.preparation.split import inseparable_groups


def folds_by_patient(
    patients: Sequence[tuple[str, str]], classes: ArrayLike, count: int = 5, seed: int = 0
) -> list[int]:
    """Assign whole patients to folds.

    Patients that share a pixel-identical frame stay together. Patients are assigned one after another, those with the
    most labels first, and ties in the order of the SHA-256 of seed and patient. Each is assigned to the fold in which
    its classes are rarest so far, which keeps the distribution of the classes over the folds most even (the sum of
    squared shares grows least). scikit-learn's StratifiedGroupKFold does the same for frames of one class; these frames
    may have several.

    Args:
        patients: (patient or exam, digest of the pixels) of each frame.
        classes: (frames, classes), 1 where the frame shows the class.
        count: Number of folds, 3 or more: one to test, one to validate, the others to train.
        seed: Seed of the folds; the same seed always gives the same folds.

    Returns:
        The fold of each frame, 0 to count - 1; no fold is empty.

    Raises:
        ValueError: `count` is below 3, or there are fewer patients or exams than folds, where those that
            share an identical frame count as one.
    """
    if count < 3:
        raise ValueError(f"folds is {count}; expected 3 or more: one to test, one to validate, the others to train.")
    groups = inseparable_groups(patients)
    if len(groups) < count:
        raise ValueError(
            f"Only {len(groups)} patients or exams for {count} folds (those that share an identical frame count as "
            "one). Add some or ask for fewer folds."
        )
    number_of = {patient: number for number, group in enumerate(groups) for patient in group}
    of_frames = np.asarray(classes, dtype=np.float64)
    of_groups = np.zeros((len(groups), of_frames.shape[1]))
    for (patient, _), of_frame in zip(patients, of_frames, strict=True):
        of_groups[number_of[patient]] += of_frame
    shares = of_groups / np.maximum(of_groups.sum(axis=0), 1)

    def rank(number: int) -> tuple[float, str]:
        digest = hashlib.sha256(f"{seed}:{min(groups[number])}".encode()).hexdigest()
        return -float(of_groups[number].sum()), digest

    held = np.zeros((count, of_groups.shape[1]))
    labels_in = np.zeros(count)
    fold_of_group = {}
    for number in sorted(range(len(groups)), key=rank):
        # |held + share|^2 - |held|^2 is smallest where held . share is; it is 0 for an empty fold, so none stays empty.
        growth = np.round(held @ shares[number], 12)
        fold = int(np.lexsort((labels_in, growth))[0])
        held[fold] += shares[number]
        labels_in[fold] += of_groups[number].sum()
        fold_of_group[number] = fold
    return [fold_of_group[number_of[patient]] for patient, _ in patients]
