"""Families whose photos count as analysed: faces drawn around the directions of a few people, without any picture."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from facealbum.domain.ids import FamilyId, child_id, photo_id
from facealbum.domain.people import Child, Gender
from facealbum.domain.photos import AnalysedPhoto
from facealbum.storage.analyses import ensure_analyzer, save_analysis
from facealbum.storage.database import Database
from facealbum.storage.families import save_child, save_family
from facealbum.storage.photos import NewPhoto, save_photos
from models.registry import load_embedders, load_specs

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_START = datetime(2026, 9, 1, tzinfo=UTC)
_DAYS = 60
_SPREAD = 0.6
_LANDMARKS = np.array([[30, 60], [90, 60], [60, 90], [40, 120], [80, 120]], np.float32)


def draw_families(database: Database, count: int, *, seed: int) -> None:
    """`count` families of two to four people with ten to thirty photos of September and October 2026."""
    space = next(iter(load_embedders()))
    versions = {role: spec.version for role, spec in load_specs().items()}
    with database.begin() as transaction:
        analyzer = ensure_analyzer(transaction, versions, space)
    for number in range(count):
        with database.begin() as transaction:
            family = save_family(transaction, f"drawn-{number:04d}", now=_NOW).family_id
            draw = np.random.default_rng([seed, number])
            people = draw.normal(size=(draw.integers(2, 5), EMBEDDING_SIZE))
            child = Child(child_id(family, "Hana"), "Hana", date(2026 - 4, 6, 1), Gender.FEMALE)
            save_child(transaction, family, child, now=_NOW)
            photos = [_draw_photo(family, f"{photo:03d}", people, draw) for photo in range(draw.integers(10, 31))]
            save_photos(transaction, family, [new for new, _ in photos], now=_NOW)
            for new, faces in photos:
                analysed = AnalysedPhoto(family, new.photo_id, "JPEG", 800, 600, None, faces)
                save_analysis(transaction, analysed, analyzer, now=_NOW)


def _draw_photo(
    family: FamilyId, key: str, people: np.ndarray, draw: np.random.Generator
) -> tuple[NewPhoto, list[Face]]:
    identity = photo_id(family, key)
    taken = _START + timedelta(days=float(draw.uniform(0, _DAYS)))
    shown = draw.permutation(len(people))[: draw.integers(1, 4)]
    faces = [_draw_face(place, int(person), people, draw) for place, person in enumerate(shown)]
    return NewPhoto(identity, key, identity.bytes * 2, 1, taken, "manifest"), faces


def _draw_face(place: int, person: int, people: np.ndarray, draw: np.random.Generator) -> Face:
    vector = people[person] + _SPREAD * draw.normal(size=EMBEDDING_SIZE)
    left = 40.0 + 200 * place
    return Face(
        box=Box(left, 40, left + 120, 190),
        landmarks=_LANDMARKS + np.array([left, 40], np.float32),
        yaw=0,
        pitch=0,
        roll=0,
        age=8.0 * person + 4,
        p_female=0.1 if person % 2 else 0.9,
        quality=0.9,
        score=0.95,
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
    )
