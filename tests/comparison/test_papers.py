import pytest

from fetal_monai.comparison.papers import Paper, load_papers


@pytest.fixture(scope="module", params=load_papers(), ids=lambda paper: paper.key)
def paper(request: pytest.FixtureRequest) -> Paper:
    return request.param


def test_all_four_papers_are_there() -> None:
    assert {paper.key for paper in load_papers()} == {"bisenet", "dilated_unet", "gan", "soft_proposal"}


def test_methods_are_named_once_over_all_papers() -> None:
    names = [row.method for paper in load_papers() for row in paper.rows]
    assert len(names) == len(set(names))


def test_a_run_belongs_to_one_row() -> None:
    rows = [row for paper in load_papers() for row in paper.rows]
    for row in rows:
        assert [other.method for other in rows if other.describes(row.ours)] == [row.method]


def test_figures_stand_in_columns_of_the_table(paper: Paper) -> None:
    columns = {column.key for column in paper.columns}
    assert all(row.reported.keys() <= columns for row in paper.rows)


def test_mean_dice_obeys_the_bound_of_mean_jaccard() -> None:
    bounded = [
        row.reported for paper in load_papers() for row in paper.rows if {"dice", "jaccard"} <= row.reported.keys()
    ]
    assert len(bounded) == 10
    for reported in bounded:
        jaccard = reported["jaccard"] / 100
        assert reported["dice"] <= 100 * 2 * jaccard / (1 + jaccard)


def test_f1_is_that_of_precision_and_recall() -> None:
    (paper,) = [paper for paper in load_papers() if paper.key == "dilated_unet"]
    for row in paper.rows:
        precision, recall = row.reported["precision"], row.reported["sensitivity"]
        assert row.reported["f1"] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-3)


def test_the_soft_proposal_mean_is_that_of_six_regions() -> None:
    (paper,) = [paper for paper in load_papers() if paper.key == "soft_proposal"]
    for row in paper.rows:
        if row.method == "Soft proposal, VGG-13-BN":
            continue  # the paper states a mean of 0.891; the mean of its six values is 0.888
        regions = [row.reported[column.key] for column in paper.columns[:6]]
        assert row.reported["accuracy_mean"] == pytest.approx(sum(regions) / 6, abs=1e-3)
