import sys
from pathlib import Path

import pytest

from fetal_monai.cli.bundle_run import bundle_command
from fetal_monai.cli.main import main


def test_the_command_is_the_one_of_the_documents() -> None:
    bundle = Path("bundles/bisenet")
    assert bundle_command("train", bundle, [], ["--dataset_dir", "data/hc18"], None) == [
        *(sys.executable, "-m", "monai.bundle", "run", "training"),
        *("--config_file", "bundles/bisenet/configs/train.json", "--bundle_root", "bundles/bisenet"),
        *("--dataset_dir", "data/hc18"),
    ]


def test_overlays_and_processes() -> None:
    command = bundle_command("train", Path("bundles/bisenet"), ["multi_gpu_train.json"], [], 2)
    assert command[1:6] == ["-m", "torch.distributed.run", "--nproc_per_node=2", "-m", "monai.bundle"]
    assert "['bundles/bisenet/configs/train.json', 'bundles/bisenet/configs/multi_gpu_train.json']" in command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not the folder of a bundle"),
        (["bisenet", "--overlay", "size_1x1.json"], "size_1x1.json does not exist; bundles/bisenet/configs has "),
    ],
)
def test_what_does_not_exist(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_it_is_printed_and_ends_as_the_bundles_command_does(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "bisenet", "--dataset_dir", str(tmp_path / "nowhere")]) != 0
    captured = capfd.readouterr()
    assert captured.out.startswith(
        "$ python -m monai.bundle run evaluating --config_file bundles/bisenet/configs/evaluate.json "
        f"--bundle_root bundles/bisenet --dataset_dir {tmp_path / 'nowhere'}\n"
    )
    assert str(tmp_path / "nowhere") in captured.err
