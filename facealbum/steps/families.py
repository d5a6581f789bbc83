"""Looking at families, and deleting one with all that is known of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.people import Child
from facealbum.domain.photos import family_prefix
from facealbum.errors import UnknownFamilyError
from facealbum.steps.context import Context
from facealbum.steps.manifests import check_name
from facealbum.steps.snapshots import leave_snapshots
from facealbum.storage.browse import load_listed_families
from facealbum.storage.database import Transaction
from facealbum.storage.families import (
    Family,
    delete_family,
    load_children,
    load_families,
    load_family,
    save_family,
    update_family,
)
from facealbum.storage.photos import count_photos, count_unimported
from facealbum.storage.pictures import pictures_prefix
from facealbum.storage.runs import lock_family
from facealbum.storage.uploads import is_family


@dataclass(frozen=True, slots=True)
class FamilyOverview:
    """A family, its children, and its photos by status; not_imported: those of the failed ones without a file."""

    family_id: FamilyId
    name: str
    children: tuple[Child, ...]
    photos: dict[str, int]
    not_imported: int


def list_families(context: Context, name: str | None = None) -> list[FamilyOverview]:
    """Every family, or the one of this name or id; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return [_look_at(transaction, family) for family in load_families(transaction, name)]


def family_of(context: Context, name: str) -> FamilyId:
    """The id of the family that was registered under this name or has this id; of none, the id that it would have."""
    try:
        return find_family(context, name)
    except UnknownFamilyError:
        return family_id(name)


def find_family(context: Context, name: str) -> FamilyId:
    """The id of the family that was registered under this name or has this id; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return load_families(transaction, name)[0].family_id


def family_name(context: Context, family: FamilyId) -> str:
    """The name of the family with this id; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return load_family(transaction, family).name


def page_families(context: Context, *, limit: int, after: FamilyId | None = None) -> list[Family]:
    """Families by id, behind this one."""
    with context.database.begin() as transaction:
        return load_listed_families(transaction, limit=limit, after=after)


def read_family(context: Context, family: FamilyId) -> FamilyOverview:
    """The family of this id; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        return _look_at(transaction, load_family(transaction, family))


def rename_family(
    context: Context, family: FamilyId, name: str, *, check: Callable[[FamilyOverview], None] | None = None
) -> FamilyOverview:
    """Show the family under another name; it keeps its id, and in files the name that it was registered under.

    check: raises to refuse, of what is there.  Raises UnknownFamilyError and InvalidValueError.
    """
    shown = check_name(name.strip(), "family")
    with context.database.begin() as transaction:
        before = _look_at(transaction, load_family(transaction, family, lock=True))
        if check:
            check(before)
        update_family(transaction, family, shown)
    return replace(before, name=shown)


def _look_at(transaction: Transaction, family: Family) -> FamilyOverview:
    children = tuple(load_children(transaction, family.family_id))
    counts = count_photos(transaction, family.family_id), count_unimported(transaction, family.family_id)
    return FamilyOverview(family.family_id, family.name, children, *counts)


def register_family(context: Context, name: str) -> tuple[Family, bool]:
    """The family that is registered under this name, and whether it is new; raises InvalidValueError."""
    identity = family_id(check_name(name.strip(), "family"))
    with context.database.begin() as transaction:
        new = not is_family(transaction, identity)
        save_family(transaction, name.strip(), now=context.clock())
        return load_family(transaction, identity), new


def forget_family(context: Context, name: str) -> int:
    """Delete all that is known of the family, also what was made for trainings; tells how many objects there were.

    Objects go first: cut short, the family is still listed and the same call finishes the work.  Raises
    UnknownFamilyError if there is neither a row nor an object.
    """
    return forget_family_of(context, family_of(context, name))


def forget_family_of(context: Context, family: FamilyId) -> int:
    """The same for the family of this id."""
    objects = context.objects.delete_prefix(family_prefix(family))
    with context.database.begin() as transaction:
        lock_family(transaction, family)
        leave_snapshots(context, transaction, family)
        known = delete_family(transaction, family)
        objects += context.objects.delete_prefix(pictures_prefix(family))  # made while the rows were still there
    if not (known or objects):
        raise UnknownFamilyError("there is no such family, neither photos nor anything else; nothing was deleted")
    return objects
