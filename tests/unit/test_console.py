"""How tables look where there is little room."""

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
