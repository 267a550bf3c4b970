from pathlib import Path

import pytest

from fetal_monai.bundle_folder import bundle_folder
from fetal_monai.cli.main import main


def test_a_copy_has_configs_documents_and_weights_and_no_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "bisenet", "-o", str(tmp_path)]) == 0
    copy, original = tmp_path / "bisenet", bundle_folder("bisenet")
    assert capsys.readouterr().out == f"{copy}\n"
    for name in ("configs/train.json", "docs/README.md", "LICENSE", "models/model.pt"):
        assert (copy / name).read_bytes() == (original / name).read_bytes()
    assert not (copy / "output").exists()


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bisenet").mkdir()
    assert main(["bundle", "bisenet", "-o", str(tmp_path)]) == 2
    assert f"{tmp_path / 'bisenet'} exists already" in capsys.readouterr().err
    assert list((tmp_path / "bisenet").iterdir()) == []


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bundle", "unet"])
    assert "bisenet" in capsys.readouterr().err
