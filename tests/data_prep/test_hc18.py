import csv
import json
import os
import shutil
from itertools import chain
from pathlib import Path

import pytest

from data_prep.hc18 import main
from tests.data_prep.zenodo_server import Record, serve, zipped, zipped_folder
from tests.hc18_layout import read_table, write_hc18, write_table

NAMES = ["000_HC.png", "001_HC.png", "001_2HC.png", "002_HC.png", "003_HC.png", "004_HC.png"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_hc18(tmp_path / "hc18", NAMES)


def sections(folder: Path) -> dict[str, list[str]]:
    content = json.loads((folder / "datalist.json").read_text())
    return {name: [Path(frame["image"]).name for frame in content[name]] for name in ("training", "validation", "test")}


def test_prepare_says_what_it_made(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", str(source), "--output_dir", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert f"Prepared 6 frames in {tmp_path / 'out'}" in printed
    assert "fingerprint" in printed
    assert "Left out" not in printed
    assert sorted(chain.from_iterable(sections(tmp_path / "out").values())) == sorted(NAMES)


def test_seed_and_fractions_are_passed_on(source: Path, tmp_path: Path) -> None:
    options = ["--source", str(source), "--output_dir", str(tmp_path / "out"), "--seed", "5"]
    assert main([*options, "--fractions", "0.2", "0.4", "0.4"]) == 0
    content = json.loads((tmp_path / "out" / "datalist.json").read_text())
    assert content["seed"] == 5
    assert len({frame["exam"] for frame in content["training"]}) == 1


def test_left_out_frame_is_printed_with_its_reason(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "training_set/002_HC.png").unlink()
    assert main(["--source", str(source), "--output_dir", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "Prepared 5 frames" in printed
    assert "Left out 1, listed in" in printed
    assert "002_HC.png: 002_HC.png: no such file" in printed


def test_names_that_a_table_or_a_file_system_could_not_take(
    source: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    longest, too_long = (f"005_{'x' * (255 - len('005_.png') - spare)}.png" for spare in (len("_Annotation"), 0))
    write_hc18(source, [*NAMES, longest])
    frames = source / "training_set"
    shutil.copy(frames / longest, frames / too_long)
    with (source / "training_set_pixel_size_and_HC.csv").open("a") as table:
        table.write(f"{too_long},0.2,200\n")
    for name in (b"F\xf6tus.png", b"=cmd|x.png"):
        shutil.copy(frames / "000_HC.png", frames / os.fsdecode(name))
    assert main(["--source", str(source), "--output_dir", str(tmp_path / "out"), "--verify"]) == 1
    assert (tmp_path / "out" / "labels" / longest).is_file()
    with (tmp_path / "out" / "rejected.csv").open(newline="", encoding="utf-8") as file:
        assert [row["filename"] for row in csv.DictReader(file)] == [too_long, "'=cmd|x.png", r"F\udcf6tus.png"]
    assert rb"F\udcf6tus.png" in capsysbinary.readouterr().out


def test_verify_of_a_source_writes_nothing(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(source.rglob("*"))
    assert main(["--source", str(source), "--verify"]) == 0
    assert "no problems" in capsys.readouterr().out
    write_table(source, [("000_HC.png", 0, 70), *read_table(source)[1:]])
    assert main(["--source", str(source), "--verify"]) == 1
    printed = capsys.readouterr().out
    assert "000_HC.png" in printed and "has pixel size '0'" in printed and "1 errors, 0 warnings" in printed
    assert sorted(source.rglob("*")) == before


def test_identical_frames_of_one_exam_leave_the_exit_code_at_zero(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(source / "training_set/001_HC.png", source / "training_set/001_2HC.png")
    assert main(["--source", str(source), "--verify"]) == 0
    assert "0 errors, 1 warnings" in capsys.readouterr().out


def test_verify_of_a_prepared_data_set(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["--source", str(source), "--output_dir", str(out), "--verify"]) == 0
    assert main(["--output_dir", str(out), "--verify"]) == 0
    (out / "labels/003_HC.png").unlink()
    capsys.readouterr()
    assert main(["--output_dir", str(out), "--verify"]) == 1
    assert "003_HC.png: no such file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --source HC18_FOLDER or --download"),
        (["--verify"], "give --source HC18_FOLDER or --download"),
        (["--output_dir", "out"], "give --source HC18_FOLDER or --download"),
        (["--source", "hc18"], "give --output_dir to prepare, --verify to check"),
        (["--download"], "--download needs --output_dir"),
        (["--source", "hc18", "--download", "--output_dir", "out"], "not allowed with argument"),
    ],
)
def test_options_that_say_too_little_are_explained(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(options)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "nowhere", "--output_dir", "out"], "Expected a folder in HC18's own layout"),
        (["--source", "hc18", "--output_dir", "out", "--fractions", "0.5", "0.1", "0.1"], "must sum to 1"),
        (["--output_dir", "out", "--verify"], "datalist.json does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    source: Path,
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(source.parent)
    assert main(options) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert not Path("out").exists()


@pytest.fixture
def record(source: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """HC18 as Zenodo holds it, smaller."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    table = source / "training_set_pixel_size_and_HC.csv"
    return Record(
        {
            "training_set.zip": zipped_folder(source / "training_set"),
            "test_set.zip": zipped({"test_set/900_HC.png": b"never opened"}),
            table.name: table.read_bytes(),
            "test_set_pixel_size.csv": b"filename,pixel size(mm)\n900_HC.png,0.1\n",
        }
    )


def test_download_prepares_what_a_local_folder_prepares(source: Path, record: Record, tmp_path: Path) -> None:
    downloaded, local = tmp_path / "downloaded", tmp_path / "local"
    with serve(record) as url:
        options = ["--download", "--output_dir", str(downloaded), "--record_url", url, "--verify"]
        assert main(options) == 0
        assert len(record.fetched) == 4
        assert main(options) == 0
        assert len(record.fetched) == 4
    assert main(["--source", str(source), "--output_dir", str(local)]) == 0
    assert sections(downloaded) == sections(local)
    for name in NAMES:
        assert (downloaded / "labels" / name).read_bytes() == (local / "labels" / name).read_bytes()
    image = json.loads((downloaded / "datalist.json").read_text())["training"][0]["image"]
    assert image.startswith("source/training_set/")


def test_download_that_fails_is_one_line(record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record.claimed_md5["training_set.zip"] = "f" * 32
    with serve(record) as url:
        assert main(["--download", "--output_dir", str(tmp_path / "out"), "--record_url", url]) == 2
    assert "error: " in capsys.readouterr().err
    assert not (tmp_path / "out/source/training_set.zip").exists()
    assert not (tmp_path / "out/datalist.json").exists()


def test_help_teaches_by_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    for words in ("examples:", "--download --output_dir", "--verify", "rejected.csv", "exit code"):
        assert words in printed


@pytest.mark.slow
def test_real_frames_are_prepared_and_clean(real_data: Path, tmp_path: Path) -> None:
    data = real_data / "hc18"
    subset = tmp_path / "subset"
    (subset / "training_set").mkdir(parents=True)
    with (data / "training_set_pixel_size_and_HC.csv").open(newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)][1::20]
    write_table(subset, rows)
    for name, *_ in rows:
        for file_name in (name, name.replace(".png", "_Annotation.png")):
            (subset / "training_set" / file_name).symlink_to(data / "training_set" / file_name)
    assert main(["--source", str(subset), "--output_dir", str(tmp_path / "out"), "--verify"]) == 0
    assert sum(map(len, sections(tmp_path / "out").values())) == len(rows) >= 20
