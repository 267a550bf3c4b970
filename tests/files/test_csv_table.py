import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.files.csv_table import read_csv_table


def written(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_short_rows_are_filled_up_and_blank_ones_passed_over(tmp_path: Path) -> None:
    """Spreadsheets end rows, and tables, with commas that mean nothing."""
    table = written(tmp_path, "filename, size ,note\na.png,0.1\n\n,,\n'b.png', 0.2 ,x,,\n")
    assert read_csv_table(table) == (
        ["filename", "size", "note"],
        [{"filename": "a.png", "size": "0.1", "note": ""}, {"filename": "'b.png'", "size": "0.2", "note": "x"}],
    )


@pytest.mark.parametrize("size", ["1,000.5", "0,12"], ids=["thousands", "decimal comma"])
def test_a_surplus_cell_is_an_error_that_names_its_line(tmp_path: Path, size: str) -> None:
    table = written(tmp_path, f"filename,size\n\na.png,0.1\nb.png,{size}\n")
    with pytest.raises(
        ValueError, match=rf"t\.csv, line 4: has 3 cells for 2 columns \(b\.png,{size}\); .* decimal point"
    ):
        read_csv_table(table)


@pytest.mark.parametrize(
    ("content", "delimiter", "message"),
    [
        ("filename;size\na.png;0,12\n", ",", "separated by semicolons; expected commas"),
        ("filename\tsize\na.png\t0.12\n", ",", "separated by tabs; expected commas"),
        ("filename,size\na.png,0.12\n", ";", "separated by commas; expected semicolons"),
    ],
)
def test_another_separator_is_an_error(tmp_path: Path, content: str, delimiter: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"t\.csv: its columns are {message}\. Save it again with '{delimiter}'"):
        read_csv_table(written(tmp_path, content), delimiter)


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"t\.csv: has more than one column size; keep one of them"):
        read_csv_table(written(tmp_path, "filename,size, size\na.png,0.1,0.2\n"))


def test_missing_columns_are_an_error_that_names_them(tmp_path: Path) -> None:
    table = written(tmp_path, "filename,size,note\na.png,0.1,\n")
    assert read_csv_table(table, required=("size", "filename"))[0] == ["filename", "size", "note"]
    with pytest.raises(ValueError, match=r"t\.csv: lacks the columns \['label', 'patient'\], it has .*; add them"):
        read_csv_table(table, required=("filename", "label", "patient"))


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x2FF), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_what_a_writer_writes_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b"], *rows])
    assert [list(row.values()) for row in read_csv_table(path)[1]] == rows
