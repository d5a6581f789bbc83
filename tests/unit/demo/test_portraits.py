"""The bundled portraits are the ones that the manifest vouches for."""

import hashlib
import json
from pathlib import Path

import pytest

import facealbum.demo
from facealbum.demo.portraits import load_pixels, load_portraits

FOLDER = Path(facealbum.demo.__file__).parent / "portraits"
ROWS = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def test_every_bundled_picture_is_in_the_manifest() -> None:
    assert {path.stem for path in FOLDER.glob("*.jpg")} == {row["key"] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["key"])
def test_a_portrait_is_the_file_that_its_manifest_row_describes(row: dict[str, str]) -> None:
    data = (FOLDER / f"{row['key']}.jpg").read_bytes()
    assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert len(data) < 80_000


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["key"])
def test_a_portrait_states_its_licence_and_origin(row: dict[str, str]) -> None:
    assert "17 U.S.C. 105" in row["licence"]
    assert row["credit"]
    assert set(row["source"]) == {"package", "version", "archive", "path", "sha256"}


def test_a_portrait_is_rgb_and_holds_its_face() -> None:
    for portrait in load_portraits():
        height, width, channels = load_pixels(portrait.key).shape
        assert channels == 3
        assert max(height, width) <= 600
        assert 0 <= portrait.face.x1 < portrait.face.x2 <= width
        assert 0 <= portrait.face.y1 < portrait.face.y2 <= height
