"""What one month of faces becomes, by either algorithm."""

import numpy as np
import pytest

from facealbum.clustering import (
    ALGORITHMS,
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    Constraints,
    Leave,
    LeaveReason,
    Observation,
    plan_clusters,
)
from facealbum.errors import InvalidValueError
from tests.unit.clustering.family import (
    START,
    face,
    face_id,
    groups_of,
    nodes_of,
    person_id,
    photo_id,
    poor,
    vector,
)

PARAMETERS = ClusteringParameters(similarity=0.3, poor_similarity=0.3)

pytestmark = pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))


def test_nobody_comes_of_nothing(algorithm: str) -> None:
    assert plan_clusters(ClusteringProblem(()), PARAMETERS, algorithm=algorithm) == ClusterPlan()


def test_one_face_waits(algorithm: str) -> None:
    plan = plan_clusters(ClusteringProblem((face(1),)), PARAMETERS, algorithm=algorithm)
    assert plan == ClusterPlan(leave=(Leave(face_id(1), LeaveReason.ALONE),))


def test_people_are_told_apart(algorithm: str) -> None:
    faces = tuple(face(number, {number % 2: 0.8}) for number in range(8))
    plan = plan_clusters(ClusteringProblem(faces), PARAMETERS, algorithm=algorithm)
    assert groups_of(plan) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert plan.create[0].founder == face_id(0)
    assert plan.create[0].scores == pytest.approx([0.64] * 4, abs=1e-3)


def test_a_face_joins_the_person_it_resembles(algorithm: str) -> None:
    nodes = nodes_of(1, [face(1), face(2)]) + nodes_of(2, [face(3, {1: 0.8}), face(4, {1: 0.9})])
    new = face(5, {1: 0.8, 0: 0.2})
    plan = plan_clusters(ClusteringProblem((new,), nodes), PARAMETERS, algorithm=algorithm)
    (attach,) = plan.attach
    assert (attach.person_id, attach.nearest) == (person_id(2), face_id(4))
    assert attach.score == pytest.approx(0.68, abs=1e-3)
    assert attach.runner_up == pytest.approx(0.16, abs=1e-3)


def test_two_faces_of_one_photo_are_two_people(algorithm: str) -> None:
    faces = (face(1, photo=1), face(2, photo=1), face(3), face(4))
    plan = plan_clusters(ClusteringProblem(faces), PARAMETERS, algorithm=algorithm)
    assert len(plan.leave) == 1
    assert plan.leave[0].reason is LeaveReason.FORBIDDEN
    assert {1, 2} > {one.face_id.int for one in plan.leave}


def test_a_person_is_not_twice_in_a_photo_even_if_that_face_is_no_node(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(5, photo=77),),
        nodes=nodes_of(1, [face(1), face(2)]),
        photos_of={person_id(1): frozenset({photo_id(1), photo_id(2), photo_id(77)})},
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert plan == ClusterPlan(leave=(Leave(face_id(5), LeaveReason.FORBIDDEN),))


def test_a_mirror_is_one_person_if_a_user_says_so(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(1, photo=1), face(2, photo=1)),
        constraints=Constraints(must_link=frozenset({(face_id(1), face_id(2))})),
    )
    assert groups_of(plan_clusters(problem, PARAMETERS, algorithm=algorithm)) == [[1, 2]]


def test_a_must_link_to_a_node_outranks_the_looks(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(3, {5: 0.8}),),
        nodes=nodes_of(1, [face(1), face(2)]),
        constraints=Constraints(must_link=frozenset({(face_id(3), face_id(1))})),
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert [one.person_id for one in plan.attach] == [person_id(1)]


def test_a_rejection_outranks_a_must_link(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(3),),
        nodes=nodes_of(1, [face(1), face(2)]),
        constraints=Constraints(
            must_link=frozenset({(face_id(3), face_id(1))}),
            rejected=frozenset({(face_id(3), person_id(1))}),
        ),
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert plan == ClusterPlan(leave=(Leave(face_id(3), LeaveReason.FORBIDDEN),))


def test_a_must_link_does_not_merge_persons(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(9),),
        nodes=nodes_of(1, [face(1), face(2)]) + nodes_of(2, [face(3, {1: 0.8}), face(4, {1: 0.8})]),
        constraints=Constraints(must_link=frozenset({(face_id(1), face_id(3)), (face_id(9), face_id(4))})),
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert [one.person_id for one in plan.attach] == [person_id(2)]


def test_poor_faces_join_but_never_found(algorithm: str) -> None:
    alone = ClusteringProblem((poor(face(1)), poor(face(2)), face(3)))
    plan = plan_clusters(alone, PARAMETERS, algorithm=algorithm)
    assert not plan.create
    assert [one.reason for one in plan.leave] == [LeaveReason.POOR, LeaveReason.POOR, LeaveReason.ALONE]
    with_two = ClusteringProblem((poor(face(1)), poor(face(2)), face(3), face(4)))
    assert groups_of(plan_clusters(with_two, PARAMETERS, algorithm=algorithm)) == [[1, 2, 3, 4]]


def test_a_poor_face_bridges_nobody(algorithm: str) -> None:
    between = face(9, {0: 0.7, 1: 0.7})
    sides = [face(number, {number % 2: 0.8}) for number in range(4)]
    plan = plan_clusters(ClusteringProblem((*sides, poor(between))), PARAMETERS, algorithm=algorithm)
    assert [len([n for n in group if n != 9]) for group in groups_of(plan)] == [2, 2]


def test_a_group_below_the_least_size_waits(algorithm: str) -> None:
    parameters = ClusteringParameters(similarity=0.3, min_faces=3)
    plan = plan_clusters(ClusteringProblem((face(1), face(2))), parameters, algorithm=algorithm)
    assert [one.reason for one in plan.leave] == [LeaveReason.TOO_FEW] * 2


def test_persons_that_look_alike_stay_two(algorithm: str) -> None:
    nodes = nodes_of(1, [face(1), face(2)]) + nodes_of(2, [face(3), face(4)])
    plan = plan_clusters(ClusteringProblem((face(5),), nodes), PARAMETERS, algorithm=algorithm)
    assert [one.person_id for one in plan.attach] == [person_id(1)]


def test_an_embedding_of_another_length_is_refused(algorithm: str) -> None:
    wrong = Observation(face_id(1), photo_id(1), START, 0.9, 0.0, 100.0, vector(1, {}) * np.float32(2))
    with pytest.raises(InvalidValueError, match="must have length 1, got 2"):
        plan_clusters(ClusteringProblem((wrong,)), PARAMETERS, algorithm=algorithm)


def test_embeddings_of_two_sizes_are_refused(algorithm: str) -> None:
    small = Observation(face_id(2), photo_id(2), START, 0.9, 0.0, 100.0, np.ones(1, np.float32))
    with pytest.raises(InvalidValueError, match="of one size"):
        plan_clusters(ClusteringProblem((face(1), small)), PARAMETERS, algorithm=algorithm)


def test_a_face_given_twice_is_refused(algorithm: str) -> None:
    with pytest.raises(InvalidValueError, match="must be given once"):
        plan_clusters(ClusteringProblem((face(1),), nodes_of(1, [face(1)])), PARAMETERS, algorithm=algorithm)


def test_an_unknown_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(InvalidValueError, match=f"one of .*{algorithm}"):
        plan_clusters(ClusteringProblem((face(1),)), PARAMETERS, algorithm="magic")
