from pathlib import Path

import pytest

from data_prep.phantom import main


def test_the_command_writes_the_frames_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "phantoms"

    assert main(["--output_dir", str(folder), "--count", "2", "--seed", "5"]) == 0

    printed = capsys.readouterr()
    assert f"2 annotated and 0 test frames are in {folder}" in printed.out
    assert "Simulating frames: 100%" in printed.err
    assert len(list((folder / "training_set").glob("*.png"))) == 4


def test_options_reach_the_generator(tmp_path: Path) -> None:
    assert main(["--output_dir", str(tmp_path / "a"), "--count", "1", "--seed", "1", "--test_count", "1"]) == 0
    assert main(["--output_dir", str(tmp_path / "b"), "--count", "1", "--seed", "2"]) == 0

    assert (tmp_path / "a" / "test_set" / "000_HC.png").is_file()
    assert not (tmp_path / "b" / "test_set").exists()
    first, second = (tmp_path / name / "training_set" / "000_HC.png" for name in "ab")
    assert first.read_bytes() != second.read_bytes()


def test_planes_are_written_instead_of_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--planes", "--output_dir", str(tmp_path), "--count", "3", "--seed", "1"]) == 0

    assert f"3 frames with labels and boxes are in {tmp_path}" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes.csv", "images", "labels.csv"]
    with pytest.raises(SystemExit, match="2"):
        main(["--planes", "--output_dir", str(tmp_path), "--test_count", "1"])
    assert "--test_count is for heads only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "error: count must be 1 or more, got 0."),
        (["--seed", "-1"], "error: seed must be 0 or more, got -1."),
    ],
)
def test_impossible_options_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["--output_dir", str(tmp_path / "set"), *arguments]) == 2

    assert capsys.readouterr().err.strip() == message


def test_a_folder_with_a_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "training_set").mkdir()

    assert main(["--output_dir", str(tmp_path)]) == 2

    error = capsys.readouterr().err
    assert str(tmp_path / "training_set") in error and "Choose another folder" in error


def test_help_tells_what_is_written_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    text = capsys.readouterr().out
    for word in ("000_HC_Annotation.png", "ground_truth.csv", "--test_count", "--seed", "data_prep.hc18 --source"):
        assert word in text
