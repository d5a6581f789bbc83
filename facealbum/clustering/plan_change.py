"""What a month's plan did with each face, beside what the plan before had left open: counts, for people to read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from facealbum.clustering.plan import ClusterPlan, LeaveReason, MoveReason, Outcome
from facealbum.domain.ids import FaceId


class Origin(StrEnum):
    """Where a face was before the plan."""

    NEW = "new"
    """In no plan and with nobody."""
    WAITED = "waited"
    """Left without a person by the plan before."""
    PROVISIONAL = "shown"
    """Shown with a person since its analysis."""


class Fate(StrEnum):
    """Where the plan put it; a face that waits has the plan's own reason instead."""

    JOINED = "joined"
    """To a known person."""
    FOUNDED = "founded"
    """To a new person."""


@dataclass(frozen=True, slots=True)
class PlanChange:
    """Faces by where they were and where they went; persons created; persons merged, and provisional matches, by how.

    gone: faces that the plan before left waiting and that this one doesn't know, such as those of a deleted photo.
    """

    faces: Mapping[tuple[Origin, Fate | LeaveReason], int]
    persons_created: int
    moves: Mapping[MoveReason, int]
    settled: Mapping[Outcome, int]
    gone: int


def compare_plans(before: ClusterPlan | None, now: ClusterPlan) -> PlanChange:
    """What `now` did; before: the plan of the run before, None for a first one."""
    waited = {one.face_id for one in before.leave} if before else set()
    shown = {one.face_id for one in now.settled}
    fates = dict(_fates(now))

    def origin(face: FaceId) -> Origin:
        return Origin.PROVISIONAL if face in shown else Origin.WAITED if face in waited else Origin.NEW

    return PlanChange(
        faces=Counter((origin(face), fate) for face, fate in fates.items()),
        persons_created=len(now.create),
        moves=Counter(one.reason for one in now.move),
        settled=Counter(one.outcome for one in now.settled),
        gone=len(waited - set(fates)),
    )


def _fates(plan: ClusterPlan) -> Iterator[tuple[FaceId, Fate | LeaveReason]]:
    yield from ((one.face_id, Fate.JOINED) for one in plan.attach)
    yield from ((face, Fate.FOUNDED) for group in plan.create for face in group.face_ids)
    yield from ((one.face_id, one.reason) for one in plan.leave)
