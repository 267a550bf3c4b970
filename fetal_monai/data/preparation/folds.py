"""Cross-validation folds: whole patients, with the classes distributed as evenly as possible."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.data.preparation.labelled_frame import LabelledFrame
from fetal_monai.data.preparation.split import inseparable_groups


def folds_by_patient(frames: Sequence[LabelledFrame], count: int = 5, seed: int = 0) -> list[int]:
    """Assign whole patients to folds.

    Patients that share a pixel-identical frame stay together. Patients are assigned one after another, those with the
    most labels first, and ties in the order of the SHA-256 of seed and patient. Each is assigned to the fold in which
    its classes are rarest so far, which keeps the distribution of the classes over the folds most even (the sum of
    squared shares grows least). scikit-learn's StratifiedGroupKFold does the same for frames of one class; these frames
    may have several.

    Args:
        frames: The frames.
        count: Number of folds, 3 or more: one to test, one to validate, the others to train.
        seed: Seed of the folds; the same seed always gives the same folds.

    Returns:
        The fold of each frame, 0 to count - 1; no fold is empty.

    Raises:
        ValueError: `count` is below 3, or there are fewer patients than folds, where patients that share an identical
            frame count as one.
    """
    if count < 3:
        raise ValueError(f"folds is {count}; expected 3 or more: one to test, one to validate, the others to train.")
    groups = inseparable_groups((frame.patient, frame.pixels_sha256) for frame in frames)
    if len(groups) < count:
        raise ValueError(
            f"Only {len(groups)} patients for {count} folds (patients that share an identical frame count as one). "
            "Add patients or ask for fewer folds."
        )
    number_of = {patient: number for number, group in enumerate(groups) for patient in group}
    classes = np.zeros((len(groups), len(ANATOMICAL_CLASSES)))
    for frame in frames:
        classes[number_of[frame.patient], [ANATOMICAL_CLASSES.index(name) for name in frame.labels]] += 1
    shares = classes / np.maximum(classes.sum(axis=0), 1)

    def rank(number: int) -> tuple[float, str]:
        digest = hashlib.sha256(f"{seed}:{min(groups[number])}".encode()).hexdigest()
        return -float(classes[number].sum()), digest

    held = np.zeros((count, len(ANATOMICAL_CLASSES)))
    labels_in = np.zeros(count)
    fold_of_group = {}
    for number in sorted(range(len(groups)), key=rank):
        # |held + share|^2 - |held|^2 is smallest where held . share is; it is 0 for an empty fold, so none stays empty.
        growth = np.round(held @ shares[number], 12)
        fold = int(np.lexsort((labels_in, growth))[0])
        held[fold] += shares[number]
        labels_in[fold] += classes[number].sum()
        fold_of_group[number] = fold
    return [fold_of_group[number_of[frame.patient]] for frame in frames]
