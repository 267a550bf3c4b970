from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fetal_monai.data import take_in
from fetal_monai.data.intake import natural_key
from tests.frame_files import COLUMN_MM, ROW_MM, asymmetric_picture, write_dicom, write_metaimage, write_picture

PICTURE = asymmetric_picture()


def frame_names(intake: Any) -> list[str]:
    return [Path(frame["image"]).relative_to(intake.source_dir).as_posix() for frame in intake.frames]


def write_table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class TestFolder:
    def test_finds_frames_in_subfolders_in_natural_order(self, tmp_path: Path) -> None:
        for name in ("10_HC.png", "2_HC.png", "exam 10/1.png", "exam 9/b.PNG", "exam 9/a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_picture(tmp_path / name, PICTURE)
        assert frame_names(take_in(tmp_path)) == [
            "2_HC.png",
            "10_HC.png",
            "exam 9/a.png",
            "exam 9/b.PNG",
            "exam 10/1.png",
        ]

    def test_passes_over_what_is_no_frame_and_says_so(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        write_picture(tmp_path / "000_HC.png", PICTURE)
        write_metaimage(tmp_path / "volume.mhd", PICTURE)  # and volume.raw
        for name in ("000_HC_Annotation.png", "000_HC_mask.png", "000_HC_overlay.png", ".hidden.png"):
            write_picture(tmp_path / name, PICTURE)
        (tmp_path / ".cache").mkdir()
        write_picture(tmp_path / ".cache" / "frame.png", PICTURE)
        (tmp_path / "notes.txt").write_text("no frame")
        write_dicom(tmp_path / "DICOMDIR", PICTURE)
        with caplog.at_level(logging.INFO):
            intake = take_in(tmp_path)
        assert frame_names(intake) == ["000_HC.png", "volume.mhd"]
        assert not intake.rejected
        assert "passed over 3 annotations, masks or overlays and 3 files of other kinds" in caplog.text

    def test_finds_dicom_without_a_suffix(self, tmp_path: Path) -> None:
        write_dicom(tmp_path / "IM_0001", PICTURE)
        write_dicom(tmp_path / "1.2.840.113619.2.5", PICTURE)
        intake = take_in(tmp_path)
        assert frame_names(intake) == ["1.2.840.113619.2.5", "IM_0001"]
        assert intake.frames[0]["pixel_spacing_mm"] == pytest.approx([ROW_MM, COLUMN_MM])

    def test_without_frames_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("no frame")
        with pytest.raises(ValueError, match=r"no frames in this folder; expected files with one of \.png"):
            take_in(tmp_path)

    def test_missing_source_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="absent: no such file or folder; give the frame or the folder"):
            take_in(tmp_path / "absent")


class TestOneFile:
    def test_is_taken_whatever_its_name(self, tmp_path: Path) -> None:
        path = write_picture(tmp_path / "000_HC_Annotation.png", PICTURE)
        intake = take_in(path)
        assert [frame["image"] for frame in intake.frames] == [str(path)]
        assert intake.source_dir == tmp_path

    def test_of_unknown_kind_is_a_rejected_file(self, tmp_path: Path) -> None:
        path = tmp_path / "frame.xyz"
        path.write_text("no frame")
        intake = take_in(path)
        assert not intake.frames
        assert intake.rejected[0].file == path
        assert intake.rejected[0].reason.startswith("not a kind of file that holds a frame; expected one of .png")

    def test_the_tables_other_rows_do_not_matter(self, tmp_path: Path) -> None:
        path = write_picture(tmp_path / "000_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "000_HC.png,0.1", "001_HC.png,0.2")
        intake = take_in(path, table=table)
        assert intake.frames[0]["pixel_spacing_mm"] == [0.1, 0.1]
        assert not intake.rejected


class TestSpacing:
    """Option before table before header."""

    @pytest.mark.parametrize(("option", "expected"), [(0.5, [0.5, 0.5]), ([0.5, 0.4], [0.5, 0.4])])
    def test_option_wins(self, tmp_path: Path, option: Any, expected: list[float]) -> None:
        write_dicom(tmp_path / "f.dcm", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "f.dcm,0.1")
        assert take_in(tmp_path, option, table).frames[0]["pixel_spacing_mm"] == expected

    def test_table_wins_over_the_header(self, tmp_path: Path) -> None:
        write_dicom(tmp_path / "f.dcm", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "f.dcm,0.1")
        assert take_in(tmp_path, table=table).frames[0]["pixel_spacing_mm"] == [0.1, 0.1]

    def test_header_where_the_table_says_nothing(self, tmp_path: Path) -> None:
        for name in ("empty cell.dcm", "no row.dcm"):
            write_dicom(tmp_path / name, PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "empty cell.dcm,")
        for frame in take_in(tmp_path, table=table).frames:
            assert frame["pixel_spacing_mm"] == pytest.approx([ROW_MM, COLUMN_MM])

    def test_unknown_is_nan_and_no_rejection(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "f.png", PICTURE)
        intake = take_in(tmp_path)
        assert np.isnan(intake.frames[0]["pixel_spacing_mm"]).tolist() == [True, True]
        assert not intake.rejected

    @pytest.mark.parametrize("option", [0, -0.1, math.nan, math.inf, [0.1, 0.1, 0.1], [0.1, 0], "0.1 mm"])
    def test_impossible_option_is_an_error(self, tmp_path: Path, option: Any) -> None:
        with pytest.raises(
            ValueError, match=r"expected the size of a pixel in mm, one positive number or \[row, column]"
        ):
            take_in(tmp_path, option)


class TestTable:
    def test_ages_and_hc18_columns(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png"):
            write_picture(tmp_path / name, PICTURE)
        # As a spreadsheet saves it: byte order mark, spaces, a column that is not ours.
        table = tmp_path / "t.csv"
        table.write_text(
            "filename, pixel size(mm),head circumference (mm), gestational_age_days\n"
            "a.png, 0.1,99,140\n"
            "b.png,0.2,99,\n",
            encoding="utf-8-sig",
        )
        first, second = take_in(tmp_path, table=table).frames
        assert (first["pixel_spacing_mm"], first["gestational_age_days"]) == ([0.1, 0.1], 140)
        assert second["pixel_spacing_mm"] == [0.2, 0.2]
        assert math.isnan(second["gestational_age_days"])

    def test_row_without_image_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "a.png,0.1", "b.png,0.1", ",0.1")
        intake = take_in(tmp_path, table=table)
        assert frame_names(intake) == ["a.png"]
        assert [(each.file.name, each.reason) for each in intake.rejected] == [
            ("b.png", "in the table t.csv, but no such frame was found."),
            ("t.csv", "row 3 has no file name; fill it in or delete the row."),
        ]

    def test_duplicate_row_is_rejected(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png"):
            write_picture(tmp_path / name, PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "a.png,0.1", "b.png,0.1", "a.png,0.2")
        intake = take_in(tmp_path, table=table)
        assert frame_names(intake) == ["b.png"]
        assert intake.rejected[0].file == tmp_path / "a.png"
        assert intake.rejected[0].reason == "2 rows of the table name this frame; keep one of them."

    def test_spacing_columns_that_disagree_are_rejected(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png", "c.png"):
            write_picture(tmp_path / name, PICTURE)
        header = "filename,pixel size(mm),pixel_spacing_mm"
        table = write_table(tmp_path / "t.csv", header, "a.png,0.1,0.2", "b.png,0.1,0.10", "c.png,,0.3")
        intake = take_in(tmp_path, table=table)
        assert [frame["pixel_spacing_mm"][0] for frame in intake.frames] == [0.1, 0.3]
        assert [(each.file.name, each.reason) for each in intake.rejected] == [
            ("a.png", "the table says pixel size(mm) = 0.1 and pixel_spacing_mm = 0.2; keep the one that is right.")
        ]

    def test_decimal_comma_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", 'a.png,"0,12"')
        (rejected,) = take_in(tmp_path, table=table).rejected
        assert "pixel_spacing_mm = '0,12'; expected the size of a pixel in mm" in rejected.reason
        assert "with a decimal point" in rejected.reason

    def test_bad_age_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,gestational_age_days", "a.png,20w+3d")
        assert "gestational_age_days = '20w+3d'; expected days" in take_in(tmp_path, table=table).rejected[0].reason

    def test_a_bare_name_in_two_folders_is_never_guessed(self, tmp_path: Path) -> None:
        """HC18 itself: training_set/000_HC.png and test_set/000_HC.png are two different frames."""
        for folder in ("training_set", "test_set"):
            (tmp_path / folder).mkdir()
            write_picture(tmp_path / folder / "000_HC.png", PICTURE)
        write_picture(tmp_path / "test_set" / "001_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "000_HC.png,0.1", "001_HC.png,0.2")
        intake = take_in(tmp_path, table=table)
        assert frame_names(intake) == ["test_set/001_HC.png"]
        assert len(intake.rejected) == 2
        assert "fits 2 frames in different folders; write the path relative" in intake.rejected[0].reason

        for name in ("test_set/000_HC.png", r"test_set\000_HC.png", "./test_set/000_HC.png"):
            table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", f"{name},0.1")
            spacings = [frame["pixel_spacing_mm"][0] for frame in take_in(tmp_path, table=table).frames]
            assert spacings == pytest.approx([0.1, math.nan, math.nan], nan_ok=True)

    def test_a_row_of_another_folder_is_not_taken_for_a_frame_of_the_same_name(self, tmp_path: Path) -> None:
        (tmp_path / "test_set").mkdir()
        write_picture(tmp_path / "test_set" / "000_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "training_set/000_HC.png,0.1")
        intake = take_in(tmp_path / "test_set", table=table)
        assert math.isnan(intake.frames[0]["pixel_spacing_mm"][0])
        assert "no such frame was found" in intake.rejected[0].reason

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"filename;pixel size(mm)\na.png;0,1\n", "separated by semicolons; expected commas"),
            (b"name,size\na.png,0.1\n", r"has the columns \['name', 'size'\]; expected 'filename' and one of"),
            (b"", r"has the columns \[\]; expected 'filename'"),
            ("filename,pixel size(mm)\nä.png,0.1\n".encode("latin-1"), "not a CSV table in UTF-8"),
            (b"PK\x03\x04\x00\xff\xfe", "not a CSV table in UTF-8"),
        ],
        ids=["semicolons", "other columns", "empty", "latin-1", "a spreadsheet"],
    )
    def test_unreadable_table_is_an_error(self, tmp_path: Path, content: bytes, message: str) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(ValueError, match=message):
            take_in(tmp_path, table=tmp_path / "t.csv")

    def test_missing_table_is_an_error(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        with pytest.raises(FileNotFoundError, match="no such table; give a CSV file with the columns filename"):
            take_in(tmp_path, table=tmp_path / "t.csv")


def test_natural_key_takes_any_name() -> None:
    names = ["b", "a10", "a2", "10", "9", "", "a", "9a", "a2/x1", "B2"]
    assert sorted(names, key=natural_key) == ["", "9", "9a", "10", "a", "a2", "a2/x1", "a10", "b", "B2"]
    assert natural_key("²") < natural_key("³"), "digits to str.isdigit, but no numbers"


def test_the_official_test_frames(real_data: Path) -> None:
    folder = real_data / "hc18"
    intake = take_in(folder / "test_set", table=folder / "test_set_pixel_size.csv")
    assert len(intake.frames) == len(list((folder / "test_set").glob("*.png")))
    assert intake.frames[0]["pixel_spacing_mm"] == [0.23585714045, 0.23585714045]
