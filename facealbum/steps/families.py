"""Looking at families, and deleting one with all that is known of it."""

from dataclasses import dataclass

from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.people import Child
from facealbum.errors import UnknownFamilyError
from facealbum.steps.context import Context
from facealbum.storage.families import delete_family, load_children, load_families, load_family
from facealbum.storage.photos import count_photos, family_prefix
from facealbum.storage.runs import lock_family


@dataclass(frozen=True, slots=True)
class FamilyOverview:
    """A family, its children, and its photos by status."""

    family_id: FamilyId
    name: str
    children: tuple[Child, ...]
    photos: dict[str, int]


def list_families(context: Context, name: str | None = None) -> list[FamilyOverview]:
    """Every family, or the one of this name; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return [
            FamilyOverview(
                family.family_id,
                family.name,
                tuple(load_children(transaction, family.family_id)),
                count_photos(transaction, family.family_id),
            )
            for family in load_families(transaction, name)
        ]


def family_name(context: Context, family: FamilyId) -> str:
    """The name of the family with this id; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return load_family(transaction, family).name


def forget_family(context: Context, name: str) -> int:
    """Delete every object and every row of the family; tells how many objects there were.

    Objects go first: cut short, the family is still listed and the same call finishes the work.  Raises
    UnknownFamilyError if there is neither a row nor an object.
    """
    family = family_id(name)
    objects = context.objects.delete_prefix(family_prefix(family))
    with context.database.begin() as transaction:
        lock_family(transaction, family)
        known = delete_family(transaction, family)
    if not (known or objects):
        raise UnknownFamilyError(f"no family is called {name!r}; nothing was deleted")
    return objects
