"""The main job as a user runs it: the command line, the embedded defaults, the demo's portraits."""

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facealbum.demo.album import FAMILY, DemoAlbum, build_demo_album
from facealbum.domain.faces import Box

Run = Callable[..., subprocess.CompletedProcess[str]]
CLI = Path(sys.executable).with_name("facealbum")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose name would break careless code."""
    return tmp_path_factory.mktemp("home") / "家族 album's data"


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    def command(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEALBUM_")}
        environment |= {"FACEALBUM_DATA": str(home), "COLUMNS": "200"}
        words = [str(CLI), *map(str, arguments)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    return command


@pytest.fixture(scope="module")
def album(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoAlbum]:
    """The demo album, imported, analysed and clustered."""
    built = build_demo_album(tmp_path_factory.mktemp("album"))
    run("import", built.photos_csv, "--families", built.families_csv)
    run("analyze")
    run("cluster", "--through", "2026-12")
    yield built
    run("family", "delete", FAMILY, "--yes")


def exported(run: Run, folder: Path) -> list[dict[str, str]]:
    out = folder / "faces.csv"
    run("export", "faces", out)
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def inside(box: Box, row: dict[str, str]) -> bool:
    x, y = ((float(row[a]) + float(row[b])) / 2 for a, b in (("x1", "x2"), ("y1", "y2")))
    return box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2


def test_every_face_is_found_and_given_to_its_person(run: Run, album: DemoAlbum, tmp_path: Path) -> None:
    rows = exported(run, tmp_path)
    children = {person.person: person.child for person in album.people}
    pairs = [
        (children[face.person], [row for row in rows if row["photo"] == photo.photo and inside(face.box, row)])
        for photo in album.photos
        for face in photo.faces
    ]
    assert all(len(found) == 1 for _, found in pairs)
    assert len(rows) == len(pairs), "faces where there is nobody"
    persons = {(true, found[0]["person"]) for true, found in pairs if found[0]["person"]}
    assert len(persons) == len(children), "one person for each child, and one child for each person"
    assert len({person for _, person in persons}) == len(children)
    assert all(found[0]["child"] in {"", true} for true, found in pairs)


def test_no_two_faces_of_one_photo_are_one_person(run: Run, album: DemoAlbum, tmp_path: Path) -> None:
    assert album.photos
    seen = Counter((row["photo"], row["person"]) for row in exported(run, tmp_path) if row["person"])
    assert max(seen.values()) == 1


def test_every_command_run_twice_changes_nothing(run: Run, album: DemoAlbum, tmp_path: Path) -> None:
    before = exported(run, tmp_path)
    imported = json.loads(run("import", album.photos_csv, "--families", album.families_csv, "--json").stdout)
    assert (imported["photos"], imported["children"], imported["unchanged"]) == (0, 0, len(album.photos))
    assert json.loads(run("analyze", "--json").stdout)["photos"] == 0
    clustered = json.loads(run("cluster", "--through", "2026-12", "--json").stdout)
    assert (clustered["runs"], clustered["changes"]) == ([], 0)
    assert exported(run, tmp_path) == before


def test_albums_hold_each_persons_photos(run: Run, album: DemoAlbum, tmp_path: Path) -> None:
    run("export", "albums", tmp_path / "out")
    found = {folder.name: len(list(folder.iterdir())) for folder in (tmp_path / "out" / FAMILY).iterdir()}
    shown = [sum(any(f.person == one.person for f in photo.faces) for photo in album.photos) for one in album.people]
    listed = json.loads(run("albums", "--json").stdout)
    assert {one["title"]: one["photos"] for one in listed} == found
    assert sorted(one["photos"] for one in listed if one["kind"] in {"child", "person"}) == sorted(shown)


def test_the_demo_finds_everybody_and_a_second_one_changes_nothing(run: Run, tmp_path: Path) -> None:
    first = json.loads(run("demo", tmp_path / "demo", "--json").stdout)
    assert [person["child"] for person in first["people"]] == [person["label"] for person in first["people"]]
    assert len(first["people"]) == 4
    assert first["waiting"] == 0
    page = Path(first["page"]).read_text(encoding="utf-8")
    assert all(person["child"] in page for person in first["people"])
    again = json.loads(run("demo", tmp_path / "demo", "--json").stdout)
    assert again == first | {"changes": 0}


def test_the_report_is_one_page_with_everybody(run: Run, album: DemoAlbum, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run("report", page)
    text = page.read_text(encoding="utf-8")
    assert all(person.child in text for person in album.people)
    assert "data:image/jpeg;base64," in text
    assert not re.search(r'(src|href|url)[=(]["\']?(https?:)?//', text)


def test_bad_input_is_named_recorded_and_does_not_stop_the_rest(run: Run, tmp_path: Path, album: DemoAlbum) -> None:
    good = album.photos[0].path.read_bytes()
    files = {"text.jpg": b"hello", "cut.jpg": good[: len(good) // 2], "zero.jpg": b"", "good.jpg": good}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    manifest = tmp_path / "photos.csv"
    names = [*files, "missing.jpg"]
    manifest.write_text("family,photo,path,taken_at\n" + "".join(f"Bad,{n},{n},2026-01-01\n" for n in names), "utf-8")
    imported = run("import", manifest, expect=3)
    assert all(f"{name}" in imported.stderr for name in ("zero.jpg", "missing.jpg"))
    analysed = json.loads(run("analyze", "--family", "Bad", "--json", expect=3).stdout)
    assert {(p["photo"], p["code"]) for p in analysed["problems"]} == {
        ("text.jpg", "unknown_format"),
        ("cut.jpg", "damaged_image"),
    }
    assert analysed["faces"] >= 1
    run("family", "delete", "Bad", "--yes")


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "--family", "nobody"),
        ("cluster", "--through", "October"),
        ("import", "nowhere.csv"),
        ("export", "faces", "/nowhere/out.csv"),
        ("family", "delete", "nobody", "--yes"),
        ("photo", "delete", "none.jpg", "--family", FAMILY),
        ("features", "export", "out.csv"),
        ("no-such-command",),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments, expect=2)
    assert "Traceback" not in said.stderr
    assert said.stderr.strip()


def test_doctor_finds_everything_well(run: Run) -> None:
    findings: list[dict[str, Any]] = json.loads(run("doctor", "--json").stdout)
    assert all(finding["fine"] for finding in findings)
    assert {finding["subject"] for finding in findings} == {
        "program",
        "amounts",
        "data folder",
        "database",
        "clock",
        "waiting",
        "object store",
        "models",
        "registry",
    }


def test_a_deleted_family_leaves_no_row_and_no_file(run: Run, home: Path, tmp_path: Path, album: DemoAlbum) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(album.photos[0].path.read_bytes())
    before = {path for path in (home / "objects").rglob("*") if path.is_file()}
    run("import", tmp_path / "in", "--family", "Gone", "--child", "Hana,2019-04-02,female")
    assert {path for path in (home / "objects").rglob("*") if path.is_file()} > before
    run("family", "delete", "Gone", "--yes")
    assert {path for path in (home / "objects").rglob("*") if path.is_file()} == before
    listed = json.loads(run("family", "list", "--json").stdout)
    assert "Gone" not in {family["name"] for family in listed}
