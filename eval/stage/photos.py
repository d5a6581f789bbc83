"""Any number of different photos of a few families, made of the demo's portraits, and files that are no photos.

The same seed gives the same files.  They show how work flows and measure nothing of what is found in them.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from facealbum.demo.looks import draw_look, show
from facealbum.demo.portraits import Portrait, load_pixels, load_portraits

_HEIGHT = 480
_SHARE_OF_TWO = 0.3  # of the photos show two people
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Shot:
    """One file of one family."""

    family: str
    photo: str
    path: Path
    taken_at: datetime


def family_names(count: int) -> list[str]:
    """So many families."""
    return [f"family-{number:03d}" for number in range(count)]


def make_photos(folder: Path, families: Sequence[str], count: int, *, month: datetime, seed: int) -> list[Shot]:
    """`count` photos of this month, dealt to the families in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    portraits = load_portraits()
    shots = []
    for number in range(count):
        draw = np.random.default_rng([seed, number])
        shown = draw.choice(len(portraits), 1 + int(draw.random() < _SHARE_OF_TWO), replace=False)
        shot = _shot(folder, families[number % len(families)], number, month)
        picture = np.hstack([_look(portraits[one], draw) for one in shown])
        cv2.imwrite(str(shot.path), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        shots.append(shot)
    return shots


def make_hostile_files(folder: Path, families: Sequence[str], count: int, *, month: datetime, seed: int) -> list[Shot]:
    """Files that are no photos: empty, cut short, and noise behind a JPEG's first bytes."""
    whole = make_photos(folder / "whole", families, count, month=month, seed=seed)
    shots = []
    for number, photo in enumerate(whole):
        shot = _shot(folder, photo.family, 100_000 + number, month)
        content = photo.path.read_bytes()
        noise = np.random.default_rng([seed, number]).bytes(2000)
        shot.path.write_bytes((b"", content[: len(content) // 3], content[:20] + noise)[number % 3])
        shots.append(shot)
    return shots


def write_photos_csv(path: Path, shots: Sequence[Shot]) -> Path:
    """The manifest with which these are imported."""
    rows = [(one.family, one.photo, str(one.path), f"{one.taken_at:%Y-%m-%dT%H:%M:%SZ}") for one in shots]
    return _write(path, ("family", "photo", "path", "taken_at"), rows)


def write_families_csv(path: Path, families: Sequence[str]) -> Path:
    """The manifest of the families; the people of the portraits are the children of each."""
    people = {portrait.person: portrait for portrait in load_portraits()}
    rows = [
        (family, one.name, f"{2026 - one.age}-06-15", str(one.gender)) for family in families for one in people.values()
    ]
    return _write(path, ("family", "child", "birth_date", "gender"), rows)


def bursts(shots: Sequence[Shot], size: int) -> Iterator[Sequence[Shot]]:
    """The shots in portions, as families upload them."""
    for start in range(0, len(shots), size):
        yield shots[start : start + size]


def _shot(folder: Path, family: str, number: int, month: datetime) -> Shot:
    taken = month.replace(tzinfo=UTC) + timedelta(minutes=13 * (number % 3000))
    return Shot(family, f"{month:%Y%m}-{number:06d}", folder / f"{month:%Y%m}-{number:06d}.jpg", taken)


def _look(portrait: Portrait, draw: np.random.Generator) -> np.ndarray:
    return show(load_pixels(portrait.key), portrait.face, draw_look(draw), height=_HEIGHT)[0]


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path
