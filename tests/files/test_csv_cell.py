from __future__ import annotations

import csv
import doctest
import os
import resource
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.comparison.store import _read_per_image
from fetal_monai.comparison.table import Table
from fetal_monai.data.preparation.problem import Problem, write_rejected
from fetal_monai.files import csv_cell as csv_cell_module
from fetal_monai.files import printable_text as printable_text_module
from fetal_monai.files.csv_cell import cell_text, csv_cell
from fetal_monai.files.csv_table import append_to_csv_table, read_csv_table, write_csv_table
from fetal_monai.reporting.report_files import write_table

# What a spreadsheet would run, in a file name that Linux allows.
COMMAND = "=cmd|' /C calc'!A0.png"

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(names | st.builds("{}{}".format, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'", "'="]), names))
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str) -> None:
    cell = csv_cell(text)
    assert cell_text(cell) == text
    if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        float(cell.replace(",", "."))


@pytest.mark.parametrize("number", [-0.5, 3, "-0.5", "-1e-05", "+7", "-0,5", ""])
def test_numbers_stay_numbers(number: object) -> None:
    assert csv_cell(number) == number


@pytest.mark.parametrize("module", [csv_cell_module, printable_text_module])
def test_examples_in_docstrings_run(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert (result.attempted, result.failed) == (1, 0)


def first_cell(path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1][0]


def test_every_table_that_people_open(tmp_path: Path) -> None:
    write_table(tmp_path / "per_image.csv", ["image", "dice"], [[COMMAND, -0.25]])
    write_rejected(tmp_path, [Problem("error", "table", COMMAND, "has no row")])
    Table("frames", "", "", (), (), [{"image": COMMAND, "difference": -0.25}]).write_csv(tmp_path)
    for name in ("per_image.csv", "rejected.csv", "frames.csv"):
        assert first_cell(tmp_path / name) == f"'{COMMAND}", name
    assert (tmp_path / "frames.csv").read_text().splitlines()[1].endswith(",-0.25")


def test_our_own_readers_find_the_frame_again(tmp_path: Path) -> None:
    table = tmp_path / "per_image.csv"
    write_csv_table(table, ["image", "dice"], [[COMMAND, 0.9], ["007_HC.png", 0.8]])
    assert list(_read_per_image(table).index) == [COMMAND, "007_HC.png"]
    assert [row["image"] for row in read_csv_table(table)[1]] == [COMMAND, "007_HC.png"]


def test_a_name_that_is_not_utf_8_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode(b"F\xf6tus.png")
    write_csv_table(tmp_path / "t.csv", ["image"], [[name]])
    assert first_cell(tmp_path / "t.csv") == r"F\udcf6tus.png"
    assert str(Problem("error", "table", name, "")).isprintable()


def test_rows_are_appended_whole_or_not_at_all(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    write_csv_table(table, ["image", "dice"], [])
    append_to_csv_table(table, [[COMMAND, 0.9], ["a.png", None]])
    content = table.read_text()
    assert content == f"image,dice\n'{COMMAND},0.9\na.png,\n"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Room for a part of the row, as on a disk that is nearly full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 5, hard))
    try:
        with pytest.raises(OSError, match=str(table)):
            append_to_csv_table(table, [["another.png", 0.8]])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert table.read_text() == content
