"""An import takes what can be used, names the rest, and changes nothing when made again."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from facealbum.domain.ids import family_id, photo_id
from facealbum.domain.photos import original_key
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.families import list_families
from facealbum.steps.imports import import_folder, import_manifests
from facealbum.steps.manifests import parse_children
from facealbum.steps.photos import forget_photo
from facealbum.storage.photos import load_known_photos, load_pending, load_problems

FAMILY = family_id("Mori")


def photos_csv(folder: Path, *rows: str) -> Path:
    path = folder / "photos.csv"
    path.write_text("\n".join(["family,photo,path,taken_at", *rows]) + "\n", encoding="utf-8")
    return path


def picture(folder: Path, name: str, content: bytes = b"") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or name.encode())
    return path


def stored(context: Context) -> dict[object, bytes | None]:
    with context.database.begin() as transaction:
        return {photo.photo_id: photo.sha256 for photo in load_known_photos(transaction, FAMILY)}


def problems(context: Context) -> list[tuple[str, str]]:
    with context.database.begin() as transaction:
        return [(problem.photo, problem.code) for problem in load_problems(transaction)]


def test_photos_are_registered_and_their_bytes_kept(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg", b"first")
    result = import_manifests(context, photos_csv(tmp_path, "Mori,1,a.jpg,2026-01-01"), None)
    assert (result.photos, result.problems, result.families) == (1, [], {"Mori"})
    with context.database.begin() as transaction:
        (pending,) = load_pending(transaction, FAMILY)
    assert pending.photo_id == photo_id(FAMILY, "1")
    assert context.objects.get(original_key(FAMILY, pending.sha256)) == b"first"


def test_importing_twice_changes_nothing(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg")
    manifest = photos_csv(tmp_path, "Mori,1,a.jpg,2026-01-01", "Mori,2,none.jpg,2026-01-01")
    import_manifests(context, manifest, None)
    before, known_problems = stored(context), problems(context)
    again = import_manifests(context, manifest, None)
    assert (again.photos, again.unchanged, len(again.problems)) == (0, 1, 1)
    assert stored(context) == before
    assert problems(context) == known_problems


def test_another_date_for_a_known_photo_is_told_and_changes_nothing(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg")
    import_manifests(context, photos_csv(tmp_path, "Mori,1,a.jpg,2026-01-01"), None)
    corrected = photos_csv(tmp_path, "Mori,1,a.jpg,2026-02-01")
    result = import_manifests(context, corrected, None)
    assert (result.unchanged, [problem.photo for problem in result.problems]) == (1, ["1"])
    assert "2026-01-01" in result.problems[0].detail
    forget_photo(context, "Mori", "1")
    assert import_manifests(context, corrected, None).problems == []
    assert import_manifests(context, corrected, None).problems == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("none.jpg", None, "missing_file"), ("folder/inner.jpg", b"x", None), ("empty.jpg", b"", "empty_file")],
)
def test_a_file_that_cannot_be_a_photo_is_recorded_and_the_rest_goes_on(
    context: Context, tmp_path: Path, name: str, content: bytes | None, code: str | None
) -> None:
    if content is not None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    picture(tmp_path, "good.jpg")
    manifest = photos_csv(tmp_path, f"Mori,1,{name},2026-01-01", "Mori,2,good.jpg,2026-01-01")
    result = import_manifests(context, manifest, None)
    assert [p.code for p in result.problems] == ([code] if code else [])
    assert problems(context) == ([("1", code)] if code else [])
    assert photo_id(FAMILY, "2") in stored(context)


def test_a_folder_as_photo_is_a_missing_file(context: Context, tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    result = import_manifests(context, photos_csv(tmp_path, "Mori,1,folder.jpg,"), None)
    assert [p.code for p in result.problems] == ["missing_file"]


def test_a_file_over_the_limit_is_refused_unread(context: Context, tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        os.truncate(file.fileno(), context.settings.max_photo_bytes + 1)
    result = import_manifests(context, photos_csv(tmp_path, "Mori,1,huge.jpg,"), None)
    assert [p.code for p in result.problems] == ["image_size"]


@pytest.mark.parametrize(("head", "code"), [(b"\0\0\0\x18ftypisom", None), (b"\xff\xd8\xff", "image_size")])
def test_a_video_may_be_larger_than_a_photo(context: Context, tmp_path: Path, head: bytes, code: str | None) -> None:
    settings = context.settings.model_copy(update={"max_photo_bytes": 100, "max_video_bytes": 1000})
    picture(tmp_path, "file", head.ljust(500, b"\0"))
    result = import_manifests(replace(context, settings=settings), photos_csv(tmp_path, "Mori,1,file,"), None)
    assert [p.code for p in result.problems] == ([code] if code else [])


def test_a_name_that_frames_have_is_refused(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg")
    result = import_manifests(context, photos_csv(tmp_path, "Mori,clip.mp4#t=1.5,a.jpg,"), None)
    assert [p.code for p in result.problems] == ["bad_photo"]


def test_a_missing_file_that_appears_becomes_pending(context: Context, tmp_path: Path) -> None:
    manifest = photos_csv(tmp_path, "Mori,1,late.jpg,2026-01-01")
    import_manifests(context, manifest, None)
    picture(tmp_path, "late.jpg")
    result = import_manifests(context, manifest, None)
    assert (result.photos, result.problems) == (1, [])
    assert problems(context) == []
    with context.database.begin() as transaction:
        assert [photo.key for photo in load_pending(transaction, FAMILY)] == ["1"]


def test_the_same_content_under_another_name_is_one_photo(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "photos/a.jpg", b"same")
    picture(tmp_path, "photos/copy/a.jpg", b"same")
    for _ in range(2):
        result = import_folder(context, tmp_path / "photos", "Mori")
        assert result.duplicates == 1
        assert len(stored(context)) == 1


def test_other_content_under_a_known_name_is_refused(context: Context, tmp_path: Path) -> None:
    manifest = photos_csv(tmp_path, "Mori,1,a.jpg,2026-01-01")
    picture(tmp_path, "a.jpg", b"first")
    import_manifests(context, manifest, None)
    before = stored(context)
    picture(tmp_path, "a.jpg", b"second")
    result = import_manifests(context, manifest, None)
    assert [p.code for p in result.problems] == ["bad_photo"]
    assert stored(context) == before


def test_a_folder_gives_its_pictures_and_videos_and_leaves_the_rest(context: Context, tmp_path: Path) -> None:
    for name in ("b.JPG", "sub/a.png", "c.HIF", ".hidden.jpg", "notes.txt", "clip.mp4", ".trash/x.jpg"):
        picture(tmp_path / "in", name)
    children = parse_children("Mori", ["Hana,2019-04-02,female"], today=context.clock().date())
    result = import_folder(context, tmp_path / "in", "Mori", children)
    assert (result.photos, result.children, result.problems) == (4, 1, [])
    (family,) = list_families(context)
    assert (family.family_id, [child.name for child in family.children]) == (FAMILY, ["Hana"])
    assert set(stored(context)) == {photo_id(FAMILY, name) for name in ("b.JPG", "sub/a.png", "c.HIF", "clip.mp4")}


def test_a_folder_without_a_picture_is_a_problem_and_makes_no_family(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "notes.txt")
    result = import_folder(context, tmp_path, "Mori")
    assert [problem.code for problem in result.problems] == ["no_photos"]
    assert list_families(context) == []
    children = parse_children("Mori", ["Hana,2019-04-02,female"], today=context.clock().date())
    assert import_folder(context, tmp_path, "Mori", children).children == 1


def test_a_family_that_the_list_of_families_lacks_is_told_when_it_is_new(context: Context, tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg")
    families = tmp_path / "families.csv"
    families.write_text("family,child,birth_date,gender\nMori,Hana,2019-04-02,female\n", encoding="utf-8")
    manifest = photos_csv(tmp_path, "Mori,1,a.jpg,", "Mory,2,a.jpg,")
    assert import_manifests(context, manifest, families).unlisted == {"Mory"}
    assert import_manifests(context, manifest, families).unlisted == set()


def test_a_photo_whose_file_never_came_is_told_apart_from_those_that_failed(context: Context, tmp_path: Path) -> None:
    import_manifests(context, photos_csv(tmp_path, "Mori,1,none.jpg,"), None)
    (family,) = list_families(context)
    assert (family.photos, family.not_imported) == ({"failed": 1}, 1)


def test_a_manifest_without_a_column_is_one_problem_and_families_still_come_in(
    context: Context, tmp_path: Path
) -> None:
    bad = tmp_path / "photos.csv"
    bad.write_text("family,photo\nMori,1\n", encoding="utf-8")
    families = tmp_path / "families.csv"
    families.write_text("family,child,birth_date,gender\nMori,Hana,2019-04-02,female\n", encoding="utf-8")
    result = import_manifests(context, bad, families)
    assert [(p.where, p.code) for p in result.problems] == [("photos.csv", "bad_manifest")]
    assert result.children == 1


def test_a_file_name_that_is_no_text_is_imported_all_the_same(context: Context, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/f\xfcr.jpg")).write_bytes(b"photo")
    assert import_folder(context, tmp_path / "in", "Mori").photos == 1
    assert set(stored(context)) == {photo_id(FAMILY, "f\\xfcr.jpg")}


@pytest.mark.parametrize("name", ["", "x" * 201, "a\0b"])
def test_a_family_needs_a_name(context: Context, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="family"):
        import_folder(context, tmp_path, name)


def test_imports_of_one_content_at_once_register_it_once(context: Context, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / name, f"{name}.jpg", b"same")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: import_folder(context, tmp_path / name, "Mori"), ("a", "b", "c", "d")))
    assert len(stored(context)) == 1
