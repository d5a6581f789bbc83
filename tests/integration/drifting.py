"""Families whose faces, taken together, look as they are told to: rows as analysis writes them, without pictures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from sqlalchemy import Table, insert

from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from facealbum.domain.ids import FamilyId, PhotoId, face_id, photo_id
from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.storage.analyses import ensure_analyzer
from facealbum.storage.families import save_family
from facealbum.storage.schema import face_embeddings, faces, photos

Look = Callable[[Face, str], Face]
"""What becomes of a face in a photo of this camera."""
CAMERAS = ("Apple iPhone 15", "Canon EOS R6", "Google Pixel 9")


@dataclass(frozen=True, slots=True)
class Found:
    """One face as it was written, and where."""

    family: FamilyId
    camera: str
    face: Face


def add_month(
    context: Context, month: Month, *, families: int = 48, a_family: int = 11, look: Look = lambda face, _: face
) -> list[Found]:
    """As many photos in each family, of one or two faces; each tenth shows nobody.

    A family has ages of its own, so its faces are alike.
    """
    models, found = default_models(), []
    written: dict[Table, list[dict[str, object]]] = {photos: [], faces: [], face_embeddings: []}
    with context.database.begin() as transaction:
        analyzer = ensure_analyzer(transaction, models.versions, models.space)
        for number in range(families):
            family = save_family(transaction, f"Family {number}", now=context.clock()).family_id
            draw = np.random.default_rng([number, month.year, month.month])
            for shot in range(a_family):
                camera = CAMERAS[(number + shot) % len(CAMERAS)]
                key = {"family_id": family, "photo_id": photo_id(family, f"{month} {shot}"), "taken_at": month.start()}
                written[photos].append(_photo(key, camera) | {"analyzer_id": analyzer.analyzer_id})
                for place in range(0 if shot == 9 else 1 + shot % 2):
                    face = look(_face(draw, number), camera)
                    found.append(Found(family, camera, face))
                    identity = {"face_id": face_id(PhotoId(key["photo_id"]), analyzer.detector, place)}
                    written[faces].append(
                        key | identity | _row(face) | {"number": place, "analyzer_id": analyzer.analyzer_id}
                    )
                    vector = {"space_id": analyzer.space_id, "embedding": face.embedding.astype(np.float16)}
                    written[face_embeddings].append({"family_id": family} | identity | vector)
        for table, rows in written.items():
            transaction.execute(insert(table), rows)
    return found


def older(camera: str, years: float) -> Look:
    """Faces of this camera look so much older."""
    return lambda face, by: replace(face, age=face.age + years) if by == camera else face


def _face(draw: np.random.Generator, number: int) -> Face:
    left, top, side = draw.uniform(0, 1000), draw.uniform(0, 1000), draw.lognormal(4.6, 0.5)
    vector = draw.normal(size=EMBEDDING_SIZE)
    return Face(
        box=Box(left, top, left + side, top + 1.2 * side),
        landmarks=np.zeros((5, 2), np.float32),
        yaw=draw.normal(0, 20),
        pitch=draw.normal(0, 12),
        roll=0,
        age=draw.lognormal(1.5 + number % 5 / 5, 0.6),
        p_female=draw.uniform(),
        quality=draw.beta(5, 2),
        score=0.9,
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
        embedding_norm=draw.lognormal(2.3, 0.2),
    )


def _photo(key: dict[str, object], camera: str) -> dict[str, object]:
    identity = key["photo_id"]
    assert isinstance(identity, UUID)
    return {
        **key,
        "key": str(identity),
        "sha256": identity.bytes * 2,
        "format": "jpeg",
        "width": 4000,
        "height": 3000,
        "camera": camera,
        "taken_at_source": "exif",
        "status": "analysed",
        "created_at": key["taken_at"],
        "analysed_at": key["taken_at"],
    }


def _row(face: Face) -> dict[str, object]:
    names = ("yaw", "pitch", "roll", "age", "p_female", "quality", "score", "embedding_norm")
    box = [face.box.x1, face.box.y1, face.box.x2, face.box.y2]
    return {name: getattr(face, name) for name in names} | {"box": box, "landmarks": face.landmarks.ravel().tolist()}
