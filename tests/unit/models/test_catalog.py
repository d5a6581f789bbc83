"""The catalogue says for each model what is fetched, under which licence, and how the network is fed."""

import re
from pathlib import Path

import pytest

from facealbum.errors import ModelError, UnknownModelError
from models.catalog import find_entry, load_catalog
from models.registry import load_embedders

OWN = """
space = "own-512"
version = "own-1"
about = "A model of ours"
page = "https://example.org/model"
runtime = "onnx"
output = 512

[licence]
name = "CC0-1.0"
text = "https://example.org/licence"
commercial = true

[input]
size = 112
colour = "bgr"
mean = [0, 0, 0]
divisor = [255, 255, 255]
"""


def own(folder: Path, text: str) -> Path:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return folder


def test_only_entries_that_are_published_whole_are_pinned() -> None:
    entries = load_catalog()
    assert {name for name, entry in entries.items() if not entry.pins} == {"ghostfacenet-v1-512"}
    assert all(entry.download is None or entry.download.bytes for entry in entries.values())


def test_a_licence_for_research_only_is_named_as_such() -> None:
    assert {name for name, entry in load_catalog().items() if not entry.licence.commercial} == {"arcface-r50-512"}


def test_an_entry_of_the_operators_own_stands_beside_the_packaged_ones(tmp_path: Path) -> None:
    entries = load_catalog(own(tmp_path, OWN))
    assert entries["own-512"].input.divisor == (255, 255, 255)
    assert set(load_catalog()) < set(entries)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="space of its own"):
        load_catalog(own(tmp_path, OWN.replace("own-512", "facenet-512")))
    with pytest.raises(ModelError, match="space of its own"):
        load_catalog(own(tmp_path, OWN.replace("own-512", next(iter(load_embedders())))))


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ('space = "own-512"', 'space = "../../etc/own"', "space"),
        ("output = 512", "output = 1024", "output"),
        ('colour = "bgr"', 'colour = "grey"', "input.colour"),
        ("divisor = [255, 255, 255]", "divisor = [255, 0, 255]", "input.divisor"),
        ("size = 112", 'size = "112"', "input.size"),
        ("commercial = true", "", "licence.commercial"),
        ("output = 512", "output = 512\nurl = 'https://example.org/model.onnx'", "url"),
        ("[input]", '[download]\nurl = "ftp://example.org/x"\n[input]', "download.url"),
        ("[input]", "[download]\nurl = 'https://x.org/y'\nsha256 = 'abc'\n[input]", "download.sha256"),
        ("[input]", "[input", "TOML"),
    ],
)
def test_a_slip_in_an_entry_is_named(tmp_path: Path, good: str, bad: str, named: str) -> None:
    with pytest.raises(ModelError, match=named):
        load_catalog(own(tmp_path, OWN.replace(good, bad)))


def test_every_entry_and_the_example_stand_in_the_docs(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w.-]+-\d+)` \|.*\| (?:yes|no)", text, flags=re.MULTILINE)) == set(load_catalog())
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    own(tmp_path, example.replace('"…"', f'"{"0" * 64}"'))
    assert load_catalog(tmp_path)["ours-512"].download is not None


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="auraface-v1-512, facenet-512"):
        find_entry(load_catalog(), "arcface")
