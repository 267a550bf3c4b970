from pathlib import Path

import pytest

from fetal_monai.files import atomic_path


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mask.nii.gz"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffixes == [".nii", ".gz"]
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_keeps_the_earlier_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("earlier")
    with pytest.raises(RuntimeError, match="disk full"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("disk full")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("earlier")
    with atomic_path(str(path)) as temporary:
        temporary.write_text("later")
    assert path.read_text() == "later"


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "list.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_two_writers_do_not_share_a_temporary_name(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    with atomic_path(path) as first, atomic_path(path) as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert path.read_text() == "1"


@pytest.mark.parametrize("letter", ["x", "é", "超", "𝄞"])
def test_the_longest_name_that_a_file_may_have(tmp_path: Path, letter: str) -> None:
    stem = letter * ((255 - len(".nii.gz")) // len(letter.encode()))
    with atomic_path(tmp_path / f"{stem}.nii.gz") as temporary:
        assert temporary.suffixes == [".nii", ".gz"]
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == [f"{stem}.nii.gz"]
