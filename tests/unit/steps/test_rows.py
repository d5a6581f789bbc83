"""Rows of CSV files, and what is said of those that can't be used."""

from pathlib import Path

import pytest

from facealbum.errors import ManifestError
from facealbum.steps.rows import read_rows, tell_problems


def test_a_row_is_told_with_its_place_however_many_lines_and_cells_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufefffamily , value\nMori, 1 \n"Abe\nof Kobe",2,more\nOno\n', encoding="utf-8")
    assert list(read_rows(path, ["family"])) == [
        ("a.csv line 2", {"family": "Mori", "value": "1"}),
        ("a.csv line 4", {"family": "Abe\nof Kobe", "value": "2"}),
        ("a.csv line 5", {"family": "Ono", "value": ""}),
    ]


def test_a_folder_is_no_file_of_rows(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="can't be read"):
        list(read_rows(tmp_path, ["family"]))


def test_of_very_many_problems_the_first_are_told_and_the_others_counted() -> None:
    assert tell_problems(["a", "b"]) == "a; b"
    assert tell_problems([f"line {number}" for number in range(23)]).endswith("line 19; and 3 more")
