from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.data import ANATOMICAL_CLASSES
from fetal_monai.data.preparation.folds import folds_by_patient
from fetal_monai.data.preparation.labelled_frame import LabelledFrame

REGIONS = ANATOMICAL_CLASSES[:-1]


def frame(number: int, patient: str, labels: tuple[str, ...], pixels: str = "") -> LabelledFrame:
    return LabelledFrame(Path(f"{number}.png"), f"{number}.png", labels, patient, {}, {}, pixels or f"pixels {number}")


def folds_of(frames: list[LabelledFrame], count: int = 5, seed: int = 0) -> list[int]:
    owners = [(each.patient, each.pixels_sha256) for each in frames]
    return folds_by_patient(
        owners, [[name in each.labels for name in ANATOMICAL_CLASSES] for each in frames], count, seed
    )


@st.composite
def data_sets(draw: st.DrawFn) -> list[LabelledFrame]:
    patients = draw(st.lists(st.integers(0, 30), min_size=5, max_size=60))
    labels = st.sets(st.sampled_from(REGIONS), min_size=1, max_size=3)
    drawn = [frame(number, f"p{patient}", tuple(draw(labels))) for number, patient in enumerate(patients)]
    # At least as many patients as folds.
    return drawn + [frame(100 + number, f"q{number}", ("head",)) for number in range(5)]


@settings(max_examples=40, deadline=None)
@given(data_sets(), st.integers(0, 3))
def test_no_patient_is_parted_no_fold_is_empty_and_the_order_does_not_matter(
    frames: list[LabelledFrame], seed: int
) -> None:
    folds = folds_of(frames, 5, seed)

    fold_of: dict[str, set[int]] = {}
    for each, fold in zip(frames, folds, strict=True):
        fold_of.setdefault(each.patient, set()).add(fold)
    assert all(len(parts) == 1 for parts in fold_of.values())
    assert set(folds) == set(range(5))
    assert folds_of(frames[::-1], 5, seed) == folds[::-1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(REGIONS), min_size=10, max_size=80), st.integers(3, 6))
def test_classes_are_shared_out_to_one_frame_where_every_patient_has_one(classes: list[str], count: int) -> None:
    folds = folds_of([frame(n, f"p{n}", (name,)) for n, name in enumerate(classes)], count)

    held = Counter(zip(classes, folds, strict=True))
    for name in set(classes):
        per_fold = [held[name, fold] for fold in range(count)]
        assert max(per_fold) - min(per_fold) <= 1


def test_another_seed_gives_other_folds() -> None:
    frames = [frame(number, f"p{number}", ("head",)) for number in range(30)]

    assert folds_of(frames, 5, 0) == folds_of(frames, 5, 0)
    assert folds_of(frames, 5, 0) != folds_of(frames, 5, 1)


def test_patients_with_an_identical_frame_stay_together() -> None:
    frames = [frame(number, f"p{number}", ("head",), "same" if number in (3, 17, 22) else "") for number in range(30)]

    folds = folds_of(frames, 5)

    assert folds[3] == folds[17] == folds[22]


def test_too_few_folds_or_patients_are_refused() -> None:
    frames = [frame(number, f"p{number % 4}", ("head",)) for number in range(12)]
    with pytest.raises(ValueError, match="folds is 2; expected 3 or more"):
        folds_of(frames, 2)
    with pytest.raises(ValueError, match="Only 4 patients or exams for 5 folds"):
        folds_of(frames, 5)
