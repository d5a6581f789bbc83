"""The registered children of a family: adding, correcting and removing one.

A corrected birth date or gender has every link that a run made judged again at once.  A child that is new is linked by
the next monthly run; links to one that is removed go with it.  A child keeps the id of its first name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from facealbum.domain.ids import ChildId, FamilyId, child_id
from facealbum.domain.people import Child, Gender
from facealbum.domain.sentences import Sentence
from facealbum.errors import InvalidValueError, NameTakenError, UnknownChildError
from facealbum.steps.context import Context
from facealbum.steps.manifests import check_name
from facealbum.storage.database import Transaction
from facealbum.storage.families import delete_child, load_children, load_family, save_child, update_child
from facealbum.storage.runs import lock_family

_PATIENCE_SECONDS = 10  # for a run that decides about the family


@dataclass(frozen=True, slots=True)
class Corrected:
    """A child as it is now; relinked: how many persons got, lost or changed their child by that."""

    child: Child
    relinked: int


def list_children(context: Context, family: FamilyId) -> list[Child]:
    """Oldest first; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        return load_children(transaction, family)


def read_child(context: Context, family: FamilyId, child: ChildId) -> Child:
    """The child of this id; raises UnknownFamilyError and UnknownChildError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        return _load(transaction, family, child)


def add_child(context: Context, family: FamilyId, name: str, *, birth_date: date, gender: Gender) -> tuple[Child, bool]:
    """The child, and whether it is new; the same child is added once.

    Raises UnknownFamilyError, InvalidValueError, NameTakenError if another child of the family is called so, and
    FamilyBusyError.
    """
    child = Child(child_id(family, _checked(name)), _checked(name), _born(context, birth_date), gender)
    with context.database.begin() as transaction:
        load_family(transaction, family)
        lock_family(transaction, family, wait_seconds=_PATIENCE_SECONDS)
        known = load_children(transaction, family)
        if child in known:
            return child, False
        if any(child.child_id == one.child_id or child.name == one.name for one in known):
            raise NameTakenError(
                Sentence("the family has another child of this name; correct that one, or give another name")
            )
        save_child(transaction, family, child, now=context.clock())
    return child, True


def change_child(  # noqa: PLR0913 - all that may be corrected
    context: Context,
    family: FamilyId,
    child: ChildId,
    *,
    name: str | None = None,
    birth_date: date | None = None,
    gender: Gender | None = None,
    check: Callable[[Child], None] | None = None,
) -> Corrected:
    """Correct what is given, and link the family's persons by it; check: raises to refuse, of what is there.

    Raises UnknownFamilyError, UnknownChildError, InvalidValueError and NameTakenError.
    """
    with context.database.begin() as transaction:
        load_family(transaction, family)
        lock_family(transaction, family, wait_seconds=_PATIENCE_SECONDS)
        before = _load(transaction, family, child)
        if check:
            check(before)
        after = Child(
            child,
            before.name if name is None else _checked(name),
            before.birth_date if birth_date is None else _born(context, birth_date),
            gender or before.gender,
        )
        if any(one.name == after.name and one != before for one in load_children(transaction, family)):
            raise NameTakenError(Sentence("the family has another child of this name; give another name"))
        update_child(transaction, family, after)
        return Corrected(after, _relink(context, transaction, family) if _born_otherwise(before, after) else 0)


def register_children(
    context: Context, transaction: Transaction, family: FamilyId, given: Iterable[Child]
) -> tuple[int, int]:
    """Register these children, or correct the birth dates and genders of those that are known by their ids.

    Tells how many are new or changed, and how many persons got, lost or changed their child by that.
    """
    children = list(given)
    known = {child.child_id: child for child in load_children(transaction, family)}
    corrected = any(_born_otherwise(known.get(child.child_id, child), child) for child in children)
    if corrected:
        lock_family(transaction, family)
    changed = sum(save_child(transaction, family, child, now=context.clock()) for child in children)
    return changed, _relink(context, transaction, family) if corrected else 0


def _relink(context: Context, transaction: Transaction, family: FamilyId) -> int:
    from facealbum.steps.relink import relink_family  # noqa: PLC0415 - most imports correct nobody

    return relink_family(context, transaction, family)


def _born_otherwise(one: Child, other: Child) -> bool:
    """Whether links of the two would be judged otherwise."""
    return (one.birth_date, one.gender) != (other.birth_date, other.gender)


def remove_child(context: Context, family: FamilyId, child: ChildId) -> None:
    """Remove the child and every link to it; raises UnknownFamilyError and UnknownChildError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        lock_family(transaction, family, wait_seconds=_PATIENCE_SECONDS)
        _load(transaction, family, child)
        delete_child(transaction, family, child)


def _load(transaction: Transaction, family: FamilyId, child: ChildId) -> Child:
    for one in load_children(transaction, family):
        if one.child_id == child:
            return one
    raise UnknownChildError(f"the family has registered no child of the id {child}")


def _checked(name: str) -> str:
    return check_name(name.strip(), "a child's name")


def _born(context: Context, day: date) -> date:
    today = context.clock().date()
    if day > today:
        raise InvalidValueError(
            Sentence("birth_date must not be in the future, got %(day)s on %(today)s", day=str(day), today=str(today))
        )
    return day
