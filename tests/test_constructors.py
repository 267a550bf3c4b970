"""A call of a constructor with many arguments names them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest

PACKAGES = ("engines", "handlers", "inferers", "losses", "metrics", "networks", "transforms")


def constructors() -> Iterator[type]:
    for name in PACKAGES:
        package = importlib.import_module(f"fetal_monai.{name}")
        for public in (getattr(package, each) for each in package.__all__):
            # A named tuple takes its values in order, as every tuple; a constructor that is inherited is not ours.
            if inspect.isclass(public) and not issubclass(public, tuple) and ours(public):
                yield public


def ours(public: type) -> bool:
    defining = next(each for each in public.__mro__ if "__init__" in vars(each))
    return defining.__module__.startswith("fetal_monai")


@pytest.mark.parametrize("public", list(constructors()), ids=lambda public: public.__name__)
def test_of_more_than_three_arguments_only_the_first_may_go_without_its_name(public: type) -> None:
    arguments = list(inspect.signature(public).parameters.values())
    by_place = [argument.name for argument in arguments if argument.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert len(arguments) <= 3 or len(by_place) <= 1, by_place
