"""Persons of the arm that the family is shown, and their faces."""

from datetime import datetime
from http import HTTPStatus
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.steps import browse
from facealbum.web.api.bodies import Face
from facealbum.web.api.faces import page_of_faces
from facealbum.web.api.links import Links, Pictures
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(
    prefix="/v1/families/{family_id}/persons",
    tags=["persons"],
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
)
_KEYS = Keys(tuple[int, UUID])


class Person(BaseModel):
    """A person; name: as a user gave it.  first and last: when its faces were taken.  crop: a good one of them.

    probability: how sure it is that the person is the child.  provisional: faces that no monthly run has looked at yet.
    merged_into: the person that it is now; it then has no faces of its own.
    """

    person_id: UUID
    name: str | None = Field(examples=["Grandpa"])
    hidden: bool
    child_id: UUID | None
    child: str | None = Field(examples=["Hana"])
    probability: float | None = Field(examples=[0.98])
    faces: int = Field(examples=[16])
    provisional: int = Field(examples=[1])
    first: datetime | None
    last: datetime | None
    crop: str | None
    merged_into: UUID | None

    @classmethod
    def of(cls, person: browse.Person, pictures: Links) -> Self:
        """As the album shows it."""
        told = {name: getattr(person.shown, name) for name in cls.model_fields if hasattr(person.shown, name)}
        crop = pictures.crop(person.picture) if person.picture else None
        return cls(**told, first=person.first, last=person.last, crop=crop, merged_into=person.merged_into)


@router.get("", summary="Persons")
def listed(family_id: UUID, world: World, wanted: Paging, pictures: Pictures) -> Page[Person]:
    """Everybody who has faces, those with most first; hidden persons, too."""
    keys = _KEYS.read(wanted)
    after = (keys[0], PersonId(keys[1])) if keys else None
    found = browse.list_persons(world, FamilyId(family_id), limit=wanted.limit + 1, after=after)
    shown, then = _KEYS.page(found, wanted, lambda one: (one.shown.faces, one.shown.person_id))
    return Page(items=[Person.of(one, pictures) for one in shown], next=then)


@router.get("/{person_id}", summary="A person")
def read(family_id: UUID, person_id: UUID, world: World, pictures: Pictures) -> Person:
    """The person, whether or not it has faces."""
    return Person.of(browse.read_person(world, FamilyId(family_id), PersonId(person_id)), pictures)


@router.get("/{person_id}/faces", summary="A person's faces")
def faces(family_id: UUID, person_id: UUID, world: World, wanted: Paging, pictures: Pictures) -> Page[Face]:
    """Newest first."""
    return page_of_faces(world, family_id, person_id, wanted, pictures)
