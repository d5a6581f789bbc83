"""The albums of each family: one a child, the children together, the whole family, and one a person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from uuid import UUID

from facealbum.clustering.circle import find_circle
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.errors import UnknownAlbumError
from facealbum.steps.context import Context
from facealbum.storage.albums import (
    Album,
    AlbumKind,
    AlbumPhoto,
    Contents,
    load_album_photos,
    load_company,
    load_shared_albums,
    load_single_albums,
)
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families, open_family
from facealbum.storage.serving import load_served_arm

_SHARED = {AlbumKind.CHILDREN: "children together", AlbumKind.FAMILY: "whole family"}


@dataclass(frozen=True, slots=True)
class TitledAlbum:
    """An album as people call it; titles are unique in a family, also on systems that ignore case."""

    title: str
    album: Album


@dataclass(frozen=True, slots=True)
class AlbumOverview:
    """One album as it is listed; provisional: photos that no monthly run has looked at yet."""

    family: str
    title: str
    kind: AlbumKind
    photos: int
    provisional: int
    first: date
    last: date


def list_albums(context: Context, family: str | None = None) -> list[AlbumOverview]:
    """Every album of one family or of all; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return [
            AlbumOverview(
                one.name,
                titled.title,
                titled.album.kind,
                titled.album.photos,
                titled.album.provisional,
                titled.album.first.date(),
                titled.album.last.date(),
            )
            for one in load_families(transaction, family)
            for titled in find_albums(transaction, one.family_id)
        ]


def find_albums(transaction: Transaction, family: FamilyId) -> list[TitledAlbum]:
    """The family's albums, children first; one that has no photo is not there."""
    arm = load_served_arm(transaction, family)
    single = load_single_albums(transaction, family, arm)
    beside, weeks = load_company(transaction, family, arm)
    shared = load_shared_albums(transaction, family, arm, circle=find_circle(beside, weeks))
    own = [album for album in single if album.kind is AlbumKind.CHILD]
    others = [album for album in single if album.kind is AlbumKind.PERSON]
    return list(_titled([*own, *shared, *others]))


def list_family_albums(context: Context, family: FamilyId) -> list[TitledAlbum]:
    """The same for callers without a transaction; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        return find_albums(transaction, family)


def list_album_photos(
    context: Context, family: FamilyId, key: str, *, limit: int, after: tuple[datetime, PhotoId] | None = None
) -> list[AlbumPhoto]:
    """Photos of the album with this key, oldest first, behind this place.

    Raises UnknownFamilyError and UnknownAlbumError.
    """
    with context.database.begin() as transaction:
        open_family(transaction, family)
        arm = load_served_arm(transaction, family)
        named = _named(transaction, family, arm, key)
        found = load_album_photos(transaction, family, arm, named, limit=limit, after=after) if named else []
        if not found and after is None:
            raise UnknownAlbumError(f"the family has no album {key!r}; one without a photo is none")
        return found


def _named(transaction: Transaction, family: FamilyId, arm: str, key: str) -> Contents | None:
    """Of which kind the album of this key is, and of whom; a person's may as well be a child's."""
    if key == AlbumKind.CHILDREN:
        return AlbumKind.CHILDREN, ()
    if key == AlbumKind.FAMILY:
        beside, weeks = load_company(transaction, family, arm)
        return AlbumKind.FAMILY, tuple(find_circle(beside, weeks))
    try:
        return AlbumKind.PERSON, (UUID(key),)
    except ValueError:
        return None


def unique_title(wanted: str, taken: set[str]) -> str:
    """The title, with a number if it is taken already; it is taken from now on."""
    title, number = wanted, 1
    while title.casefold() in taken:
        number += 1
        title = f"{wanted} {number}"
    taken.add(title.casefold())
    return title


def _titled(albums: Sequence[Album]) -> Iterator[TitledAlbum]:
    """A person without a name is numbered by size."""
    taken: set[str] = set()
    numbers = count(1)
    for album in albums:
        title = album.name or _SHARED.get(album.kind) or f"person {next(numbers)}"
        yield TitledAlbum(unique_title(title, taken), album)
