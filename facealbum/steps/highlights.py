"""The month's best photos of a child, or of the family: what photo books and one-second movies are made of."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from math import cos, radians
from uuid import UUID

from facealbum.clustering.highlights import Shot, plan_highlights
from facealbum.domain.ids import ChildId, FamilyId, PhotoId
from facealbum.domain.months import Month
from facealbum.errors import UnknownChildError
from facealbum.steps.context import Context
from facealbum.storage.families import load_children, open_family
from facealbum.storage.highlights import Appearance, load_appearances
from facealbum.storage.serving import load_served_arm


def pick_highlights(
    context: Context, family: FamilyId, month: Month, *, count: int, child: ChildId | None = None
) -> tuple[Shot, ...]:
    """Up to `count` photos, best first; without a child those of all children, or of everybody where none is linked.

    Raises UnknownFamilyError and UnknownChildError.
    """
    with context.database.begin() as transaction:
        open_family(transaction, family)
        if child is not None and all(one.child_id != child for one in load_children(transaction, family)):
            raise UnknownChildError(f"the family has registered no child of the id {child}")
        arm = load_served_arm(transaction, family)
        shown = load_appearances(transaction, family, arm, since=month.start(), before=month.next().start())
    children = {one.who for one in shown if one.is_child}
    return plan_highlights(_shots(shown, {child} if child else children or {one.who for one in shown}), count)


def _shots(shown: Collection[Appearance], subjects: Collection[UUID]) -> list[Shot]:
    """The photos with any of the subjects; each is worth what they are shown like in it, on average."""
    worth: Mapping[PhotoId, dict[UUID, float]] = defaultdict(dict)
    for one in shown:
        worth[one.photo_id][one.who] = max(_worth(one), worth[one.photo_id].get(one.who, 0.0))
    taken = {one.photo_id: one.taken_at for one in shown}
    return [
        Shot(photo, taken[photo], sum(looks) / len(looks), frozenset(everybody))
        for photo, everybody in worth.items()
        if (looks := [everybody[who] for who in everybody.keys() & subjects])
    ]


def _worth(one: Appearance) -> float:
    """The face's quality, and how much of it is turned to the camera: 0 to 1."""
    return one.quality * max(0.0, cos(radians(one.yaw))) * max(0.0, cos(radians(one.pitch)))
