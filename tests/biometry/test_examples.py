import doctest
from types import ModuleType

import pytest

from fetal_monai import failed_estimate
from fetal_monai.biometry import dating, gestational_age


@pytest.mark.parametrize("module", [dating, failed_estimate, gestational_age], ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
