import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fetal_monai.comparison.measures import Measure
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.table import Table
from fetal_monai.comparison.tables import methods_table, runs_table
from tests.comparison.conftest import FRAMES, evaluation, training

DICE = [0.9] * len(FRAMES)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([(None, 0)], "1 seed"),
        ([(None, 0), (None, 1)], "2 seeds"),
        ([(0, 0)], "1 fold"),
        ([(fold, 0) for fold in range(5)], "5 folds"),
        (list(itertools.product(range(5), range(3))), "5 folds x 3 seeds"),
        ([(0, 0), (0, 1), (1, 0)], "2 folds, 3 runs"),
        ([(None, None)], "training unknown"),
    ],
)
def test_folds_and_seeds_are_counted(runs: Sequence[tuple[int | None, int | None]], told: str) -> None:
    evaluations = []
    for fold, seed in runs:
        of_fold: dict[str, Any] = {} if fold is None else {"fold": fold}
        trained = None if seed is None else training(seed=seed, **of_fold)
        evaluations.append(evaluation(DICE, trained, **of_fold))
    table = methods_table([Method("A", tuple(evaluations))])
    row = dict(zip(table.header, table.rows[0], strict=True))
    assert row["runs"] == told
    assert row["frames"] == str(len(FRAMES) * len({fold for fold, _ in runs}))


def test_an_input_is_named_as_in_the_papers() -> None:
    """Columns x rows, such as BiSeNet 384x256; configs have (rows, columns)."""
    table = methods_table([Method("A", (evaluation(DICE, training(spatial_size="[256, 384]")),))])
    assert dict(zip(table.header, table.rows[0], strict=True))["input"] == "384x256"


def test_latex_has_the_texts_of_the_cells() -> None:
    rows = [["a_b & c|", "97.1 ± 0.2"], ["100 % {x}", ""]]
    lines = Table("t", "T", "", ["method", "Dice %"], rows, []).latex().splitlines()
    assert lines[:2] == [r"\begin{tabular}{ll}", r"\toprule"] and lines[-1] == r"\end{tabular}"
    assert r"method & Dice \% \\" in lines
    assert r"a\_b \& c| & 97.1 ± 0.2 \\" in lines
    assert r"100 \% \{x\} &  \\" in lines


def test_a_run_says_where_it_ran() -> None:
    here = evaluation(DICE, training(), device="cuda", cpu_threads=4)
    table = runs_table([Method("A", (here, evaluation(DICE, training(seed=1))))])
    assert [dict(zip(table.header, row, strict=True))["machine"] for row in table.rows] == [
        "cuda, 4 threads",
        "unknown",
    ]


def test_the_code_of_a_pack_is_named_by_its_checksum() -> None:
    pack = evaluation(DICE, training(), bundle_version="1.2.3", code_sha256="0123456789abcdef" * 4)
    checkout = evaluation(DICE, training(seed=1), bundle_version="1.2.3", git_commit="f00d")
    table = runs_table([Method("A", (pack, checkout))])
    code = [dict(zip(table.header, row, strict=True))["code"] for row in table.rows]
    assert code == ["version 1.2.3, SHA-256 0123456789ab", "f00d"]


def test_a_spread_is_told_where_values_differ() -> None:
    measure = Measure("gmacs", "GMAC")
    assert measure.text([1.25, 1.75]) == "1.50 ± 0.35"
    equal = [0.1] * 3
    assert np.std(equal, ddof=1) > 0  # a rounding error
    assert measure.text(equal) == "0.10"
