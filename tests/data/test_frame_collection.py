from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fetal_monai.data import collect_frames
from fetal_monai.data.frame_files import natural_key
from fetal_monai.geometry import ultrasound_regions_from_text
from tests.frame_files import COLUMN_MM, ROW_MM, asymmetric_picture, region, write_dicom, write_metaimage, write_picture

PICTURE = asymmetric_picture()


def frame_names(collection: Any) -> list[str]:
    return [Path(frame["image"]).relative_to(collection.source_dir).as_posix() for frame in collection.frames]


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def write_table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class TestFolder:
    def test_finds_frames_in_subfolders_in_natural_order(self, tmp_path: Path) -> None:
        for name in ("10_HC.png", "2_HC.png", "exam 10/1.png", "exam 9/b.PNG", "exam 9/a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_picture(tmp_path / name, PICTURE)
        assert frame_names(collect_frames(tmp_path)) == [
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
            collection = collect_frames(tmp_path)
        assert frame_names(collection) == ["000_HC.png", "volume.mhd"]
        assert not collection.rejected
        assert "skipped 3 annotations, masks or overlays and 3 files of other kinds" in caplog.text

    def test_finds_dicom_without_a_suffix(self, tmp_path: Path) -> None:
        write_dicom(tmp_path / "IM_0001", PICTURE)
        write_dicom(tmp_path / "1.2.840.113619.2.5", PICTURE)
        collection = collect_frames(tmp_path)
        assert frame_names(collection) == ["1.2.840.113619.2.5", "IM_0001"]
        assert collection.frames[0]["pixel_spacing_mm"] == pytest.approx([ROW_MM, COLUMN_MM])

    def test_without_frames_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("no frame")
        with pytest.raises(ValueError, match=r"no frames in this folder; expected files with one of \.png"):
            collect_frames(tmp_path)

    def test_missing_source_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="absent: no such file or folder; give the frame or the folder"):
            collect_frames(tmp_path / "absent")


class TestOneFile:
    def test_is_taken_whatever_its_name(self, tmp_path: Path) -> None:
        path = write_picture(tmp_path / "000_HC_Annotation.png", PICTURE)
        collection = collect_frames(path)
        assert [frame["image"] for frame in collection.frames] == [str(path)]
        assert collection.source_dir == tmp_path

    def test_of_unknown_kind_is_a_rejected_file(self, tmp_path: Path) -> None:
        path = tmp_path / "frame.xyz"
        path.write_text("no frame")
        collection = collect_frames(path)
        assert not collection.frames
        assert collection.rejected[0].file == path
        assert collection.rejected[0].reason.startswith("not a kind of file that holds frames; expected one of .png")

    def test_the_tables_other_rows_do_not_matter(self, tmp_path: Path) -> None:
        path = write_picture(tmp_path / "000_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "000_HC.png,0.1", "001_HC.png,0.2")
        collection = collect_frames(path, table=table)
        assert collection.frames[0]["pixel_spacing_mm"] == [0.1, 0.1]
        assert not collection.rejected


class TestSpacing:
    """Header before table before option."""

    @pytest.mark.parametrize(("option", "expected"), [(0.5, [0.5, 0.5]), ([0.5, 0.4], [0.5, 0.4])])
    def test_option_is_for_frames_that_nothing_else_states(
        self, tmp_path: Path, option: Any, expected: list[float]
    ) -> None:
        for name in ("a.png", "b.png"):
            write_picture(tmp_path / name, PICTURE)
        write_dicom(tmp_path / "f.dcm", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "f.dcm,0.1", "b.png,0.1")
        frames = collect_frames(tmp_path, option, table).frames
        assert [(frame["pixel_spacing_mm"], frame["pixel_spacing_source"]) for frame in frames] == [
            (expected, "option"),
            ([0.1, 0.1], "table"),
            ([pytest.approx(ROW_MM), pytest.approx(COLUMN_MM)], "header"),
        ]

    @pytest.mark.parametrize(
        ("option", "table_mm", "expected", "used", "warned"),
        [
            (0.5, "", [0.5, 0.5], "option", ["header of 0.3 x 0.2 mm"]),
            (0.5, "0.1", [0.1, 0.1], "table", ["option of 0.5 x 0.5 mm", "header of 0.3 x 0.2 mm"]),
            ([0.3, 0.2], "", [0.3, 0.2], "option", []),
            (None, "", [0.3, 0.2], "header", []),
        ],
    )
    def test_table_and_option_win_when_told_so(
        self,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        option: Any,
        table_mm: str,
        expected: list[float],
        used: str,
        warned: list[str],
    ) -> None:
        write_dicom(tmp_path / "f.dcm", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", f"f.dcm,{table_mm}")
        (frame,) = collect_frames(tmp_path, option, table, override_pixel_spacing=True).frames
        assert frame["pixel_spacing_mm"] == pytest.approx(expected)
        assert frame["pixel_spacing_source"] == used
        assert (ultrasound_regions_from_text(frame["ultrasound_regions"]) == ()) == (used != "header")
        messages = warnings_in(caplog)
        assert len(messages) == len(warned)
        assert all(
            text in message and f"the {used} is used." in message
            for text, message in zip(warned, messages, strict=True)
        )

    @pytest.mark.parametrize(("option", "table_mm"), [(0.5, ""), (None, "0.5")])
    def test_a_header_that_states_another_spacing_is_kept_with_a_warning(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, option: Any, table_mm: str
    ) -> None:
        path = write_metaimage(tmp_path / "f.mha", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", f"f.mha,{table_mm}")
        assert collect_frames(tmp_path, option, table).frames[0]["pixel_spacing_mm"] == pytest.approx(
            [ROW_MM, COLUMN_MM]
        )
        (message,) = warnings_in(caplog)
        assert message == (
            f"{path}: the header states a pixel spacing of 0.3 x 0.2 mm (row x column), the "
            f"{'option' if option else 'table'} of 0.5 x 0.5 mm (row x column); the header is used "
            "(override_pixel_spacing changes that)."
        )

    def test_a_word_as_override_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match="override_pixel_spacing must be True or False, got 'false'"):
            collect_frames(tmp_path, override_pixel_spacing="false")  # type: ignore[arg-type]

    def test_a_header_that_cannot_be_true_is_not_filled_in_but_overridden(self, tmp_path: Path) -> None:
        write_metaimage(tmp_path / "f.mha", PICTURE, spacing=(1e300, 0.2))
        assert "1e+300 x 0.2 mm" in collect_frames(tmp_path, 0.5).rejected[0].reason
        (frame,) = collect_frames(tmp_path, 0.5, override_pixel_spacing=True).frames
        assert frame["pixel_spacing_mm"] == [0.5, 0.5]

    @pytest.mark.parametrize("smallest_and_largest", [0.01, 2.0])
    def test_the_ends_of_the_range_belong_to_it(self, tmp_path: Path, smallest_and_largest: float) -> None:
        write_picture(tmp_path / "f.png", PICTURE)
        assert (
            collect_frames(tmp_path, smallest_and_largest).frames[0]["pixel_spacing_mm"] == [smallest_and_largest] * 2
        )

    def test_regions_beyond_the_image_leave_a_gap_to_fill(self, tmp_path: Path) -> None:
        write_dicom(tmp_path / "f.dcm", PICTURE, [region(0.1, 0.1, (0, 0, 999, 999))])
        (unknown,) = collect_frames(tmp_path).frames
        assert np.isnan(unknown["pixel_spacing_mm"]).all()
        assert len(ultrasound_regions_from_text(unknown["ultrasound_regions"])) == 1, "for the reason why it is unknown"
        (filled,) = collect_frames(tmp_path, 0.5).frames
        assert (filled["pixel_spacing_mm"], filled["ultrasound_regions"]) == ([0.5, 0.5], "[]")

    def test_header_where_the_table_says_nothing(self, tmp_path: Path) -> None:
        for name in ("empty cell.dcm", "no row.dcm"):
            write_dicom(tmp_path / name, PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "empty cell.dcm,")
        for frame in collect_frames(tmp_path, table=table).frames:
            assert frame["pixel_spacing_mm"] == pytest.approx([ROW_MM, COLUMN_MM])

    def test_unknown_is_nan_and_no_rejection(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "f.png", PICTURE)
        collection = collect_frames(tmp_path)
        assert np.isnan(collection.frames[0]["pixel_spacing_mm"]).tolist() == [True, True]
        assert not collection.rejected

    @pytest.mark.parametrize(
        "option", [0, -0.1, math.nan, math.inf, 0.0099, 2.01, [0.1, 0.1, 0.1], [0.1, 0], [0.1, 1e300], "0.1 mm"]
    )
    def test_impossible_option_is_an_error(self, tmp_path: Path, option: Any) -> None:
        with pytest.raises(ValueError, match=r"expected the size .* 0.01 and 2 mm: one number or \[row, column]"):
            collect_frames(tmp_path, option)


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
        first, second = collect_frames(tmp_path, table=table).frames
        assert (first["pixel_spacing_mm"], first["gestational_age_days"]) == ([0.1, 0.1], 140)
        assert second["pixel_spacing_mm"] == [0.2, 0.2]
        assert math.isnan(second["gestational_age_days"])

    def test_row_without_image_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "a.png,0.1", "b.png,0.1", ",0.1")
        collection = collect_frames(tmp_path, table=table)
        assert frame_names(collection) == ["a.png"]
        assert [(each.file.name, each.reason) for each in collection.rejected] == [
            ("b.png", "in the table t.csv, but no such frame was found."),
            ("t.csv", "row 3 has no file name; fill it in or delete the row."),
        ]

    def test_duplicate_row_is_rejected(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png"):
            write_picture(tmp_path / name, PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", "a.png,0.1", "b.png,0.1", "a.png,0.2")
        collection = collect_frames(tmp_path, table=table)
        assert frame_names(collection) == ["b.png"]
        assert collection.rejected[0].file == tmp_path / "a.png"
        assert collection.rejected[0].reason == "2 rows of the table name this frame; keep one of them."

    def test_spacing_columns_that_disagree_are_rejected(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png", "c.png"):
            write_picture(tmp_path / name, PICTURE)
        header = "filename,pixel size(mm),pixel_spacing_mm"
        table = write_table(tmp_path / "t.csv", header, "a.png,0.1,0.2", "b.png,0.1,0.10", "c.png,,0.3")
        collection = collect_frames(tmp_path, table=table)
        assert [frame["pixel_spacing_mm"][0] for frame in collection.frames] == [0.1, 0.3]
        assert [(each.file.name, each.reason) for each in collection.rejected] == [
            ("a.png", "the table says pixel size(mm) = 0.1 and pixel_spacing_mm = 0.2; keep the correct one.")
        ]

    def test_decimal_comma_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel_spacing_mm", 'a.png,"0,12"')
        (rejected,) = collect_frames(tmp_path, table=table).rejected
        assert (
            "pixel_spacing_mm = '0,12'; expected the size of a pixel, between 0.01 and 2 mm, with a" in rejected.reason
        )
        assert "with a decimal point" in rejected.reason

    def test_bad_age_is_rejected(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,gestational_age_days", "a.png,20w+3d")
        assert (
            "gestational_age_days = '20w+3d'; expected days" in collect_frames(tmp_path, table=table).rejected[0].reason
        )

    def test_a_bare_name_in_two_folders_is_never_guessed(self, tmp_path: Path) -> None:
        """HC18 itself: training_set/000_HC.png and test_set/000_HC.png are two different frames."""
        for folder in ("training_set", "test_set"):
            (tmp_path / folder).mkdir()
            write_picture(tmp_path / folder / "000_HC.png", PICTURE)
        write_picture(tmp_path / "test_set" / "001_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "000_HC.png,0.1", "001_HC.png,0.2")
        collection = collect_frames(tmp_path, table=table)
        assert frame_names(collection) == ["test_set/001_HC.png"]
        assert len(collection.rejected) == 2
        assert "fits 2 frames in different folders; write the path relative" in collection.rejected[0].reason

        for name in ("test_set/000_HC.png", r"test_set\000_HC.png", "./test_set/000_HC.png"):
            table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", f"{name},0.1")
            spacings = [frame["pixel_spacing_mm"][0] for frame in collect_frames(tmp_path, table=table).frames]
            assert spacings == pytest.approx([0.1, math.nan, math.nan], nan_ok=True)

    def test_a_row_of_another_folder_is_not_taken_for_a_frame_of_the_same_name(self, tmp_path: Path) -> None:
        (tmp_path / "test_set").mkdir()
        write_picture(tmp_path / "test_set" / "000_HC.png", PICTURE)
        table = write_table(tmp_path / "t.csv", "filename,pixel size(mm)", "training_set/000_HC.png,0.1")
        collection = collect_frames(tmp_path / "test_set", table=table)
        assert math.isnan(collection.frames[0]["pixel_spacing_mm"][0])
        assert "no such frame was found" in collection.rejected[0].reason

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
            collect_frames(tmp_path, table=tmp_path / "t.csv")

    def test_missing_table_is_an_error(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "a.png", PICTURE)
        with pytest.raises(FileNotFoundError, match="no such table; give a CSV or Parquet file with the columns"):
            collect_frames(tmp_path, table=tmp_path / "t.csv")


def test_natural_key_takes_any_name() -> None:
    names = ["b", "a10", "a2", "10", "9", "", "a", "9a", "a2/x1", "B2"]
    assert sorted(names, key=natural_key) == ["", "9", "9a", "10", "a", "a2", "a2/x1", "a10", "b", "B2"]
    assert natural_key("²") < natural_key("³"), "digits to str.isdigit, but no numbers"


def test_the_official_test_frames(real_data: Path) -> None:
    folder = real_data / "hc18"
    collection = collect_frames(folder / "test_set", table=folder / "test_set_pixel_size.csv")
    assert len(collection.frames) == len(list((folder / "test_set").glob("*.png")))
    assert collection.frames[0]["pixel_spacing_mm"] == [0.23585714045, 0.23585714045]
