"""Albums, their photos, and the month's best photos."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from facealbum.clustering.highlights import Shot
from facealbum.domain.access import Right
from facealbum.domain.ids import ChildId, FamilyId, PhotoId
from facealbum.domain.months import Month
from facealbum.steps.albums import TitledAlbum, list_album_photos, list_family_albums
from facealbum.steps.highlights import pick_highlights
from facealbum.storage import albums
from facealbum.storage.albums import AlbumKind
from facealbum.web.api.links import Links, Pictures
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(
    prefix="/v1/families/{family_id}",
    tags=["albums"],
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
)
_KINDS = tuple(AlbumKind)
_ALBUMS = Keys(tuple[int, int, str])
_PHOTOS = Keys(tuple[datetime, UUID])


class Album(BaseModel):
    """An album; of: the child, the person, or those who belong to the family circle beside the children.

    provisional: photos that are there only until a monthly run has looked at them.
    """

    album_id: str = Field(description="A child's or person's id, `children` or `family`", examples=["children"])
    kind: AlbumKind
    title: str = Field(examples=["Hana"])
    of: list[UUID]
    photos: int = Field(examples=[120])
    provisional: int = Field(examples=[3])
    first: datetime
    last: datetime

    @classmethod
    def of_titled(cls, titled: TitledAlbum) -> Self:
        """As people call it."""
        album = titled.album
        told = {name: getattr(album, name) for name in ("kind", "photos", "provisional", "first", "last")}
        return cls(album_id=album.key, title=titled.title, of=list(album.of), **told)


class AlbumPhoto(BaseModel):
    """A photo or video of an album; thumbnail: a signed URL."""

    photo_id: UUID
    name: str = Field(examples=["2026/beach.jpg"])
    format: str = Field(examples=["jpeg"])
    taken_at: datetime
    provisional: bool
    thumbnail: str

    @classmethod
    def of(cls, photo: albums.AlbumPhoto, pictures: Links) -> Self:
        """As the album shows it."""
        told = {name: getattr(photo, name) for name in ("photo_id", "format", "taken_at", "provisional")}
        return cls(name=photo.key, thumbnail=pictures.thumbnail(photo.photo_id), **told)


class Highlight(BaseModel):
    """One of the best photos; worth: 0 to 1, by the faces' quality and pose.  shows: children and persons, by id."""

    photo_id: UUID
    taken_at: datetime
    worth: float = Field(examples=[0.87])
    shows: list[UUID]
    thumbnail: str

    @classmethod
    def of(cls, shot: Shot, pictures: Links) -> Self:
        """As it was chosen."""
        return cls(
            photo_id=shot.photo_id,
            taken_at=shot.taken_at,
            worth=shot.worth,
            shows=sorted(shot.company),
            thumbnail=pictures.thumbnail(shot.photo_id),
        )


class Highlights(BaseModel):
    """The best photos, best first; the first ones of a larger choice are the smaller choice."""

    items: list[Highlight]


@router.get("/albums", summary="Albums")
def listed(family_id: UUID, world: World, wanted: Paging) -> Page[Album]:
    """Of each child, of the children together, of the whole family, and of each other person; largest first of a kind.

    An album without a photo is none.
    """
    found = list_family_albums(world, FamilyId(family_id))
    shown, after = _ALBUMS.part(found, wanted, lambda one: _place(one.album))
    return Page(items=[Album.of_titled(one) for one in shown], next=after)


@router.get("/albums/{album_id}/photos", summary="An album's photos")
def photos(family_id: UUID, album_id: str, world: World, wanted: Paging, pictures: Pictures) -> Page[AlbumPhoto]:
    """Photos and videos, oldest first."""
    keys = _PHOTOS.read(wanted)
    after = (keys[0], PhotoId(keys[1])) if keys else None
    found = list_album_photos(world, FamilyId(family_id), album_id, limit=wanted.limit + 1, after=after)
    shown, then = _PHOTOS.page(found, wanted, lambda one: (one.taken_at, one.photo_id))
    return Page(items=[AlbumPhoto.of(one, pictures) for one in shown], next=then)


@router.get("/highlights", summary="The month's best photos")
def highlights(
    family_id: UUID,
    world: World,
    pictures: Pictures,
    month: Annotated[str, Query(description="A month of UTC", examples=["2026-10"])],
    child: Annotated[UUID | None, Query(description="The child that they shall show; else any child")] = None,
    count: Annotated[int, Query(ge=1, le=100, description="How many at most")] = 24,
) -> Highlights:
    """Best first: by the quality and pose of the faces, and so that moments, days and company vary."""
    whom = ChildId(child) if child else None
    chosen = pick_highlights(world, FamilyId(family_id), Month.parse(month), count=count, child=whom)
    return Highlights(items=[Highlight.of(one, pictures) for one in chosen])


def _place(album: albums.Album) -> tuple[int, int, str]:
    return _KINDS.index(album.kind), -album.photos, album.key
