"""The tokens of programs."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right, Role
from facealbum.domain.ids import FamilyId
from facealbum.steps import users as steps
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Name, Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/tokens", tags=["access"])
_BY_NAME = Keys(tuple[str])
Admin = Annotated[Known, requires(Right.MANAGE)]


class Token(Shown):
    """A token, without its secret; family_id: the only family that it is good for."""

    name: str = Field(examples=["shop"])
    role: Role
    family_id: UUID | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None


class MadeToken(Token):
    """The same with its secret, which nobody can tell a second time."""

    secret: str = Field(examples=["fat_…"])


class NewToken(BaseModel):
    """A token that is to be; without a family it is good for all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "shop", "role": "viewer", "days": 90}]})

    name: Text
    role: Role
    family_id: UUID | None = None
    days: int = Field(ge=1, le=steps.LONGEST_DAYS)


@router.get("", dependencies=[requires(Right.MANAGE)], responses=responses(), summary="Tokens")
def list_tokens(world: World, wanted: Paging) -> Page[Token]:
    """List all tokens by name, with those that are good no more."""
    rows, following = _BY_NAME.part(steps.list_tokens(world), wanted, lambda one: (one.name,))
    return Page(items=[Token.model_validate(one) for one in rows], next=following)


@router.post("", status_code=HTTPStatus.CREATED, responses=responses(HTTPStatus.CONFLICT), summary="Create a token")
def create_token(new: NewToken, world: World, known: Admin, response: Response) -> MadeToken:
    """Create a token.  This answer alone has the secret, so it is not kept for an Idempotency-Key."""
    family = FamilyId(new.family_id) if new.family_id else None
    made, secret = steps.create_token(world, new.name, new.role, family=family, days=new.days, author=known.caller.name)
    response.headers["Cache-Control"] = "no-store"
    return MadeToken(**Token.model_validate(made).model_dump(), secret=secret)


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT, responses=responses(), summary="End a token")
def end_token(name: Name, world: World, known: Admin) -> None:
    """Make a token good no more, at once."""
    steps.end_token(world, name, author=known.caller.name)
