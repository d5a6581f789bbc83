"""What one month of faces becomes, by either algorithm."""

from dataclasses import replace

import numpy as np
import pytest

from facealbum.clustering import (
    ALGORITHMS,
    Bar,
    Barred,
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    Constraints,
    Leave,
    LeaveReason,
    MoveReason,
    Observation,
    Outcome,
    Rival,
    plan_clusters,
)
from facealbum.domain.ids import ChildId
from facealbum.errors import InvalidValueError
from tests.unit.clustering.family import (
    START,
    child_id,
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
    assert attach.similarity == pytest.approx(0.72, abs=1e-3)
    assert attach.rival is not None
    assert (attach.rival.person_id, attach.rival.barred) == (person_id(1), None)
    assert attach.rival.score == pytest.approx(0.16, abs=1e-3)


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
    rival = Rival(person_id(1), pytest.approx(0.64, abs=1e-3), Barred(Bar.PHOTO, photo_id(77)))
    assert plan == ClusterPlan(leave=(Leave(face_id(5), LeaveReason.FORBIDDEN, rival),))


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
    rival = Rival(person_id(1), pytest.approx(0.64, abs=1e-3), Barred(Bar.PERSON, person_id(1)))
    assert plan == ClusterPlan(leave=(Leave(face_id(3), LeaveReason.FORBIDDEN, rival),))


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


def two_alike(**child_of: ChildId) -> ClusteringProblem:
    """Two known persons that look the same, p2 in more photos."""
    return ClusteringProblem(
        faces=(face(9),),
        nodes=nodes_of(1, [face(1), face(2)]) + nodes_of(2, [face(3), face(4), face(5)]),
        photos_of={person_id(1): frozenset({photo_id(1)}), person_id(2): frozenset({photo_id(3), photo_id(4)})},
        child_of={person_id(int(name[1:])): child for name, child in child_of.items()},
    )


@pytest.mark.parametrize("child_of", [{}, {"p1": child_id(1)}, {"p1": child_id(1), "p2": child_id(2)}])
def test_known_persons_stay_two_however_alike(algorithm: str, child_of: dict[str, ChildId]) -> None:
    assert not plan_clusters(two_alike(**child_of), PARAMETERS, algorithm=algorithm).move


def test_two_persons_of_one_child_may_turn_out_to_be_one(algorithm: str) -> None:
    plan = plan_clusters(two_alike(p1=child_id(1), p2=child_id(1)), PARAMETERS, algorithm=algorithm)
    (move,) = plan.move
    assert (move.source, move.target, move.reason) == (person_id(1), person_id(2), MoveReason.SAME_CHILD)
    assert move.score == pytest.approx(0.64, abs=1e-3)
    assert [one.person_id for one in plan.attach] == [person_id(2)]


def test_two_persons_of_one_child_that_met_stay_two(algorithm: str) -> None:
    problem = two_alike(p1=child_id(1), p2=child_id(1))
    together = {person: seen | {photo_id(70)} for person, seen in problem.photos_of.items()}
    assert not plan_clusters(replace(problem, photos_of=together), PARAMETERS, algorithm=algorithm).move


def test_a_plan_settles_every_provisional_match(algorithm: str) -> None:
    problem = ClusteringProblem(
        faces=(face(5), face(6, {3: 0.8}), face(7, {1: 0.8})),
        nodes=nodes_of(1, [face(1), face(2)]) + nodes_of(2, [face(3, {1: 0.8}), face(4, {1: 0.9})]),
        provisional={face_id(number): person_id(1) for number in (5, 6, 7)},
    )
    settled = plan_clusters(problem, PARAMETERS, algorithm=algorithm).settled
    assert [(one.face_id.int, one.outcome) for one in settled] == [
        (5, Outcome.CONFIRMED),
        (6, Outcome.DROPPED),
        (7, Outcome.MOVED),
    ]


def test_a_match_with_a_person_that_turns_out_to_be_another_is_confirmed_by_that_one(algorithm: str) -> None:
    problem = two_alike(p1=child_id(1), p2=child_id(1))
    problem = replace(problem, faces=(face(50),), provisional={face_id(50): person_id(1)})
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert [one.person_id for one in plan.attach] == [person_id(2)]
    assert [one.outcome for one in plan.settled] == [Outcome.CONFIRMED]


def test_embeddings_of_two_spaces_are_refused(algorithm: str) -> None:
    with pytest.raises(InvalidValueError, match=r"different spaces.*'newer'"):
        plan_clusters(
            ClusteringProblem((face(1), replace(face(2), space="newer"))),
            PARAMETERS,
            algorithm=algorithm,
        )


def test_what_is_no_unit_vector_is_refused(algorithm: str) -> None:
    for wrong in (np.nan, np.inf, 2.0):
        broken = replace(face(2), embedding=np.full_like(face(2).embedding, wrong))
        with pytest.raises(InvalidValueError, match=f"length 1, got .* of face {face_id(2)}"):
            plan_clusters(ClusteringProblem((face(1), broken)), PARAMETERS, algorithm=algorithm)


def test_a_thousand_identical_faces_are_one_person(algorithm: str) -> None:
    one = face(1)
    faces = tuple(replace(one, face_id=face_id(n), photo_id=photo_id(n)) for n in range(1000))
    plan = plan_clusters(ClusteringProblem(faces), PARAMETERS, algorithm=algorithm)
    assert [len(group.face_ids) for group in plan.create] == [1000]


def test_all_faces_of_one_photo_wait_for_a_second_one(algorithm: str) -> None:
    faces = tuple(face(n, photo=1) for n in range(50))
    plan = plan_clusters(ClusteringProblem(faces), PARAMETERS, algorithm=algorithm)
    assert len(plan.leave) == 50


def test_a_cannot_link_outranks_a_must_link(algorithm: str) -> None:
    pair = frozenset({(face_id(1), face_id(2))})
    problem = ClusteringProblem((face(1), face(2)), constraints=Constraints(must_link=pair, cannot_link=pair))
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert [one.face_id.int for one in plan.leave] == [1, 2]
