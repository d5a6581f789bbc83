"""Families, and the children that they registered."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Self, TypeVar
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from facealbum.domain import people
from facealbum.domain.access import Right
from facealbum.domain.ids import ChildId, FamilyId
from facealbum.domain.people import Gender
from facealbum.steps.children import add_child, change_child, list_children, read_child, remove_child
from facealbum.steps.families import (
    FamilyOverview,
    forget_family_of,
    page_families,
    read_family,
    register_family,
    rename_family,
)
from facealbum.web.api.bodies import Day
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.validators import IfMatch, etag_of, expect_match
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families", tags=["families"], responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY))
_KEYS = Keys(tuple[UUID])
_CHILDREN = Keys(tuple[date, UUID])
_Body = TypeVar("_Body", bound=BaseModel)
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewFamily(BaseModel):
    """A family to register; the same name is the same family, by whatever name it is shown since."""

    name: _Name = Field(examples=["Mori"])


class FamilyChanges(BaseModel):
    """What to correct."""

    name: _Name = Field(examples=["Mori and Sato"])


class ListedFamily(BaseModel):
    """A family in a list."""

    family_id: UUID
    name: str = Field(examples=["Mori"])


class Child(BaseModel):
    """A registered child, as the family says."""

    child_id: UUID
    name: str = Field(examples=["Hana"])
    birth_date: date = Field(examples=["2019-04-02"])
    gender: Gender = Field(examples=["female"])

    @classmethod
    def of(cls, child: people.Child) -> Self:
        """As the album knows it."""
        return cls(child_id=child.child_id, name=child.name, birth_date=child.birth_date, gender=child.gender)


class Family(ListedFamily):
    """A family with its children, oldest first, and its photos and videos by status."""

    children: list[Child]
    photos: dict[str, int] = Field(examples=[{"analysed": 120, "pending": 3}])

    @classmethod
    def of(cls, family: FamilyOverview) -> Self:
        """As the album knows it."""
        children = [Child.of(child) for child in family.children]
        return cls(family_id=family.family_id, name=family.name, children=children, photos=family.photos)


class NewChild(BaseModel):
    """A child to register."""

    name: _Name = Field(examples=["Hana"])
    birth_date: Day = Field(examples=["2019-04-02"])
    gender: Gender = Field(default=Gender.UNKNOWN, examples=["female"])


class ChildChanges(BaseModel):
    """What to correct; what is left out stays."""

    name: _Name | None = Field(default=None, examples=["Hana"])
    birth_date: Day | None = Field(default=None, examples=["2019-04-12"])
    gender: Gender | None = Field(default=None, examples=["female"])


@router.get("", summary="Families")
def listed(world: World, wanted: Paging, known: Annotated[Known, requires(None)]) -> Page[ListedFamily]:
    """Every family by id; a token of one family is told that one alone."""
    own, keys = known.caller.family, _KEYS.read(wanted)
    if own:
        family = read_family(world, own)
        return Page(items=[ListedFamily(family_id=own, name=family.name)], next=None)
    found = page_families(world, limit=wanted.limit + 1, after=FamilyId(keys[0]) if keys else None)
    shown, after = _KEYS.page(found, wanted, lambda one: (one.family_id,))
    return Page(items=[ListedFamily(family_id=one.family_id, name=one.name) for one in shown], next=after)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    dependencies=[requires(Right.BRING)],
    responses={HTTPStatus.OK: {"model": ListedFamily, "description": "It was registered before"}},
    summary="Register a family",
)
def register(new: NewFamily, world: World, response: Response) -> ListedFamily:
    """201 if it is new, 200 if the family was registered before."""
    family, is_new = register_family(world, new.name)
    response.headers["Location"] = f"/v1/families/{family.family_id}"
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return ListedFamily(family_id=family.family_id, name=family.name)


@router.get("/{family_id}", dependencies=[requires(Right.SEE_FACES)], summary="A family")
def read(family_id: UUID, world: World, response: Response) -> Family:
    """Its children, and how far its photos are."""
    return _tagged(response, Family.of(read_family(world, FamilyId(family_id))))


@router.patch(
    "/{family_id}",
    dependencies=[requires(Right.BRING)],
    responses=responses(HTTPStatus.PRECONDITION_FAILED),
    summary="Correct a family",
)
def change_family(
    family_id: UUID, changes: FamilyChanges, world: World, response: Response, if_match: IfMatch = None
) -> Family:
    """Its id stays, and in files it goes on being called as it was registered; children are corrected one by one."""
    family = rename_family(
        world, FamilyId(family_id), changes.name, check=lambda found: expect_match(if_match, Family.of(found))
    )
    return _tagged(response, Family.of(family))


@router.delete(
    "/{family_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(Right.MANAGE)],
    summary="Delete a family for ever",
)
def delete(family_id: UUID, world: World) -> None:
    """With every photo, face and person of it, stored files included; nothing brings it back."""
    forget_family_of(world, FamilyId(family_id))


@router.get("/{family_id}/children", dependencies=[requires(Right.SEE_FACES)], summary="Children")
def children(family_id: UUID, world: World, wanted: Paging) -> Page[Child]:
    """Oldest first."""
    found = list_children(world, FamilyId(family_id))
    shown, after = _CHILDREN.part(found, wanted, lambda one: (one.birth_date, one.child_id))
    return Page(items=[Child.of(child) for child in shown], next=after)


@router.get("/{family_id}/children/{child_id}", dependencies=[requires(Right.SEE_FACES)], summary="A child")
def child(family_id: UUID, child_id: UUID, world: World, response: Response) -> Child:
    """As the family registered or corrected it."""
    return _tagged(response, Child.of(read_child(world, FamilyId(family_id), ChildId(child_id))))


@router.post(
    "/{family_id}/children",
    status_code=HTTPStatus.CREATED,
    dependencies=[requires(Right.BRING)],
    responses={
        **responses(HTTPStatus.CONFLICT),
        HTTPStatus.OK: {"model": Child, "description": "It was registered before"},
    },
    summary="Register a child",
)
def add(family_id: UUID, new: NewChild, world: World, response: Response) -> Child:
    """201 if it is new, 200 if the very same child was registered before; 409 if another one is called so."""
    child, is_new = add_child(world, FamilyId(family_id), new.name, birth_date=new.birth_date, gender=new.gender)
    response.headers["Location"] = f"/v1/families/{family_id}/children/{child.child_id}"
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return Child.of(child)


@router.patch(
    "/{family_id}/children/{child_id}",
    dependencies=[requires(Right.BRING)],
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED),
    summary="Correct a child",
)
def change(
    family_id: UUID, child_id: UUID, changes: ChildChanges, world: World, response: Response, if_match: IfMatch = None
) -> Child:
    """At once, with links: what runs linked is judged again by another birth date or gender; users' links stay."""
    after = change_child(
        world,
        FamilyId(family_id),
        ChildId(child_id),
        **changes.model_dump(exclude_none=True),
        check=lambda found: expect_match(if_match, Child.of(found)),
    ).child
    return _tagged(response, Child.of(after))


@router.delete(
    "/{family_id}/children/{child_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(Right.BRING)],
    summary="Remove a child",
)
def remove(family_id: UUID, child_id: UUID, world: World) -> None:
    """With every link to it; its persons stay, as persons who are no child."""
    remove_child(world, FamilyId(family_id), ChildId(child_id))


def _tagged(response: Response, body: _Body) -> _Body:
    response.headers["ETag"] = etag_of(body)
    return body
