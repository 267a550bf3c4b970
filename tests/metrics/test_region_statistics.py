import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.metrics import EvaluatedFrame, region_statistics

NOTHING = FailedEstimate("nothing stands out")


def frame(
    winner: int, *shown: int, box: Box | FailedEstimate = NOTHING, reference: Box | None = None
) -> EvaluatedFrame:
    """A frame of four classes, of which the last is the background; the expert marked the first class shown."""
    logits, target, references = np.zeros(4), np.zeros(4), np.full((4, 4), np.nan)
    logits[winner], target[list(shown)] = 2, 1
    if reference:
        references[shown[0]] = reference
    return EvaluatedFrame(image="a.png", index=None, logits=logits, target=target, box=box, references=references)


FRAMES = [
    frame(0, 0, box=Box(0, 0, 10, 5), reference=Box(0, 0, 10, 10)),
    frame(1, 0, box=Box(0, 0, 4, 4), reference=Box(0, 0, 4, 4)),
    frame(1, 1, 0),
    frame(3, 3),
]


def test_by_frame() -> None:
    found = region_statistics(FRAMES)
    assert_equal(found.right, [True, False, True, True])
    assert_equal(found.frame_overlaps, [0.5, 0, np.nan, np.nan])


def test_by_class_with_nan_for_a_class_without_frames() -> None:
    found = region_statistics(FRAMES)
    assert_equal(found.frames, [3, 1, 0, 1])
    assert_allclose(found.by_class["accuracy"], [2 / 3, 1, np.nan, 1])
    assert_allclose(found.by_class["iou"], [0.25, np.nan, np.nan, np.nan])
    assert found.curves[2] is None
    assert_equal(found.single_label_frames, [2, 0, 0, 1])
    assert_equal(found.confusion[0], [0.5, 0.5, 0, 0])
    assert np.isnan(found.confusion[1]).all()


def test_means_leave_out_the_background_and_classes_without_frames() -> None:
    assert region_statistics(FRAMES).means["accuracy"] == (2 / 3 + 1) / 2
    assert region_statistics(FRAMES, background=0).means["accuracy"] == 1
    assert np.isnan(region_statistics([frame(3, 3)]).means["accuracy"])


@given(st.permutations(FRAMES))
def test_the_order_of_the_frames_does_not_matter_to_a_class(frames: list[EvaluatedFrame]) -> None:
    found, expected = region_statistics(frames), region_statistics(FRAMES)
    for name in ("accuracy", "average_precision", "iou"):
        assert_allclose(found.by_class[name], expected.by_class[name])
    assert_equal(found.confusion, expected.confusion)
