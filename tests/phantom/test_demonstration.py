from pathlib import Path

import pytest

from fetal_monai.data import load_datalist
from fetal_monai.phantom import demonstration_dataset

pytestmark = pytest.mark.slow


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = demonstration_dataset(tmp_path / "phantoms", count=12)
    sections = {name: load_datalist(folder, name) for name in ("training", "validation", "test")}
    assert sum(map(len, sections.values())) == 12
    assert len(list((folder / "test_set").glob("*.png"))) == 8
    made = (folder / "datalist.json").stat().st_mtime_ns
    demonstration_dataset(tmp_path / "phantoms", count=12)
    assert (folder / "datalist.json").stat().st_mtime_ns == made


def test_an_interrupted_preparation_is_taken_up_again(tmp_path: Path) -> None:
    folder = demonstration_dataset(tmp_path / "phantoms", count=12)
    (folder / "datalist.json").unlink()
    assert (demonstration_dataset(folder) / "datalist.json").is_file()
    assert len(list((folder / "training_set").glob("*HC.png"))) == 12
