"""A plan in sentences: for each face why it is where it is, and whom it nearly was.

joined Hana: 0.71 to face 3f2a; next best Ren 0.44, impossible: both in photo 91c0
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from uuid import UUID

from facealbum.clustering.plan import Attach, Bar, Barred, ClusterPlan, Leave, LeaveReason, NewGroup, Rival
from facealbum.domain.ids import FaceId
from facealbum.domain.sentences import Number, Sentence, join_sentences

_LEFT = {
    LeaveReason.ALONE: Sentence("waits: nobody is near enough"),
    LeaveReason.POOR: Sentence("waits: too poor to found a person, and nobody is near enough"),
    LeaveReason.TOO_FEW: Sentence("waits: its group has too few good faces to be a person"),
    LeaveReason.FORBIDDEN: Sentence("waits: those who are near enough are ruled out"),
}


def describe_faces(plan: ClusterPlan, names: Mapping[UUID, str]) -> dict[FaceId, Sentence]:
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

    def attach(self, one: Attach) -> Sentence:
        said = Sentence(
            "joined %(who)s: %(similarity)s to face %(nearest)s, %(score)s on average",
            who=self.name(one.person_id),
            similarity=Number(one.similarity),
            nearest=self.name(one.nearest),
            score=Number(one.score),
        )
        return self._beside(said, one.rival)

    def group(self, group: NewGroup) -> Iterator[tuple[FaceId, Sentence]]:
        others = len(group.face_ids) - 1
        for face, score, rival in zip(group.face_ids, group.scores, group.rivals, strict=True):
            said = Sentence.counted(
                "a new person with %(num)s other face: %(score)s on average",
                "a new person with %(num)s other faces: %(score)s on average",
                others,
                score=Number(score),
            )
            yield face, self._beside(said, rival)

    def leave(self, one: Leave) -> Sentence:
        return self._beside(_LEFT[one.reason], one.rival)

    def _beside(self, said: Sentence, rival: Rival | None) -> Sentence:
        """The sentence, and whom the face nearly was."""
        if rival is None:
            return said
        who = Sentence("another new person") if rival.person_id is None else self.name(rival.person_id)
        score = Number(rival.score)
        if rival.barred is None:
            return join_sentences([said, Sentence("next best %(who)s %(score)s", who=who, score=score)])
        why = self._barred(rival.barred, who)
        nearly = Sentence("next best %(who)s %(score)s, impossible: %(why)s", who=who, score=score, why=why)
        return join_sentences([said, nearly])

    def _barred(self, barred: Barred, who: str) -> Sentence:
        if barred.bar is Bar.KNOWN or barred.id is None:
            return Sentence("both are known persons")
        if barred.bar is Bar.PHOTO:
            return Sentence("both in photo %(photo)s", photo=self.name(barred.id))
        if barred.bar is Bar.FACES:
            return Sentence("told apart from face %(face)s", face=self.name(barred.id))
        return Sentence("ruled out for %(who)s", who=who)
