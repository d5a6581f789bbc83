"""How tables look where there is little room, and where there is no end of it."""

import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from facealbum import console


def test_a_short_name_in_the_first_column_of_a_narrow_table_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    monkeypatch.setattr(console, "out", Console(file=shown, width=40))
    console.table("", ("name", "what it is"), [("ghostfacenet-v1-512", "a network of other people's, " * 3)])
    assert "ghostfacenet-v1-512" in shown.getvalue()
    assert len(shown.getvalue().splitlines()) > 3


def test_a_row_of_a_table_that_nobody_looks_at_is_one_line() -> None:
    shown = "console.table('of two', ('name', 'is'), [('one', 'long ' * 99), ('two', '')])"
    command = f"from facealbum import console; {shown}"
    told = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert [line.split(maxsplit=1)[0] for line in told.stdout.splitlines()] == ["of", "name", "one", "two"]


def test_decimals_of_a_column_stand_point_below_point(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    monkeypatch.setattr(console, "out", Console(file=shown, width=80))
    rows = [("a", 1.0, 7, 1e-9), ("b", 0.25, 12, 0.5), ("c", -10.5, 3.5, 0.5)]
    console.table("", ("name", "short", "mixed", "tiny"), rows)
    assert [line.split()[1:] for line in shown.getvalue().splitlines()[1:]] == [
        ["1.00", "7", "1e-09"],
        ["0.25", "12", "0.5"],
        ["-10.50", "3.5", "0.5"],
    ]
