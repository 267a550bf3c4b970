"""One or two rows of each paper on phantoms, by the bundles' real commands, up to the comparison."""

from pathlib import Path

import pytest

from fetal_monai.comparison.papers import load_papers
from fetal_monai.data import inspect_label_folder, prepare_hc18, write_classification_datalist
from fetal_monai.phantom import write_phantoms, write_plane_phantoms
from fetal_monai.reproduction.plan import Plan
from fetal_monai.reproduction.reproduce import reproduce

pytestmark = pytest.mark.slow

BUNDLES = Path(__file__).parents[2] / "bundles"
SMALL = {"epochs": "1", "batch_size": "2", "autocast_dtype": "$None"}


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    write_phantoms(folder, count=8, seed=2)
    prepare_hc18(folder, folder, fractions=(0.5, 0.25, 0.25))
    return folder


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planes")
    write_plane_phantoms(folder, 21, seed=3)
    write_classification_datalist(inspect_label_folder(folder), {"name": "planes"}, folder)
    return folder


# The fourth paper's rows are run in test_reproduce.py, in processes of their own.
@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("key", "rows", "folds", "data", "overrides"),
    [
        ("bisenet", ["bisenet_128x64"], [], "heads", {}),
        ("gan", ["attention_u_net_discriminator"], [], "heads", {"spatial_size": "[32,48]"}),
        ("soft_proposal", ["soft_proposal_resnet_18"], [1, 3], "planes", {"spatial_size": "[64,64]"}),
    ],
    ids=["bisenet", "gan", "soft_proposal"],
)
def test_rows_stand_beside_the_papers(
    key: str,
    rows: list[str],
    folds: list[int],
    data: str,
    overrides: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (paper,) = (paper for paper in load_papers() if paper.key == key)
    plan = Plan(
        *(paper, request.getfixturevalue(data), tmp_path, BUNDLES),
        rows=rows,
        folds=folds,
        quick=True,
        overrides={**SMALL, **overrides},
    )
    outcome = reproduce(plan)
    assert not outcome.failed
    assert outcome.page is not None
    printed = outcome.page.with_suffix(".md").read_text()
    table = printed[printed.index(f"## {paper.title}") :]
    ours = f"ours, {len(folds)} folds" if folds else "ours, 1 seed"
    for row in paper.rows:
        assert f"| {row.method} | paper |" in table
        assert (f"| {row.method} | {ours} |" in table) == (row.key in rows)
