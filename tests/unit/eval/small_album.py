"""A tiny album of synthetic people, in memory and without any picture."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from eval.albums import Album, AlbumFace
from facealbum.clustering import Observation
from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from facealbum.domain.ids import FaceId, child_id, face_id, family_id, photo_id
from facealbum.domain.people import Child, Gender

PEOPLE = ("Hana", "Ren", "Aunt")
FAMILY = "Mori"
_BORN = {"Hana": date(2020, 1, 1), "Ren": date(2013, 1, 1), "Aunt": date(1985, 1, 1)}


def small_album(*, months: int = 3, a_month: int = 4, spread: float = 0.5) -> tuple[Album, dict[FaceId, str]]:
    """All three people on every photo; and who each face is."""
    draw = np.random.default_rng(1)
    looks = np.linalg.qr(draw.normal(size=(EMBEDDING_SIZE, len(PEOPLE))))[0].T
    faces: list[AlbumFace] = []
    members: dict[FaceId, str] = {}
    for month in range(1, months + 1):
        for number in range(a_month):
            taken_at = datetime(2026, month, 1 + number, tzinfo=UTC)
            key = f"{month}-{number}"
            photo = photo_id(family_id(FAMILY), key)
            for place, name in enumerate(PEOPLE):
                vector = looks[place] + draw.normal(0, spread / np.sqrt(EMBEDDING_SIZE), EMBEDDING_SIZE)
                embedding = (vector / np.linalg.norm(vector)).astype(np.float32)
                box = Box(100.0 * place, 0.0, 100.0 * place + 80, 90.0)
                age = (taken_at.date() - _BORN[name]).days / 365.25
                face = Face(box, np.zeros((5, 2), np.float32), 0, 0, 0, age, 0.9, 0.9, 0.9, embedding)
                identity = face_id(photo, "detector", place)
                seen = Observation(identity, photo, taken_at, 0.9, 0.0, box.height, embedding, age=age)
                faces.append(AlbumFace(FAMILY, key, seen, face))
                members[identity] = f"{FAMILY}/{name}"
    hana = Child(child_id(family_id(FAMILY), "Hana"), "Hana", _BORN["Hana"], Gender.FEMALE)
    return Album(Path(), tuple(faces), {FAMILY: (hana,)}), members
