import pytest

from fetal_monai.reproduction.budget import Budget


def test_what_is_left_is_shared_by_the_jobs_that_are_left() -> None:
    budget = Budget(100)
    assert budget.time_limit_s(5) == pytest.approx(10, abs=0.1)  # half of a share: the overhead is not known yet
    budget.note(job_s=30, epochs_s=24)
    assert budget.time_limit_s(5) == pytest.approx(20 - 6, abs=0.1)
    # A job that takes less than its share leaves more for the others.
    assert budget.time_limit_s(2) == pytest.approx(50 - 6, abs=0.1)


def test_a_spent_budget_leaves_each_job_an_epoch() -> None:
    budget = Budget(0)
    budget.note(job_s=30, epochs_s=24)
    assert budget.time_limit_s(1) == 1
    assert budget.left_s == 0
