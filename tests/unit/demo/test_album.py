"""The demo album is a small family with everything that the main job must handle."""

import csv
from collections import defaultdict
from datetime import UTC, date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from facealbum.demo.album import DemoAlbum, build_demo_album
from facealbum.demo.looks import draw_look, show
from facealbum.demo.portraits import load_pixels, load_portraits
from facealbum.steps.manifests import read_family_manifest, read_photo_manifest


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> DemoAlbum:
    return build_demo_album(tmp_path_factory.mktemp("album"))


def exif_of(path: Path) -> Image.Exif:
    with Image.open(path) as image:
        return image.getexif()


def test_the_same_album_is_written_every_time(album: DemoAlbum, tmp_path: Path) -> None:
    again = build_demo_album(tmp_path)
    for first, second in zip(album.photos, again.photos, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
    assert album.photos_csv.read_bytes() == again.photos_csv.read_bytes()
    assert album.families_csv.read_bytes() == again.families_csv.read_bytes()


def test_the_manifests_are_what_the_importer_reads(album: DemoAlbum) -> None:
    photos = read_photo_manifest(album.photos_csv)
    families = read_family_manifest(album.families_csv, today=date(2026, 11, 1))
    assert not photos.problems
    assert not families.problems
    assert [(photo.key, photo.path, photo.taken_at) for photo in photos.photos] == [
        (photo.photo, photo.path, photo.taken_at) for photo in album.photos
    ]
    assert [child.name for _, child in families.children] == [person.child for person in album.people]


def test_no_two_photos_are_the_same_picture(album: DemoAlbum) -> None:
    assert len({photo.path.read_bytes() for photo in album.photos}) == len(album.photos)


def test_every_face_is_inside_its_upright_photo_and_large_enough(album: DemoAlbum) -> None:
    for photo in album.photos:
        with Image.open(photo.path) as image:
            width, height = ImageOps.exif_transpose(image).size
        assert max(width, height) <= 1100
        for face in photo.faces:
            assert -4 <= face.box.x1 < face.box.x2 <= width + 4, photo.photo
            assert -4 <= face.box.y1 < face.box.y2 <= height + 4, photo.photo
            assert face.box.height >= 70, photo.photo


def test_every_person_has_several_photos_in_each_month_from_their_first_on(album: DemoAlbum) -> None:
    months: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for photo in album.photos:
        for face in photo.faces:
            months[face.person][photo.taken_at.month] += 1
    assert set(months) == {person.person for person in album.people}
    assert set(months["biden"]) == {8, 9, 10}, "somebody new comes in the second month"
    assert all(count >= 2 for counts in months.values() for count in counts.values())
    assert all(set(counts) == {7, 8, 9, 10} for person, counts in months.items() if person != "biden")


def test_the_album_holds_the_hard_cases(album: DemoAlbum) -> None:
    sizes = {len(photo.faces) for photo in album.photos}
    assert sizes == {0, 1, 2, 3, 4}
    assert [photo.path.suffix for photo in album.photos].count(".png") == 1
    turned = [photo for photo in album.photos if exif_of(photo.path).get(0x0112, 1) != 1]
    assert len(turned) == 1


def test_a_person_has_the_portraits_age_on_every_photo(album: DemoAlbum) -> None:
    born = {person.person: person.birth_date for person in album.people}
    ages = defaultdict(list)
    for portrait in load_portraits():
        ages[portrait.person].append(portrait.age)
    for photo in album.photos:
        for face in photo.faces:
            age = (photo.taken_at.astimezone(UTC).date() - born[face.person]).days / 365.25
            assert min(ages[face.person]) <= age < max(ages[face.person]) + 1


def test_photos_carry_their_date_themselves(album: DemoAlbum) -> None:
    for photo in album.photos:
        if photo.path.suffix == ".jpg":
            exif = exif_of(photo.path).get_ifd(0x8769)
            assert exif[0x9003] == f"{photo.taken_at:%Y:%m:%d %H:%M:%S}"


def test_the_columns_are_those_of_the_contract(album: DemoAlbum) -> None:
    for path, columns in (
        (album.photos_csv, ["family", "photo", "path", "taken_at"]),
        (album.families_csv, ["family", "child", "birth_date", "gender"]),
    ):
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == columns


@pytest.mark.parametrize("seed", range(12))
def test_a_look_keeps_the_whole_face_in_the_picture(seed: int) -> None:
    for portrait in load_portraits():
        look = draw_look(np.random.default_rng(seed))
        picture, box = show(load_pixels(portrait.key), portrait.face, look, height=300)
        height, width, _ = picture.shape
        assert height == 300
        slack = 0.05 * box.height  # the box of a tilted box is larger than the tilted face
        assert box.x1 > -slack, (portrait.key, seed)
        assert box.y1 > -slack, (portrait.key, seed)
        assert box.x2 < width + slack, (portrait.key, seed)
        assert box.y2 < height + slack, (portrait.key, seed)
