"""How a plan reads to a person."""

from facealbum.clustering import (
    Attach,
    Bar,
    Barred,
    ClusterPlan,
    Leave,
    LeaveReason,
    NewGroup,
    Rival,
    describe_faces,
)
from tests.unit.clustering.family import face_id, person_id, photo_id

NAMES = {person_id(1): "Hana", person_id(2): "Ren", photo_id(7): "beach.jpg", face_id(1): "X"}


def test_a_face_that_joined_tells_whom_and_whom_not() -> None:
    rival = Rival(person_id(2), 0.44, Barred(Bar.PHOTO, photo_id(7)))
    plan = ClusterPlan(attach=(Attach(face_id(5), person_id(1), 0.655, face_id(1), 0.71, rival),))
    assert describe_faces(plan, NAMES) == {
        face_id(
            5
        ): "joined Hana: 0.71 to face X, 0.66 on average; next best Ren 0.44, impossible: both in photo beach.jpg"
    }


def test_a_founder_and_a_waiting_face_tell_why() -> None:
    plan = ClusterPlan(
        create=(NewGroup(face_id(2), (face_id(2), face_id(3)), (0.5, 0.5), (None, Rival(person_id(1), 0.2))),),
        leave=(
            Leave(face_id(4), LeaveReason.ALONE),
            Leave(face_id(5), LeaveReason.FORBIDDEN, Rival(person_id(2), 0.6, Barred(Bar.PERSON, person_id(2)))),
            Leave(face_id(6), LeaveReason.TOO_FEW, Rival(None, 0.1, Barred(Bar.FACES, face_id(1)))),
        ),
    )
    unlike = "; next best another new person 0.10, impossible: told apart from face X"
    assert list(describe_faces(plan, NAMES).values()) == [
        "a new person with 1 other face: 0.50 on average",
        "a new person with 1 other face: 0.50 on average; next best Hana 0.20",
        "waits: nobody is near enough",
        "waits: those who are near enough are ruled out; next best Ren 0.60, impossible: ruled out for Ren",
        f"waits: its group has too few good faces to be a person{unlike}",
    ]
