from __future__ import annotations

import math
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from fetal_monai.data import GeometryTable, find_frame_geometry, read_frame
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import PolarFrame, Sector
from tests.frame_files import region, write_dicom, write_metaimage, write_picture

SHAPE = (240, 320)
SECTOR = Sector(150, -40, 60, 260, -0.5, 0.5)
OPTIONS = {name: value for name, value in zip(Sector.__slots__, astuple(SECTOR), strict=True)}
COLUMNS = "filename,apex_x,apex_y,start_radius,end_radius,start_angle_rad,end_angle_rad"


def picture() -> np.ndarray:
    speckle = np.random.default_rng(0).integers(10, 200, SHAPE)
    return np.where(SECTOR.contains(SHAPE), speckle, 0).astype(np.uint8)


def write_table(folder: Path, *rows: str, columns: str = COLUMNS) -> Path:
    path = folder / "geometry.csv"
    path.write_text("\n".join((columns, *rows)))
    return path


def add_to_header(path: Path, **fields: object) -> Path:
    stated = "".join(f"{name} = {value}\n" for name, value in fields.items())
    path.write_text(stated + path.read_text())
    return path


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    """A frame whose header states one sector, and its picture another."""
    path = write_metaimage(tmp_path / "frame.mhd", picture())
    return add_to_header(path, **{**OPTIONS, "apex_x": 7})


def test_options_win_over_the_table_and_the_table_over_the_header(frame: Path, tmp_path: Path) -> None:
    table = GeometryTable(write_table(tmp_path, "frame.mhd,8,-40,60,260,-0.5,0.5"))
    pixels = read_frame(frame).pixels

    option = find_frame_geometry(frame, pixels, None, {**OPTIONS, "apex_x": 9}, table)
    from_table = find_frame_geometry(frame, pixels, None, None, table)
    from_header = find_frame_geometry(frame, pixels)

    assert isinstance(option.geometry, Sector)
    assert isinstance(from_table.geometry, Sector)
    assert isinstance(from_header.geometry, Sector)
    assert [found.origin for found in (option, from_table, from_header)] == ["option", "table", "header"]
    assert [option.geometry.apex_x, from_table.geometry.apex_x, from_header.geometry.apex_x] == [9, 8, 7]
    assert option.confidence == 1


def test_what_nothing_states_is_estimated(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "frame.png", picture())
    table = GeometryTable(write_table(tmp_path, "other.png,8,-40,60,260,-0.5,0.5"))
    found = find_frame_geometry(path, read_frame(path).pixels, table=table)
    assert isinstance(found.geometry, Sector)
    assert found.origin == "estimate"
    assert found.confidence > 0.9
    assert found.geometry.apex_y == pytest.approx(SECTOR.apex_y, abs=1.5)


def test_an_estimate_with_too_little_confidence_is_refused(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "frame.png", picture())
    found = find_frame_geometry(path, read_frame(path).pixels, minimum_confidence=1.0)
    assert isinstance(found.geometry, FailedEstimate)
    assert "less than 1" in found.geometry.reason


def test_the_region_of_dicom_bounds_the_estimate(tmp_path: Path) -> None:
    screen = np.full((300, 500), 90, dtype=np.uint8)  # the scanner's gray menu around the region
    screen[40:280, 100:420] = picture()
    path = write_dicom(tmp_path / "frame.dcm", screen, [region(0.2, 0.2, (100, 40, 419, 279))])
    bare = write_dicom(tmp_path / "bare.dcm", screen, [])

    found = find_frame_geometry(path, read_frame(path).pixels, (0.2, 0.2))

    assert isinstance(found.geometry, Sector)
    assert found.geometry.apex_x == pytest.approx(SECTOR.apex_x + 100, abs=1.5)
    assert found.geometry.apex_y == pytest.approx(SECTOR.apex_y + 40, abs=1.5)
    assert isinstance(find_frame_geometry(bare, read_frame(bare).pixels).geometry, FailedEstimate)


def test_the_estimate_goes_by_the_spacing_of_the_largest_region_on_the_screen(tmp_path: Path) -> None:
    screen = np.full((300, 700), 90, dtype=np.uint8)
    screen[40:280, 100:420] = picture()
    regions = [
        region(0.26, 0.2, (100, 40, 419, 279)),
        region(0.3, 0.3, (450, 40, 650, 240)),
        region(1, 1, (0, 0, 999, 999)),  # not on the screen
    ]
    path = write_dicom(tmp_path / "frame.dcm", screen, regions)
    found = find_frame_geometry(path, read_frame(path).pixels)
    assert isinstance(found.geometry, Sector)
    assert found.geometry.pixel_aspect_ratio == pytest.approx(1.3)
    assert found.geometry.apex_x == pytest.approx(SECTOR.apex_x + 100, abs=1.5)


def test_the_aspect_ratio_of_dicom_is_used_where_no_spacing_is_stated(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "frame.dcm", picture(), [], PixelAspectRatio=["13", "10"])
    found = find_frame_geometry(path, read_frame(path).pixels)
    assert isinstance(found.geometry, Sector)
    assert found.geometry.pixel_aspect_ratio == pytest.approx(1.3)
    assert math.tan(found.geometry.end_angle_rad) == pytest.approx(math.tan(0.5) / 1.3, abs=0.01)


def test_the_sample_of_the_reference_code_is_not_warped_again(real_data: Path) -> None:
    path = real_data / "frustum" / "image.mhd"
    found = find_frame_geometry(path, read_frame(path).pixels)
    assert found.geometry == PolarFrame((387, 344))
    assert found.origin == "header"


def test_errors_name_where_the_value_stands(frame: Path, tmp_path: Path) -> None:
    pixels = read_frame(frame).pixels
    with pytest.raises(ValueError, match="the geometry's options: apex_x is 'x'"):
        find_frame_geometry(frame, pixels, options={"apex_x": "x"})
    table = GeometryTable(write_table(tmp_path, "frame.mhd,8,-40,60,,-0.5,0.5"))
    with pytest.raises(ValueError, match=r"geometry.csv: the row of frame.mhd: A sector lacks end_radius"):
        find_frame_geometry(frame, pixels, table=table)
    add_to_header(frame, zoom=-1)
    with pytest.raises(ValueError, match=r"frame.mhd: the header: x_scale must be"):
        find_frame_geometry(frame, pixels)


class TestGeometryTable:
    def test_the_longest_end_of_the_path_names_a_frame(self, tmp_path: Path) -> None:
        table = GeometryTable(write_table(tmp_path, "f.png,1,,,,,", "b/f.png,2,,,,,", r"c\b\f.png,3,,,,,"))
        names = ("x/f.png", "x/b/f.png", "x/c/b/f.png", "x/g.png")
        assert [table.row(Path(name)).get("apex_x") for name in names] == ["1", "2", "3", None]

    def test_a_table_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none.csv: no such table"):
            GeometryTable(tmp_path / "none.csv")
        with pytest.raises(ValueError, match=r"geometry.csv: has the columns \['filename', 'label'\]; expected"):
            GeometryTable(write_table(tmp_path, columns="filename,label"))
        with pytest.raises(ValueError, match="row 2 has no file name"):
            GeometryTable(write_table(tmp_path, "f.png,1,,,,,", ",1,,,,,"))
        with pytest.raises(ValueError, match=r"two rows name f.png"):
            GeometryTable(write_table(tmp_path, "f.png,1,,,,,", "f.png,2,,,,,"))
