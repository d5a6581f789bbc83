"""People who log in, and their roles."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right, Role
from facealbum.steps import users as steps
from facealbum.steps.context import Context
from facealbum.storage.users import User as Stored
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Name, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/users", tags=["access"])
_BY_NAME = Keys(tuple[str])
Admin = Annotated[Known, requires(Right.MANAGE)]
Password = Annotated[str, Field(min_length=steps.SHORTEST, max_length=steps.LONGEST)]


class User(BaseModel):
    """Somebody who logs in; has_password: or by the provider alone."""

    name: str = Field(examples=["ann"])
    role: Role
    has_password: bool
    created_at: AwareDatetime

    @classmethod
    def of(cls, one: Stored) -> "User":
        """As it is kept, without the password."""
        has_password = one.password is not None
        return cls(name=one.name, role=one.role, has_password=has_password, created_at=one.created_at)


class NewUser(BaseModel):
    """Somebody who is to log in; without a password by the provider alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "ann@example.org", "role": "reviewer"}]})

    name: Text
    role: Role
    password: Password | None = None


class ChangedUser(BaseModel):
    """What is to be another."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator"}]})

    role: Role | None = None
    password: Password | None = None


class Ended(BaseModel):
    """How many sessions were ended."""

    sessions: int = Field(examples=[2])


@router.get("", dependencies=[requires(Right.MANAGE)], responses=responses(), summary="Users")
def list_users(world: World, wanted: Paging) -> Page[User]:
    """List all users by name."""
    rows, following = _BY_NAME.part(steps.list_users(world), wanted, lambda one: (one.name,))
    return Page(items=[User.of(one) for one in rows], next=following)


@router.post("", status_code=HTTPStatus.CREATED, responses=responses(HTTPStatus.CONFLICT), summary="Add a user")
def add_user(new: NewUser, world: World, known: Admin) -> User:
    """Add a user."""
    return User.of(steps.add_user(world, new.name, new.role, password=new.password, author=known.caller.name))


@router.patch("/{name}", responses=responses(HTTPStatus.CONFLICT), summary="Change a role or password")
def change_user(name: Name, changed: ChangedUser, world: World, known: Admin) -> User:
    """Give a user another role, which counts at once, or another password, which ends all sessions."""
    if changed.role is not None:
        steps.set_role(world, name, changed.role, author=known.caller.name)
    if changed.password is not None:
        steps.set_password(world, name, changed.password, author=known.caller.name)
    return _user(world, name)


@router.delete(
    "/{name}", status_code=HTTPStatus.NO_CONTENT, responses=responses(HTTPStatus.CONFLICT), summary="Remove a user"
)
def remove_user(name: Name, world: World, known: Admin) -> None:
    """Take a user away, with all sessions; what the user did stays on record.  The last admin stays."""
    steps.remove_user(world, name, author=known.caller.name)


@router.delete("/{name}/sessions", responses=responses(), summary="End a user's sessions")
def end_sessions(name: Name, world: World, known: Admin) -> Ended:
    """Have a user log in again everywhere."""
    return Ended(sessions=steps.end_sessions(world, name, author=known.caller.name))


def _user(world: Context, name: str) -> User:
    return User.of(steps.find_user(world, name))
