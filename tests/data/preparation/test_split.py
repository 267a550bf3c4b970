from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.data.preparation.split import split_by_exam

FRACTIONS = (0.75, 0.1, 0.15)


@dataclass(frozen=True)
class Frame:
    exam: str
    pixels_sha256: str


def frame_of(exam: int, pixels: int) -> Frame:
    return Frame(f"{exam:03d}", str(pixels))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 400)), min_size=12, max_size=80),
    st.integers(0, 5),
    st.sampled_from([FRACTIONS, (0.4, 0.3, 0.3), (0.98, 0.01, 0.01)]),
)
@settings(deadline=None)
def test_no_exam_and_no_image_is_ever_in_two_sections(
    drawn: list[tuple[int, int]], seed: int, fractions: tuple[float, float, float]
) -> None:
    frames = [frame_of(exam, pixels) for exam, pixels in drawn]
    try:
        sections = split_by_exam(frames, seed, fractions)
    except ValueError as error:
        assert "exams (exams that share an identical frame count as one)" in str(error)
        return
    for key in ("exam", "pixels_sha256"):
        seen = [{getattr(frame, key) for frame in section} for section in sections.values()]
        assert sum(map(len, seen)) == len(set.union(*seen))
    assert sum(map(len, sections.values())) == len(frames)


@given(st.integers(3, 300), st.integers(0, 100))
@settings(deadline=None)
def test_sections_have_the_asked_sizes(exams: int, seed: int) -> None:
    sections = split_by_exam([frame_of(exam, exam) for exam in range(exams)], seed, FRACTIONS)
    for fraction, section in zip(FRACTIONS, sections.values(), strict=True):
        assert len(section) >= 1
        assert len(section) == pytest.approx(fraction * exams, abs=2)


def test_another_seed_gives_another_split() -> None:
    frames = [frame_of(exam, exam) for exam in range(40)]
    splits = {tuple(frame.exam for frame in split_by_exam(frames, seed, FRACTIONS)["test"]) for seed in range(5)}
    assert len(splits) == 5


def test_the_split_is_the_same_everywhere() -> None:
    """Pinned, because a published split must not move with a library's version."""
    sections = split_by_exam([frame_of(exam, exam) for exam in range(12)], 0, FRACTIONS)
    assert [frame.exam for frame in sections["validation"]] == ["006"]
    assert [frame.exam for frame in sections["test"]] == ["002", "003"]
