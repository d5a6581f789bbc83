"""What requests and answers hold."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from facealbum.domain.months import PHOTO_YEARS
from facealbum.steps.uploads import Brought, Promised
from facealbum.storage.shown_faces import ShownFace
from facealbum.storage.uploads import PhotoState
from facealbum.web.api.links import Links
from facealbum.web.problems import Problem


def _aware(moment: datetime) -> datetime:
    """In UTC: the database takes no offset of 16 hours and more."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"must lie in the years 1 to 9999 of UTC, got {moment}") from error


def _likely(moment: datetime) -> datetime:
    if moment.year not in PHOTO_YEARS:
        raise ValueError(f"must be of the years {PHOTO_YEARS.start} to {PHOTO_YEARS.stop - 1}, got {moment}")
    return moment


def _written(when: object) -> object:
    """Refuse seconds since 1970, which pydantic takes and nobody means."""
    if isinstance(when, int | float) or (isinstance(when, str) and _NUMBER.fullmatch(when)):
        raise ValueError(f"must be written as ISO 8601 does, such as 2026-10-31; got the number {when}")
    return when


_NUMBER = re.compile(r"\s*[-+]?[0-9.]+(e[-+]?[0-9]+)?\s*", re.IGNORECASE)
Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_aware)]
"""In UTC, as which one without an offset is taken."""
TakenAt = Annotated[Moment, AfterValidator(_likely)]
"""When a photo can have been taken."""
Day = Annotated[date, BeforeValidator(_written)]


class Reason(BaseModel):
    """Why a photo is not, or not fully, in the album."""

    stage: str = Field(examples=["analysis"])
    code: str = Field(examples=["damaged_image"])


class Photo(BaseModel):
    """How far a photo is: `pending`, `analysed` or `failed`."""

    photo_id: UUID
    status: str = Field(examples=["pending"])
    taken_at: datetime
    problems: list[Reason]

    @classmethod
    def of(cls, state: PhotoState) -> Self:
        """As the album knows it."""
        reasons = [Reason(stage=stage, code=code) for stage, code in state.problems]
        return cls(photo_id=state.photo_id, status=state.status, taken_at=state.taken_at, problems=reasons)


class Box(BaseModel):
    """Left, top, right and bottom in pixels of the upright photo; may pass its border."""

    x1: float = Field(examples=[315.0])
    y1: float = Field(examples=[70.0])
    x2: float = Field(examples=[403.0])
    y2: float = Field(examples=[192.0])


class Face(BaseModel):
    """A face: what analysis says of it, and whose it is.

    yaw, pitch, roll: degrees.  turned: strongly, to a side.  age: in years, as it looks or a user says.  p_female and
    quality: 0 to 1.  age and p_female are null where a user says that the models are wrong.  provisional: until a
    monthly run has looked at it.  excluded: a user says that it is none.  crop: a signed URL of its picture.
    """

    face_id: UUID
    photo_id: UUID
    taken_at: datetime
    box: Box
    yaw: float = Field(examples=[-4.0])
    pitch: float = Field(examples=[2.5])
    roll: float = Field(examples=[1.0])
    turned: bool
    age: float | None = Field(examples=[3.2])
    p_female: float | None = Field(examples=[0.81])
    quality: float = Field(examples=[0.95])
    excluded: bool
    person_id: UUID | None
    provisional: bool
    crop: str

    @classmethod
    def of(cls, face: ShownFace, pictures: Links) -> Self:
        """As the album shows it."""
        x1, y1, x2, y2 = face.box
        told = {name: getattr(face, name) for name in cls.model_fields if hasattr(face, name)}
        return cls(
            **told | {"box": Box(x1=x1, y1=y1, x2=x2, y2=y2)},
            provisional=face.state == "provisional",
            crop=pictures.crop(face.face_id),
        )


class Arrived(BaseModel):
    """What became of a photo that came in: `registered`, `known`, or a `duplicate` of one with another name."""

    result: str = Field(examples=["registered"])
    photo: Photo

    @classmethod
    def of(cls, brought: Brought) -> Self:
        """As a step tells it."""
        return cls(result=brought.fate.value, photo=Photo.of(brought.photo))


class ArrivedFile(BaseModel):
    """The same for one file of several, in their order: `photo` or `problem` is set."""

    result: str = Field(examples=["registered"])
    photo: Photo | None = None
    problem: Problem | None = None


class ArrivedFiles(BaseModel):
    """What became of each file."""

    files: list[ArrivedFile]


class NewUpload(BaseModel):
    """Content that is to come."""

    name: str = Field(examples=["2026/beach.jpg"])
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    )
    bytes: int = Field(ge=1, examples=[4])
    taken_at: TakenAt | None = Field(default=None, examples=["2026-10-31T12:00:00Z"])


class Upload(BaseModel):
    """Where to PUT the content, with which headers and until when; `photo` is set instead if the family has it."""

    upload_id: UUID
    url: str | None = None
    headers: dict[str, str] = {}
    expires_at: datetime | None = None
    photo: Photo | None = None

    @classmethod
    def of(cls, promised: Promised, *, direct: str) -> Self:
        """As a step tells it; `direct` is our own URL."""
        if promised.photo:
            return cls(upload_id=promised.upload_id, photo=Photo.of(promised.photo))
        signed = promised.signed
        return cls(
            upload_id=promised.upload_id,
            url=signed.url if signed else direct,
            headers=dict(signed.headers) if signed else {},
            expires_at=promised.expires_at,
        )
