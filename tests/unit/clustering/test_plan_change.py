"""What a plan changed against the one before: every face is counted once, under where it was and where it went."""

from uuid import UUID

from facealbum.clustering import (
    Attach,
    ClusterPlan,
    Fate,
    Leave,
    LeaveReason,
    Move,
    MoveReason,
    NewGroup,
    Origin,
    Outcome,
    Settled,
    compare_plans,
)
from facealbum.domain.ids import FaceId, PersonId

ANN, BEN = PersonId(UUID(int=1)), PersonId(UUID(int=2))


def face(number: int) -> FaceId:
    return FaceId(UUID(int=100 + number))


def joins(number: int) -> Attach:
    return Attach(face(number), ANN, 0.5, face(99), 0.6, None)


def founds(*numbers: int) -> NewGroup:
    return NewGroup(face(numbers[0]), tuple(map(face, numbers)), (0.5,) * len(numbers), (None,) * len(numbers))


BEFORE = ClusterPlan(
    attach=(joins(1),),
    leave=(Leave(face(2), LeaveReason.ALONE), Leave(face(3), LeaveReason.POOR), Leave(face(4), LeaveReason.TOO_FEW)),
)
NOW = ClusterPlan(
    attach=(joins(2), joins(5), joins(6)),
    create=(founds(3, 7),),
    leave=(Leave(face(8), LeaveReason.FORBIDDEN), Leave(face(9), LeaveReason.ALONE)),
    move=(Move(BEN, ANN, MoveReason.SAME_CHILD, 0.4),),
    settled=(Settled(face(6), ANN, Outcome.CONFIRMED), Settled(face(9), ANN, Outcome.DROPPED)),
)


def test_faces_are_counted_by_where_they_were_and_where_they_went() -> None:
    change = compare_plans(BEFORE, NOW)
    assert change.faces == {
        (Origin.WAITED, Fate.JOINED): 1,
        (Origin.NEW, Fate.JOINED): 1,
        (Origin.PROVISIONAL, Fate.JOINED): 1,
        (Origin.WAITED, Fate.FOUNDED): 1,
        (Origin.NEW, Fate.FOUNDED): 1,
        (Origin.NEW, LeaveReason.FORBIDDEN): 1,
        (Origin.PROVISIONAL, LeaveReason.ALONE): 1,
    }
    assert (change.persons_created, change.gone) == (1, 1)
    assert change.moves == {MoveReason.SAME_CHILD: 1}
    assert change.settled == {Outcome.CONFIRMED: 1, Outcome.DROPPED: 1}


def test_before_the_first_run_nothing_waited() -> None:
    change = compare_plans(None, BEFORE)
    assert {origin for origin, _ in change.faces} == {Origin.NEW}
    assert (sum(change.faces.values()), change.gone) == (4, 0)
    assert compare_plans(None, ClusterPlan()).faces == {}
