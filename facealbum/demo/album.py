"""Builds the demo album: photos, photos.csv, families.csv, and the truth about who is where.

One family, "demo", of four adults who never were one: the bundled portraits stand in for children, whose pictures we
would not publish.  Their photos are dated July to October 2026, and each registered birth date is moved so that the
person has on these dates the age that the portraits show; the birth dates are therefore not the people's own.
The same versions of OpenCV and Pillow write the same bytes every time.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facealbum.demo.looks import draw_look, show
from facealbum.demo.portraits import Portrait, load_pixels, load_portraits
from facealbum.domain.faces import Box
from facealbum.domain.people import Gender

FAMILY = "demo"

# Each word is one photo: one portrait, or several side by side.  "" is a landscape without anybody.
_SCHEDULE = {
    7: "obama-2012|collins-1998|hopper-1984|obama-2009|collins-1998+obama-2010|hopper-1984|"
    "obama-2012+hopper-1984|collins-1998|collins-1998+hopper-1984+obama-2009",
    8: "biden-2010|obama-2010|collins-1998|biden-2010+obama-2012|hopper-1984||biden-2010|"
    "collins-1998+hopper-1984|obama-2009|biden-2010+collins-1998+obama-2012+hopper-1984",
    9: "hopper-1984|obama-2012|biden-2010|collins-1998|collins-1998+biden-2010|obama-2010|"
    "hopper-1984+biden-2010+obama-2009|collins-1998|hopper-1984",
    10: "collins-1998|biden-2010|obama-2009|hopper-1984|obama-2012+collins-1998|biden-2010|"
    "hopper-1984+biden-2010|obama-2010|obama-2012+biden-2010+collins-1998+hopper-1984",
}
_SIDEWAYS = "P0013"  # its pixels lie on the side, as a phone's do; EXIF orientation says so
_PNG = "P0021"
_SEED = 20261031
_BACKGROUND = (214, 208, 198)
_GAP = 24


@dataclass(frozen=True, slots=True)
class DemoFace:
    """Who is where, in pixels of the upright photo; the box is the portrait's, moved, so it is a little generous."""

    person: str
    box: Box


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """One photo and its truth, the faces from left to right."""

    photo: str
    path: Path
    taken_at: datetime
    faces: tuple[DemoFace, ...]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One registered member of the family; `person` is the word that DemoFace uses."""

    person: str
    child: str
    birth_date: date
    gender: Gender


@dataclass(frozen=True, slots=True)
class DemoAlbum:
    """The files that were written and the truth about them."""

    photos_csv: Path
    families_csv: Path
    photos: tuple[DemoPhoto, ...]
    people: tuple[DemoPerson, ...]


def build_demo_album(directory: Path) -> DemoAlbum:
    """Write the demo album into `directory`, which is made if needed; files of the same names are replaced."""
    (directory / "photos").mkdir(parents=True, exist_ok=True)
    portraits = {portrait.key: portrait for portrait in load_portraits()}
    pixels = {key: load_pixels(key) for key in portraits}
    photos = []
    for number, (taken_at, keys) in enumerate(_schedule(), start=1):
        chance = np.random.default_rng([_SEED, number])
        image, faces = _compose([(portraits[key], pixels[key]) for key in keys], chance)
        name = f"P{number:04d}"
        path = directory / "photos" / (f"{name}.png" if name == _PNG else f"{name}.jpg")
        _save(image, path, taken_at=taken_at, sideways=name == _SIDEWAYS, quality=int(chance.integers(78, 94)))
        photos.append(DemoPhoto(name, path, taken_at, faces))
    people = _people(portraits.values())
    return DemoAlbum(
        _write_photos(directory / "photos.csv", photos),
        _write_families(directory / "families.csv", people),
        tuple(photos),
        people,
    )


def _schedule() -> Iterable[tuple[datetime, list[str]]]:
    for month, photos in _SCHEDULE.items():
        for place, keys in enumerate(photos.split("|")):
            yield (
                datetime(2026, month, 2 + 3 * place, 9 + place, 15, tzinfo=UTC),
                [key for key in keys.split("+") if key],
            )


def _compose(
    members: list[tuple[Portrait, NDArray[np.uint8]]], chance: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[DemoFace, ...]]:
    """The members side by side on a plain background, or a landscape if there is none."""
    if not members:
        return _landscape(), ()
    height = 560 if len(members) == 1 else min(420, 1000 // len(members))
    shown = [show(pixels, portrait.face, draw_look(chance), height=height) for portrait, pixels in members]
    if len(members) == 1:
        return shown[0][0], (DemoFace(members[0][0].person, shown[0][1]),)
    width = sum(tile.shape[1] + _GAP for tile, _ in shown) + _GAP
    canvas = np.full((height + 2 * _GAP, width, 3), _BACKGROUND, np.uint8)
    faces, left = [], _GAP
    for (portrait, _), (tile, box) in zip(members, shown, strict=True):
        canvas[_GAP : _GAP + height, left : left + tile.shape[1]] = tile
        faces.append(DemoFace(portrait.person, Box(box.x1 + left, box.y1 + _GAP, box.x2 + left, box.y2 + _GAP)))
        left += tile.shape[1] + _GAP
    return canvas, tuple(faces)


def _landscape() -> NDArray[np.uint8]:
    """Sky, sun and two hills, uint8[480, 720, 3]."""
    fade = np.linspace(0, 1, 480)[:, None, None]
    sky = (1 - fade) * (96, 150, 214) + fade * (236, 214, 190)
    picture = np.ascontiguousarray(np.broadcast_to(sky, (480, 720, 3)).astype(np.uint8))
    cv2.circle(picture, (540, 150), 46, (252, 236, 176), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (170, 520), (420, 190), 0, 0, 360, (92, 128, 92), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (590, 540), (400, 170), 0, 0, 360, (70, 104, 78), -1, cv2.LINE_AA)
    return picture


def _save(picture: NDArray[np.uint8], path: Path, *, taken_at: datetime, sideways: bool, quality: int) -> None:
    if path.suffix == ".png":
        Image.fromarray(picture).save(path, optimize=False)
        return
    exif = Image.Exif()
    exif[0x0112] = 6 if sideways else 1  # Orientation: 6 is to be turned a quarter clockwise
    exif[0x8769] = {0x9003: f"{taken_at:%Y:%m:%d %H:%M:%S}", 0x9011: "+00:00"}  # DateTimeOriginal and its offset
    stored = np.rot90(picture) if sideways else picture
    Image.fromarray(np.ascontiguousarray(stored)).save(path, quality=quality, exif=exif)


def _people(portraits: Iterable[Portrait]) -> tuple[DemoPerson, ...]:
    groups: dict[str, list[Portrait]] = {}
    for portrait in portraits:
        groups.setdefault(portrait.person, []).append(portrait)
    return tuple(
        DemoPerson(person, group[0].name, _moved_birth(group), group[0].gender) for person, group in groups.items()
    )


def _moved_birth(portraits: list[Portrait]) -> date:
    """The birth date that gives the portraits' mean age, in full years, from June 2026 on."""
    return date(2026 - round(sum(portrait.age for portrait in portraits) / len(portraits)), 6, 15)


def _write_photos(path: Path, photos: Iterable[DemoPhoto]) -> Path:
    rows = [
        (FAMILY, photo.photo, f"photos/{photo.path.name}", f"{photo.taken_at:%Y-%m-%dT%H:%M:%SZ}") for photo in photos
    ]
    return _write(path, ("family", "photo", "path", "taken_at"), rows)


def _write_families(path: Path, people: Iterable[DemoPerson]) -> Path:
    rows = [(FAMILY, person.child, f"{person.birth_date}", f"{person.gender}") for person in people]
    return _write(path, ("family", "child", "birth_date", "gender"), rows)


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path
