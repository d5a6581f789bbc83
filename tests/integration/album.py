"""A family of synthetic people: faces whose embeddings lie around their person's direction, without any picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import delete, insert, select

from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from facealbum.domain.ids import FaceId, FamilyId, PhotoId, child_id, face_id, family_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.domain.photos import AnalysedPhoto
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.steps.makers import open_analyzer
from facealbum.storage.analyses import save_analysis
from facealbum.storage.families import save_child, save_family
from facealbum.storage.photos import NewPhoto, save_photos
from facealbum.storage.schema import links, persons

FAMILY = "Mori"
PEOPLE = 4
_SPREAD = 0.6


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo: when, and which of the people are on it."""

    key: str
    taken_at: datetime
    people: tuple[int, ...]


def shots(*, months: int, a_month: int, seed: int = 7) -> list[Shot]:
    """Photos of one to three of the people, spread over months from January 2026 on."""
    draw = np.random.default_rng(seed)
    found = []
    for month in range(months):
        for number in range(a_month):
            taken = datetime(2026, month + 1, 1, 12, tzinfo=UTC) + timedelta(days=number % 27)
            people = draw.permutation(PEOPLE)[: draw.integers(1, 4)]
            found.append(Shot(f"{month:02d}-{number:03d}", taken, tuple(int(one) for one in people)))
    return found


def add(context: Context, photos: list[Shot], *, family: str = FAMILY) -> dict[FaceId, int]:
    """Register the photos as analysed; tells who each face really is."""
    models = default_models()
    truth: dict[FaceId, int] = {}
    with context.database.begin() as transaction:
        analyzer = open_analyzer(transaction, models, context.settings)
        identity = save_family(transaction, family, now=context.clock()).family_id
        for shot in photos:
            new = _new_photo(identity, shot)
            save_photos(transaction, identity, [new], now=context.clock())
            faces = [draw_face(identity, shot.key, number, person) for number, person in enumerate(shot.people)]
            analysed = AnalysedPhoto(identity, new.photo_id, "JPEG", 800, 600, None, faces)
            save_analysis(transaction, analysed, analyzer, now=context.clock())
            for number, person in enumerate(shot.people):
                truth[face_id(new.photo_id, analyzer.detector, number)] = person
    return truth


def add_linked(context: Context, families: Sequence[str]) -> None:
    """Clustered families; of each a person is linked to a child born in 2020, as nothing but a user could have done."""
    for number, name in enumerate(families):
        add(context, shots(months=1, a_month=20, seed=number), family=name)
    cluster_families(context, Month.parse("2026-01"))
    for number, name in enumerate(families):
        family = family_id(name)
        gender = (Gender.FEMALE, Gender.MALE, Gender.UNKNOWN)[number % 3]
        child = Child(child_id(family, "Hana"), "Hana", date(2020, 1, 1), gender)
        ours = persons.c.family_id == family
        with context.database.begin() as transaction:
            save_child(transaction, family, child, now=context.clock())
            transaction.execute(delete(links).where(links.c.family_id == family))
            person = transaction.execute(select(persons.c.person_id).where(ours)).scalars().first()
            link = {"person_id": person, "child_id": child.child_id, "probability": 1, "evidence": {}}
            transaction.execute(insert(links).values(family_id=family, linked_at=context.clock(), **link))


def _new_photo(family: FamilyId, shot: Shot) -> NewPhoto:
    identity: PhotoId = photo_id(family, shot.key)
    return NewPhoto(identity, shot.key, identity.bytes * 2, 1, shot.taken_at, "manifest")


def draw_face(family: FamilyId, key: str, number: int, person: int) -> Face:
    """The face of one of the people."""
    direction = np.random.default_rng([person, family.int % 2**32]).normal(size=EMBEDDING_SIZE)
    noise = np.random.default_rng([*key.encode(), number]).normal(size=EMBEDDING_SIZE)
    vector = direction + _SPREAD * noise
    left = 40.0 + 200 * number
    return Face(
        box=Box(left, 40, left + 120, 190),
        landmarks=np.array([[30, 60], [90, 60], [60, 90], [40, 120], [80, 120]], np.float32) + np.float32([left, 40]),
        yaw=0,
        pitch=0,
        roll=0,
        age=8.0 * person + 4,
        p_female=0.9 if person % 2 else 0.1,
        quality=0.9,
        score=0.95,
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
    )


FAMILY_ID = family_id(FAMILY)
