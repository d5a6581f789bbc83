"""A manifest's good rows are taken, and each bad one is named with its place."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from facealbum.domain.people import Gender
from facealbum.errors import InvalidValueError, ManifestError
from facealbum.steps.manifests import parse_children, read_family_manifest, read_photo_manifest

TODAY = date(2026, 11, 1)


def write(folder: Path, text: str, name: str = "photos.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_become_photos_with_paths_beside_the_manifest(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufefffamily,photo,path,taken_at\nMori, p1 ,a/b.jpg,2026-10-31T12:00:00+09:00\n")
    (photo,) = read_photo_manifest(path).photos
    assert (photo.family, photo.key, photo.path) == ("Mori", "p1", tmp_path / "a/b.jpg")
    assert photo.taken_at == datetime(2026, 10, 31, 12, tzinfo=timezone(timedelta(hours=9)))


def test_a_moment_without_an_offset_is_utc(tmp_path: Path) -> None:
    (photo,) = read_photo_manifest(write(tmp_path, "family,photo,path,taken_at\nM,1,x,2026-10-31 12:00\n")).photos
    assert photo.taken_at == datetime(2026, 10, 31, 12, tzinfo=UTC)


def test_the_date_may_be_left_to_the_file(tmp_path: Path) -> None:
    manifest = read_photo_manifest(write(tmp_path, "family,photo,path\nM,1,x\n"))
    assert manifest.photos[0].taken_at is None
    assert not manifest.problems


@pytest.mark.parametrize(
    ("row", "code", "word"),
    [
        (",1,x,", "invalid_value", "family"),
        ("M,,x,", "invalid_value", "photo"),
        ("M,1,,", "bad_manifest", "path"),
        ("M,1", "bad_manifest", "path"),
        (f"{'M' * 201},1,x,", "invalid_value", "200"),
        ("M,1,x,yesterday", "bad_taken_at", "yesterday"),
        ("M,1,x,1850-06-01T12:00:00Z", "bad_taken_at", "1900 to 2099"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str, code: str, word: str) -> None:
    manifest = read_photo_manifest(write(tmp_path, f"family,photo,path,taken_at\nM,0,x,\n{row}\n"))
    (problem,) = manifest.problems
    assert (problem.where, problem.code) == ("photos.csv line 3", code)
    assert word in problem.detail
    assert manifest.photos[0].key == "0"


def test_the_first_of_two_photos_with_one_id_is_taken(tmp_path: Path) -> None:
    manifest = read_photo_manifest(write(tmp_path, "family,photo,path\nM,1,x\nN,1,y\nM,1,z\n"))
    assert [photo.path.name for photo in manifest.photos] == ["x", "y"]
    assert [(p.code, p.where, p.photo) for p in manifest.problems] == [("duplicate_photo", "photos.csv line 4", "1")]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "family, photo, path"),
        (b"family,photo\nM,1\n", "path"),
        (b"family,photo,path,date\nM,1,x,2026-10-31\n", "taken_at.*it has family, photo, path, date"),
        (b"family;photo;path\nM;1;x\n", "commas"),
        (b"\xff\xfe\x00family", "UTF-8"),
        (b'family,photo,path\nM,1,"x\n', "CSV"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_as_a_whole(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "photos.csv"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=word):
        read_photo_manifest(path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no file"):
        read_photo_manifest(tmp_path / "none.csv")


def test_families_and_children_are_read(tmp_path: Path) -> None:
    text = "family,child,birth_date,gender\nMori,Hana,2019-04-02,female\nMori,Ren,2021-01-01,MALE\nAbe,,,\n"
    manifest = read_family_manifest(write(tmp_path, text, "families.csv"), today=TODAY)
    assert manifest.families == ("Mori", "Abe")
    assert [(f, c.name, c.birth_date, c.gender) for f, c in manifest.children] == [
        ("Mori", "Hana", date(2019, 4, 2), Gender.FEMALE),
        ("Mori", "Ren", date(2021, 1, 1), Gender.MALE),
    ]
    assert not manifest.problems


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("Mori,Hana,2027-01-01,female", "future"),
        ("Mori,Hana,02.04.2019,female", "2019-04-02"),
        ("Mori,Hana,2019-04-02,girl", "gender"),
        ("Mori,Hana,,female", "birth_date"),
    ],
)
def test_a_bad_child_is_named_and_its_family_kept(tmp_path: Path, row: str, word: str) -> None:
    path = write(tmp_path, f"family,child,birth_date,gender\n{row}\nMori,Ren,2021-01-01,male\n", "families.csv")
    manifest = read_family_manifest(path, today=TODAY)
    (problem,) = manifest.problems
    assert word in problem.detail
    assert problem.where == "families.csv line 2"
    assert [child.name for _, child in manifest.children] == ["Ren"]


def test_a_child_with_two_birth_dates_is_a_problem_but_one_said_twice_is_not(tmp_path: Path) -> None:
    rows = "M,Hana,2019-04-02,female\nM,Hana,2019-04-02,female\nM,Hana,2019-04-03,female\n"
    manifest = read_family_manifest(write(tmp_path, "family,child,birth_date,gender\n" + rows), today=TODAY)
    assert [p.code for p in manifest.problems] == ["duplicate_child"]
    assert len(manifest.children) == 1


def test_a_child_on_the_command_line_may_have_a_comma_in_its_name() -> None:
    (child,) = parse_children("M", ["Mori, Hana, 2019-04-02, female"], today=TODAY)
    assert child.name == "Mori, Hana"


@pytest.mark.parametrize("text", ["", "Hana", "Hana,2019-04-02", ",2019-04-02,female"])
def test_a_child_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_children("M", [text], today=TODAY)
