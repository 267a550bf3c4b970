import pytest

pytest.importorskip("nncf", reason="nncf is not installed: pip install fetal-monai[fast]")

from fetal_monai.runtimes.quantise import Accuracy, QuantisationRefusedError, check_accuracy

BEFORE = Accuracy(dice=0.9768, error_mm=1.679, failed=1)


@pytest.mark.parametrize("after", [Accuracy(0.9760, 1.72, 1), Accuracy(0.98, 1.0, 0), BEFORE])
def test_as_good_within_the_limits(after: Accuracy) -> None:
    check_accuracy(BEFORE, after)


@pytest.mark.parametrize("after", [Accuracy(0.9757, 1.679, 1), Accuracy(0.9768, 1.73, 1), Accuracy(0.9768, 1.679, 2)])
def test_worse_is_refused_with_the_figures(after: Accuracy) -> None:
    with pytest.raises(QuantisationRefusedError) as refused:
        check_accuracy(BEFORE, after)
    assert str(BEFORE) in str(refused.value)
    assert str(after) in str(refused.value)
