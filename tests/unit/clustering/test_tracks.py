"""One track is one person, and two tracks that meet are two people."""

from facealbum.clustering import (
    ClusteringParameters,
    ClusteringProblem,
    Constraints,
    TrackState,
    constrain_tracks,
    plan_clusters,
)
from tests.unit.clustering.family import face, face_id, groups_of, nodes_of, person_id, photo_id


def track(
    seen: tuple[int, ...], faces: tuple[int, ...] = (), persons: tuple[int, ...] = (), video: int = 1
) -> TrackState:
    return TrackState(photo_id(video), frozenset(seen), tuple(map(face_id, faces)), frozenset(map(person_id, persons)))


def pairs(*numbers: tuple[int, int]) -> frozenset[tuple[object, object]]:
    return frozenset((face_id(one), face_id(other)) for one, other in numbers)


def test_the_faces_of_a_track_are_one_person() -> None:
    found = constrain_tracks([track((0, 1000), (3, 1, 2))], {})
    assert found == Constraints(must_link=pairs((1, 2), (1, 3), (2, 3)))


def test_tracks_that_a_frame_shows_together_are_two_people() -> None:
    found = constrain_tracks([track((0, 1000), (1,)), track((1000, 2000), (2,)), track((2000,), (3,))], {})
    assert found == Constraints(cannot_link=pairs((1, 2), (2, 3)))


def test_tracks_of_two_videos_say_nothing_of_each_other() -> None:
    assert constrain_tracks([track((0,), (1,)), track((0,), (2,), video=2)], {}) == Constraints()


def test_a_late_face_goes_to_the_person_of_its_track_and_not_to_those_it_met() -> None:
    tracks = [track((0, 1000), (1,), persons=(7,)), track((1000,), persons=(8,))]
    found = constrain_tracks(tracks, {person_id(7): face_id(70), person_id(8): face_id(80)})
    assert found == Constraints(must_link=pairs((1, 70)), rejected=frozenset({(face_id(1), person_id(8))}))


def test_a_track_that_a_user_gave_to_two_people_pulls_to_neither() -> None:
    tracks = [track((0,), (1,), persons=(7, 8))]
    assert constrain_tracks(tracks, {person_id(7): face_id(70), person_id(8): face_id(80)}) == Constraints()


def test_twins_who_meet_in_a_frame_without_a_kept_face_become_two_people() -> None:
    faces = tuple(face(number) for number in (1, 2, 3, 4))
    constraints = constrain_tracks([track((0, 500, 9000), (1, 2)), track((500,), (3, 4))], {})
    plan = plan_clusters(ClusteringProblem(faces, constraints=constraints), ClusteringParameters())
    assert groups_of(plan) == [[1, 2], [3, 4]]


def test_a_known_person_is_not_joined_by_whom_it_met() -> None:
    known = nodes_of(7, [face(10), face(11)])
    constraints = constrain_tracks([track((0,), (1, 2)), track((0,), persons=(7,))], {person_id(7): face_id(10)})
    plan = plan_clusters(ClusteringProblem((face(1), face(2)), known, constraints), ClusteringParameters())
    assert (plan.attach, groups_of(plan)) == ((), [[1, 2]])
