"""Photos and videos on their way through analysis: what waits, what became of it, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from facealbum.domain.faces import Face
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.videos import Track


@dataclass(frozen=True, slots=True)
class PendingPhoto:
    """A photo that waits for analysis."""

    family_id: FamilyId
    photo_id: PhotoId
    key: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class AnalysedPhoto:
    """One photo's result; `taken_at` and `camera` are what the file itself tells, None if it tells none."""

    family_id: FamilyId
    photo_id: PhotoId
    format: str
    width: int
    height: int
    taken_at: datetime | None
    faces: Sequence[Face]
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class AnalysedVideo:
    """One video's result; all as of a photo, `taken_at` of its first frame."""

    family_id: FamilyId
    photo_id: PhotoId
    format: str
    width: int
    height: int
    taken_at: datetime | None
    tracks: Sequence[Track]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a photo is not, or not fully, in the album."""

    photo_id: PhotoId
    stage: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class NamedProblem:
    """A problem with the names that an operator knows the photo by."""

    family: str
    photo: str
    stage: str
    code: str
    detail: str


def original_key(family: FamilyId, sha256: bytes) -> str:
    """The object that holds the photo's bytes as they were uploaded."""
    return f"{family_prefix(family)}originals/{sha256.hex()}"


def family_prefix(family: FamilyId) -> str:
    """What the keys of all objects of the family start with."""
    return f"families/{family}/"
