from dataclasses import replace

from fetal_monai.comparison.methods import group
from fetal_monai.comparison.papers import load_papers
from fetal_monai.comparison.store import Evaluation
from fetal_monai.comparison.tables import methods_table
from tests.comparison.conftest import evaluation, training

DICE = [0.9] * 8


def _limited(seed: int, epochs: int, time_limit_s: object) -> Evaluation:
    trained = training(seed, time_limit_s=time_limit_s)
    return evaluation(DICE, replace(trained, histories={"train_loss": {epoch: 1.0 for epoch in range(1, epochs + 1)}}))


def test_seeds_under_time_limits_are_one_method_however_far_they_came() -> None:
    (method,) = group([_limited(0, 3, 61.5), _limited(1, 5, 58.25)], load_papers())
    table = methods_table([method])
    assert dict(zip(table.header, table.rows[0], strict=True))["epochs"] == "3 to 5"


def test_a_whole_training_is_another_method() -> None:
    methods = group([_limited(0, 3, 61.5), _limited(0, 3, None)], load_papers())
    assert len(methods) == 2
    assert [method.evaluations[0].training.time_limit for method in methods if method.evaluations[0].training] == [
        "within a time limit" in method.name for method in methods
    ]
