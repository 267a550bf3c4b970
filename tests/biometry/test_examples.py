import doctest
from types import ModuleType

import pytest

from fetal_monai.biometry import ellipse, gestational_age


@pytest.mark.parametrize("module", [ellipse, gestational_age], ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
