import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from fetal_monai.biometry import Ellipse, ellipse_from_outline
from fetal_monai.data.preparation.hc18 import prepare_hc18
from fetal_monai.phantom import simulate_frame, write_phantoms, writer

# With this seed the fifth exam has three frames.
SEED, COUNT, TEST_COUNT = 4, 8, 2
STEMS = ["000_HC", "001_HC", "002_HC", "003_HC", "004_HC", "004_2HC", "004_3HC", "005_HC"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, COUNT, seed=SEED, test_count=TEST_COUNT)
    return folder


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def truth(folder: Path) -> dict[str, Ellipse]:
    names = ("center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px", "angle_rad")
    return {
        row["filename"]: Ellipse(*(float(row[name]) for name in names)) for row in rows(folder / "ground_truth.csv")
    }


def test_names_and_layout_are_hc18s(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "ground_truth.csv",
        "test_set",
        "test_set_pixel_size.csv",
        "training_set",
        "training_set_pixel_size_and_HC.csv",
    ]
    expected = {f"{stem}{kind}.png" for stem in STEMS for kind in ("", "_Annotation")}
    assert {path.name for path in (folder / "training_set").iterdir()} == expected
    assert {path.name for path in (folder / "test_set").iterdir()} == {"000_HC.png", "001_HC.png"}
    for path in folder.glob("*_set/*.png"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "L", (800, 540))


def test_tables_have_hc18s_headers_and_line_ends(folder: Path) -> None:
    training = (folder / "training_set_pixel_size_and_HC.csv").read_bytes()
    test = (folder / "test_set_pixel_size.csv").read_bytes()

    assert training.startswith(b"filename,pixel size(mm),head circumference (mm)\r\n000_HC.png,0.")
    assert test.startswith(b"filename,pixel size(mm)\r\n000_HC.png,0.")
    assert [row["filename"] for row in rows(folder / "training_set_pixel_size_and_HC.csv")] == [
        f"{stem}.png" for stem in STEMS
    ]


def test_the_table_holds_the_exact_ellipses_circumference(folder: Path) -> None:
    ellipses = truth(folder)
    for row in rows(folder / "training_set_pixel_size_and_HC.csv"):
        exact_mm = ellipses[f"training_set/{row['filename']}"].perimeter * float(row["pixel size(mm)"])
        assert float(row["head circumference (mm)"]) == pytest.approx(exact_mm, abs=0.0051)


def test_the_annotation_is_a_thin_closed_line_along_the_exact_ellipse(folder: Path) -> None:
    ellipses = truth(folder)
    for stem in STEMS:
        line = np.asarray(Image.open(folder / "training_set" / f"{stem}_Annotation.png"))
        exact = ellipses[f"training_set/{stem}.png"]
        assert set(np.unique(line)) == {0, 255}
        assert line.astype(bool).sum() < 2 * exact.perimeter
        # 004_2HC extends beyond the upper border, as some frames of HC18 do: its line is cut off there.
        filled = ndimage.binary_fill_holes(line > 0)
        closed = filled.sum() == pytest.approx(np.pi * exact.semi_axis_a * exact.semi_axis_b, rel=0.02)
        assert closed == (exact.points()[:, 1].min() > 0)

        fitted = ellipse_from_outline(line > 0)

        assert isinstance(fitted, Ellipse)
        assert fitted.perimeter == pytest.approx(exact.perimeter, rel=1e-3)
        assert fitted.semi_axis_a == pytest.approx(exact.semi_axis_a, rel=1e-3)
        assert fitted.semi_axis_b == pytest.approx(exact.semi_axis_b, rel=1e-3)
        assert fitted.center_x == pytest.approx(exact.center_x, abs=0.2)
        assert fitted.center_y == pytest.approx(exact.center_y, abs=0.2)


def test_the_truth_is_that_of_the_frames(folder: Path) -> None:
    pixels = np.asarray(Image.open(folder / "training_set" / "004_3HC.png"))

    frame = simulate_frame(SEED, exam=4, repeat=2)

    np.testing.assert_array_equal(pixels, frame.pixels)
    assert truth(folder)["training_set/004_3HC.png"] == frame.ellipse


def test_the_same_seed_gives_the_same_files_and_a_frame_does_not_depend_on_the_count(
    folder: Path, tmp_path: Path
) -> None:
    write_phantoms(tmp_path / "fewer", COUNT - 3, seed=SEED, test_count=1)

    written = [path for path in (tmp_path / "fewer").rglob("*.png")]
    assert len(written) == 2 * (COUNT - 3) + 1
    for path in written:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path / "fewer")).read_bytes()
    for table in (tmp_path / "fewer").glob("*_set*.csv"):
        assert (folder / table.name).read_bytes().startswith(table.read_bytes())


def test_test_frames_are_heads_of_their_own(folder: Path) -> None:
    ellipses = truth(folder)
    assert len(set(ellipses.values())) == len(ellipses) == COUNT + TEST_COUNT


def test_without_test_frames_there_is_no_test_set(tmp_path: Path) -> None:
    write_phantoms(tmp_path, 1)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ground_truth.csv",
        "training_set",
        "training_set_pixel_size_and_HC.csv",
    ]


def test_the_folder_is_prepared_as_the_real_one(folder: Path, tmp_path: Path) -> None:
    datalist = prepare_hc18(folder, tmp_path, fractions=(0.5, 0.25, 0.25))

    assert datalist.is_file()
    ellipses = truth(folder)
    labels = list(tmp_path.rglob("*_HC.png")) + list(tmp_path.rglob("*_[23]HC.png"))
    assert {label.stem for label in labels} == set(STEMS)
    for label in labels:
        mask = np.asarray(Image.open(label)) > 0
        exact = ellipses[f"training_set/{label.name}"].rasterise(mask.shape)
        assert 2 * (mask & exact).sum() / (mask.sum() + exact.sum()) > 0.999


def test_an_existing_data_set_is_never_overwritten(folder: Path) -> None:
    before = (folder / "ground_truth.csv").read_bytes()

    with pytest.raises(FileExistsError, match=r"training_set already exists\. Choose another folder"):
        write_phantoms(folder, 1)

    assert (folder / "ground_truth.csv").read_bytes() == before


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted_at_the_third(seed: int, exam: int, repeat: int = 0) -> object:
        if exam == 2:
            raise KeyboardInterrupt
        return simulate_frame(seed, exam, repeat)

    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(writer, "simulate_frame", interrupted_at_the_third)

    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path, 5)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"count": 0}, "count must be 1 or more, got 0"),
        ({"count": 1, "seed": -1}, "seed must be 0 or more, got -1"),
        ({"count": 1, "test_count": -4}, "test_count must be 0 or more, got -4"),
    ],
)
def test_numbers_that_make_no_set_are_refused(tmp_path: Path, numbers: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        write_phantoms(tmp_path / "set", **numbers)

    assert not (tmp_path / "set").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(NotADirectoryError, match=r"is a file\. Give a folder"):
        write_phantoms(tmp_path / "file", 1)
