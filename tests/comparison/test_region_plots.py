import io

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score

from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.picture import Picture
from fetal_monai.comparison.region_plots import (
    class_names,
    confusion_matrices,
    pooled_confusion,
    pooled_curves,
    precision_recall_curves,
)
from tests.comparison.conftest import FRAMES, REGIONS, evaluation, regions_evaluation, training

FIRST_FOLD = ["head", "limbs", "head", "background"]
SECOND_FOLD = ["limbs", "limbs", "limbs", "limbs"]


@pytest.fixture(scope="module")
def method() -> Method:
    folds = (FIRST_FOLD, SECOND_FOLD)
    return Method("A", tuple(regions_evaluation(w, training(fold=f), fold=f) for f, w in enumerate(folds)))


def test_the_folds_make_one_curve_a_class(method: Method) -> None:
    assert class_names(method) == list(REGIONS)
    curves = pooled_curves(method)
    # Frames: head; head and limbs; limbs; background; twice.
    targets = {"head": [1, 1, 0, 0] * 2, "limbs": [0, 1, 1, 0] * 2, "background": [0, 0, 0, 1] * 2}
    for name, target in targets.items():
        scores = [0.9 if winner == name else 0.1 for winner in FIRST_FOLD + SECOND_FOLD]
        assert curves[name].average_precision == pytest.approx(average_precision_score(target, scores))
    # By hand: one of the two frames classified as head shows it, out of four.
    assert (curves["head"].precision[1], curves["head"].recall[1]) == (0.5, 0.25)


def test_the_folds_make_one_confusion_matrix_of_frames_with_one_label(method: Method) -> None:
    np.testing.assert_array_equal(pooled_confusion(method), [[1, 1, 0], [1, 1, 0], [0, 1, 1]])


def size_px(picture: Picture | None) -> tuple[int, int]:
    assert picture is not None
    return Image.open(io.BytesIO(picture.content)).size


def test_panels_are_classes_and_methods(method: Method) -> None:
    other = Method("B", method.evaluations)
    width, height = size_px(confusion_matrices([method]))
    assert size_px(confusion_matrices([method, other])) == (2 * width, height)
    # A second method adds a colour to the panels of the same three classes.
    width, height = size_px(precision_recall_curves([method]))
    assert (width, height) == size_px(precision_recall_curves([method, other]))
    assert width / height == pytest.approx(3 * 3.6 / (3.4 + 0.6), rel=0.01)


def test_masks_have_neither() -> None:
    methods = [Method("A", (evaluation([0.9] * len(FRAMES), training()),))]
    assert precision_recall_curves(methods) is None
    assert confusion_matrices(methods) is None
