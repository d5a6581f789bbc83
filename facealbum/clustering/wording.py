"""A plan in words: for each face why it is where it is, and whom it nearly was.

joined Hana: 0.71 to face 3f2a; next best Ren 0.44, impossible: both in photo 91c0
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from uuid import UUID

from facealbum.clustering.plan import Attach, Bar, Barred, ClusterPlan, Leave, LeaveReason, NewGroup, Rival
from facealbum.domain.ids import FaceId

_LEFT = {
    LeaveReason.ALONE: "waits: nobody is near enough",
    LeaveReason.POOR: "waits: too poor to found a person, and nobody is near enough",
    LeaveReason.TOO_FEW: "waits: its group has too few good faces to be a person",
    LeaveReason.FORBIDDEN: "waits: those who are near enough are ruled out",
}


def describe_faces(plan: ClusterPlan, names: Mapping[UUID, str]) -> dict[FaceId, str]:
    """One sentence for each face of the plan; persons, photos and faces are called as in `names`, else by their id."""
    call = _Names(names)
    said = chain(
        ((one.face_id, call.attach(one)) for one in plan.attach),
        *(call.group(group) for group in plan.create),
        ((one.face_id, call.leave(one)) for one in plan.leave),
    )
    return dict(sorted(said))


class _Names:
    def __init__(self, names: Mapping[UUID, str]) -> None:
        self._names = names

    def name(self, identity: UUID) -> str:
        return self._names.get(identity) or str(identity)

    def attach(self, one: Attach) -> str:
        return (
            f"joined {self.name(one.person_id)}: {one.similarity:.2f} to face {self.name(one.nearest)},"
            f" {one.score:.2f} on average{self._rival(one.rival)}"
        )

    def group(self, group: NewGroup) -> Iterator[tuple[FaceId, str]]:
        others = len(group.face_ids) - 1
        for face, score, rival in zip(group.face_ids, group.scores, group.rivals, strict=True):
            mates = f"{others} other face{'s' * (others != 1)}"
            yield face, f"a new person with {mates}: {score:.2f} on average{self._rival(rival)}"

    def leave(self, one: Leave) -> str:
        return f"{_LEFT[one.reason]}{self._rival(one.rival)}"

    def _rival(self, rival: Rival | None) -> str:
        if rival is None:
            return ""
        who = "another new person" if rival.person_id is None else self.name(rival.person_id)
        barred = "" if rival.barred is None else f", impossible: {self._barred(rival.barred, who)}"
        return f"; next best {who} {rival.score:.2f}{barred}"

    def _barred(self, barred: Barred, who: str) -> str:
        if barred.bar is Bar.KNOWN or barred.id is None:
            return "both are known persons"
        if barred.bar is Bar.PHOTO:
            return f"both in photo {self.name(barred.id)}"
        if barred.bar is Bar.FACES:
            return f"told apart from face {self.name(barred.id)}"
        return f"ruled out for {who}"
