import csv
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fetal_monai.cli.main import main
from fetal_monai.weights.settings import write_settings
from tests.bundles.bright_network import bright_network
from tests.cli.interrupted import interrupted
from tests.data.io.cine.loops import write_video
from tests.frame_files import cut, write_picture

Capture = pytest.CaptureFixture[str]

FRAME = np.full((448, 672), 40, np.uint8)
FRAME[192:288, 336:528] = 250
BOX = (336, 192, 528, 288)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that find what is bright, with the options of their training beside them."""
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(bright_network().state_dict(), path)
    options = {"spatial_size": [224, 224], "backbone": "vgg13_bn", "proposal": "uniform", "polar": False}
    write_settings(path, {"bundle": "soft_proposal", "network": "SoftProposalNetwork", "options": options})
    return path


@pytest.fixture
def frames(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{weights.parent}/mlruns.db")
    (tmp_path / "frames").mkdir()
    write_picture(tmp_path / "frames" / "still.png", FRAME)
    return tmp_path / "frames"


@pytest.mark.slow
def test_it_prints_and_writes_region_score_and_box_of_stills_and_loops(
    frames: Path, weights: Path, tmp_path: Path, capsys: Capture
) -> None:
    loop = tmp_path / "loop.mp4"
    write_video(loop, np.stack([FRAME] * 2), "libx264", "yuv420p")
    cut(write_picture(frames / "truncated.png", FRAME), 0.5)
    out = tmp_path / "out"
    assert main(["locate", "frames", str(loop), "-o", str(out), "--save", "overlays", "--weights", str(weights)]) == 1
    printed = capsys.readouterr()
    *_, header, still, loop_0, loop_1, _, last = map(str.split, printed.out.splitlines())
    assert header == ["file", "frame", "region", "score", "box", "[px]"]
    for name, index, line in (("frames/still.png", "0", still), ("loop.mp4", "0", loop_0), ("loop.mp4", "1", loop_1)):
        assert line[:4] == [name, index, "head", "1.00"]
        np.testing.assert_allclose([float(edge) for edge in line[4:]], BOX, atol=3 * 16 / 2)  # half a pixel of the map
    assert last == [str(out / "regions.csv")]
    assert "failed: frames/truncated.png: cannot be read as a frame, so it is damaged" in printed.err.splitlines()[-1]
    with (out / "regions.csv").open(newline="") as table:
        assert len(list(csv.DictReader(table))) == 4
    written = {path.relative_to(out / "overlays").as_posix() for path in (out / "overlays").rglob("*.*")}
    assert written == {"frames/still_overlay.png", "loop_overlay.mp4"}


@pytest.mark.slow
def test_all_files_located(frames: Path, weights: Path, capsys: Capture) -> None:
    assert main(["locate", str(frames / "still.png"), "--weights", str(weights)]) == 0
    assert capsys.readouterr().out.endswith("\n\nregions/regions.csv\n")
    assert not Path("regions/overlays").exists()


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_located(frames: Path, weights: Path) -> None:
    for number in range(100):
        shutil.copy(frames / "still.png", frames / f"{number}.png")
    table = Path("regions/regions.csv")
    command = [sys.executable, "-m", "fetal_monai", "locate", "frames", "--weights", str(weights)]
    errors = interrupted(command, table, lines=3)
    assert "Interrupted: what was located is kept in regions." in errors
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 2 <= len(rows) < 100
    assert {row["status"] for row in rows} == {"localised"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder; give frames, cine loops, or folders of them."),
        (["frames", "--output-dir", "frames/still.png"], "frames/still.png is a file; name a folder"),
        (["frames", "--weights", "frames/still.png"], "frames/still.png is not"),
        (["frames", "--weights", "model.pt"], "There are no weights at model.pt."),
    ],
)
def test_an_error_is_one_line(arguments: list[str], message: str, frames: Path, weights: Path, capsys: Capture) -> None:
    assert main(["locate", "--weights", str(weights), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fetal-monai locate: ")
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Train the bundle (fetal-monai bundle soft_proposal, fetal-monai train soft_proposal)"),
        (["--bundle", "bisenet"], "--bundle bisenet locates no regions"),
        (["--bundle", "nowhere"], "--bundle nowhere is neither the folder of a bundle nor one of bisenet, "),
    ],
)
def test_a_bundle_that_cannot_locate(arguments: list[str], message: str, frames: Path, capsys: Capture) -> None:
    assert main(["locate", "frames", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_weights_of_a_trained_bundle_are_found(frames: Path, weights: Path, capsys: Capture) -> None:
    """`fetal-monai bundle` and `fetal-monai train` leave them in the bundle's output folder."""
    assert main(["bundle", "soft_proposal"]) == 0
    folder = Path("soft_proposal/output/train")
    folder.mkdir(parents=True)
    (folder / "model.pt").write_bytes(b"no weights")
    assert main(["locate", "frames", "--bundle", "./soft_proposal"]) == 2
    assert "soft_proposal/output/train/model.pt" in capsys.readouterr().err
    assert main(["locate", "frames"]) == 2, "a name is not that of a folder"
    assert "There are no weights" in capsys.readouterr().err
