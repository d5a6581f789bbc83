"""A new face is shown with a known person at once where one photo can tell, and waits for the run where it can't."""

from dataclasses import replace

import numpy as np
import pytest

from facealbum.clustering import ClusteringParameters, ClusteringProblem, Constraints, Node
from facealbum.clustering.match import match_faces
from facealbum.domain.ids import FaceId, PersonId
from facealbum.errors import InvalidValueError
from tests.unit.clustering.family import child_id, face, face_id, nodes_of, person_id, poor

PARAMETERS = ClusteringParameters(similarity=0.4, poor_similarity=0.4)
HANA, REN = 1, 2
LIKE_HANA, LIKE_REN = {0: 0.8}, {1: 0.8}
NODES = (
    *nodes_of(HANA, [face(n, LIKE_HANA) for n in range(10)]),
    *nodes_of(REN, [face(n, LIKE_REN) for n in range(10, 20)]),
)


def matched(*faces: object, nodes: tuple[Node, ...] = NODES, **given: object) -> dict[FaceId, PersonId]:
    problem = ClusteringProblem(faces=faces, nodes=nodes, **given)  # type: ignore[arg-type]
    return {match.face_id: match.person_id for match in match_faces(problem, PARAMETERS)}


def test_a_face_like_a_known_person_is_shown_with_it() -> None:
    new = face(50, LIKE_HANA)
    (match,) = match_faces(ClusteringProblem((new,), NODES), PARAMETERS)
    assert (match.face_id, match.person_id) == (new.face_id, person_id(HANA))
    assert match.score == pytest.approx(0.64, abs=1e-3)
    assert match.runner_up == pytest.approx(0, abs=1e-3)
    assert match.nearest in {face_id(n) for n in range(10)}


def test_a_face_like_nobody_waits() -> None:
    assert matched(face(50, {2: 0.8})) == {}


def test_a_face_that_two_persons_resemble_waits() -> None:
    assert matched(face(50, {0: 0.6, 1: 0.595})) == {}


def test_persons_of_one_child_are_no_rivals() -> None:
    new = face(50, {0: 0.6, 1: 0.595})
    assert matched(new, child_of={person_id(HANA): child_id(1), person_id(REN): child_id(2)}) == {}
    assert matched(new, child_of=dict.fromkeys((person_id(HANA), person_id(REN)), child_id(1))) == {
        face_id(50): person_id(HANA)
    }


def test_a_poor_face_waits() -> None:
    assert matched(poor(face(50, LIKE_HANA))) == {}


@pytest.mark.parametrize(("nodes", "shown"), [(1, False), (10, True)])
def test_the_fewer_the_nodes_the_more_similar_a_match_must_be(nodes: int, *, shown: bool) -> None:
    known = nodes_of(HANA, [face(n, LIKE_HANA) for n in range(nodes)])
    assert bool(matched(face(50, {0: 0.55}), nodes=known)) is shown


def test_of_two_faces_of_a_photo_the_more_similar_one_is_the_person() -> None:
    assert matched(face(50, {0: 0.7}, photo=99), face(51, {0: 0.9}, photo=99)) == {face_id(51): person_id(HANA)}


def test_a_person_that_the_photo_shows_already_is_not_shown_twice() -> None:
    new = face(50, LIKE_HANA)
    assert matched(new, photos_of={person_id(HANA): frozenset({new.photo_id})}) == {}


def test_a_face_never_gets_a_person_that_a_user_has_ruled_out() -> None:
    new = face(50, {0: 0.7, 1: 0.6})
    ruled_out = Constraints(rejected=frozenset({(new.face_id, person_id(HANA))}))
    assert matched(new) == {new.face_id: person_id(HANA)}
    assert matched(new, constraints=ruled_out) == {new.face_id: person_id(REN)}


def test_faces_of_tracks_that_meet_are_two_people() -> None:
    met = Constraints(cannot_link=frozenset({(face_id(50), face_id(51))}))
    assert matched(face(50, {0: 0.7}), face(51, {0: 0.9}), constraints=met) == {face_id(51): person_id(HANA)}


def test_faces_of_one_track_are_matched_together() -> None:
    track = Constraints(must_link=frozenset({(face_id(50), face_id(51))}))
    faces = face(50, {0: 0.9}), face(51, {0: 0.3, 5: 0.8})
    assert matched(*faces) == {face_id(50): person_id(HANA)}
    assert matched(*faces, constraints=track) == dict.fromkeys([face_id(50), face_id(51)], person_id(HANA))


def test_a_face_that_is_linked_to_a_person_needs_no_similarity() -> None:
    linked = Constraints(must_link=frozenset({(face_id(0), face_id(50))}))
    problem = ClusteringProblem((face(50, {3: 0.8}), face(51, {3: 0.8})), NODES, linked)
    (match,) = match_faces(problem, PARAMETERS)
    assert (match.face_id, match.person_id, match.runner_up) == (face_id(50), person_id(HANA), None)


def test_a_family_without_persons_or_without_new_faces_has_no_matches() -> None:
    assert matched(face(50), nodes=()) == {}
    assert matched() == {}


def test_a_vector_that_is_no_embedding_is_refused() -> None:
    broken = replace(face(50), embedding=np.full(512, np.nan, np.float32))
    with pytest.raises(InvalidValueError, match="length 1"):
        matched(broken)
