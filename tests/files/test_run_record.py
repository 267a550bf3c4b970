from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.files import atomic_path
from fetal_monai.files.run_record import FolderInUseError, move_recorded_files, record_run

RECORD = "inference_files.txt"
names = st.sets(st.from_regex(r"([a-c]/){0,2}[d-f]{1,3}\.(csv|png)", fullmatch=True), max_size=6)


def write_run(folder: Path, files: set[str], content: str) -> None:
    with record_run(folder, RECORD):
        for name in files:
            with atomic_path(folder / name) as temporary:
                temporary.write_text(content)


def files_in(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != RECORD]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@settings(max_examples=25, deadline=None)
@given(first=names, second=names, own=names)
def test_runs_never_mix_and_the_users_files_stay(first: set[str], second: set[str], own: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own -= first | second
        for file in own:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text("own")
        write_run(folder, first, "first")
        moved = move_recorded_files(folder, [RECORD])
        write_run(folder, second, "second")

        assert moved == (folder / "run_1" if first else None)
        aside = {f"run_1/{file}": "first" for file in first}
        assert files_in(folder) == {**dict.fromkeys(own, "own"), **dict.fromkeys(second, "second"), **aside}


def test_numbers_go_on_and_emptied_folders_are_gone(tmp_path: Path) -> None:
    for run in ("one", "two", "three"):
        move_recorded_files(tmp_path, [RECORD])
        write_run(tmp_path, {"masks/exam/1.png"} if run == "one" else {"table.csv"}, run)
    assert files_in(tmp_path) == {"table.csv": "three", "run_1/masks/exam/1.png": "one", "run_2/table.csv": "two"}
    assert not (tmp_path / "masks").exists()


def test_a_move_that_was_killed_is_completed(tmp_path: Path) -> None:
    write_run(tmp_path, {"1.png", "2.png"}, "first")
    program = (
        "import os, signal, sys; from pathlib import Path; from fetal_monai.files import run_record\n"
        "Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_record.move_recorded_files(Path(sys.argv[1]), ['{RECORD}'])"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)])
    assert killed.returncode == -signal.SIGKILL
    assert move_recorded_files(tmp_path, [RECORD]) == tmp_path / "run_1"
    assert files_in(tmp_path) == {"run_1/1.png": "first", "run_1/2.png": "first"}


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    holder = "import sys, time; from pathlib import Path; from fetal_monai.files.run_record import record_run\n"
    holder += f"with record_run(Path(sys.argv[1]), '{RECORD}'): print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(FolderInUseError, match=rf"{tmp_path}: another process writes .* --output_dir"):
            move_recorded_files(tmp_path, [RECORD])
        other.communicate()
    assert move_recorded_files(tmp_path, [RECORD]) is None


def test_a_record_that_a_kill_cut_off_is_continued(tmp_path: Path) -> None:
    write_run(tmp_path, {"1.png"}, "first")
    with (tmp_path / RECORD).open("a") as file:
        file.write('"2.p')
    write_run(tmp_path, {"2.png"}, "resumed")
    move_recorded_files(tmp_path, [RECORD])
    assert files_in(tmp_path) == {"run_1/1.png": "first", "run_1/2.png": "resumed"}


@pytest.mark.parametrize("name", ["../victim.txt", "{outside}/victim.txt"])
def test_a_record_names_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "victim.txt").write_text("here")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / RECORD).write_text(f'"{name.format(outside=tmp_path)}"\n"half of a li')
    assert move_recorded_files(folder, [RECORD]) is None
    assert (tmp_path / "victim.txt").read_text() == "here"
