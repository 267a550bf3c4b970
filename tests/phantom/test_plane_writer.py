from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_monai.data import inspect_label_folder, load_classification_datalist
from fetal_monai.phantom import demonstration_planes, simulate_plane, write_plane_phantoms
from fetal_monai.phantom.staging import staged_folder

SEED, COUNT = 2, 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planes") / "new"
    write_plane_phantoms(folder, COUNT, seed=SEED)
    return folder


def test_what_is_read_back_is_the_truth_of_the_frames(folder: Path) -> None:
    inspection = inspect_label_folder(folder)

    assert not inspection.problems and len(inspection.frames) == COUNT
    for number, read in enumerate(inspection.frames):
        frame = simulate_plane(SEED, number)
        assert read.labels == frame.labels
        assert read.boxes == frame.boxes
        assert read.patient == f"{frame.patient:04d}"
        sector = frame.sector
        assert read.sector["apex_y"] == sector.apex_y and read.sector["end_radius"] == sector.end_radius
        middle = (read.sector["start_angle_rad"] + read.sector["end_angle_rad"]) / 2
        assert middle == pytest.approx(sector.axis_rad)
        np.testing.assert_array_equal(np.asarray(Image.open(read.image)), frame.pixels)


def test_a_frame_does_not_depend_on_the_count(folder: Path, tmp_path: Path) -> None:
    write_plane_phantoms(tmp_path, 3, seed=SEED)

    for name in ("images/0000.png", "images/0001.png", "images/0002.png"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    for table in ("labels.csv", "boxes.csv"):
        assert (folder / table).read_bytes().startswith((tmp_path / table).read_bytes())


def test_an_existing_data_set_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(FileExistsError, match=r"images already exists\. Choose another folder"):
        write_plane_phantoms(folder, 1)


@pytest.mark.parametrize(("count", "seed", "message"), [(0, 0, "count must be 1 or more"), (1, -1, "seed must be 0")])
def test_numbers_that_make_no_set_are_refused(tmp_path: Path, count: int, seed: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_plane_phantoms(tmp_path / "set", count, seed)

    assert not (tmp_path / "set").exists()


def test_an_interrupted_set_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(KeyboardInterrupt), staged_folder(tmp_path, ("table.csv",)) as staging:
        (staging / "table.csv").write_text("half")
        raise KeyboardInterrupt

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_the_demonstration_is_made_once(tmp_path: Path) -> None:
    folder = demonstration_planes(tmp_path / "planes", count=24)

    assert sum(len(load_classification_datalist(folder, name)) for name in ("training", "validation", "test")) == 24
    made = (folder / "datalist.json").read_bytes()
    (folder / "datalist.json").unlink()
    # An interrupted preparation is resumed with the existing frames.
    demonstration_planes(folder, count=5)
    assert (folder / "datalist.json").read_bytes() == made
