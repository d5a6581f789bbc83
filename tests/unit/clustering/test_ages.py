"""Strangers of some ages look alike, and a child is one person however it has grown."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from facealbum.clustering import (
    ALGORITHMS,
    ClusteringParameters,
    ClusteringProblem,
    LeaveReason,
    Move,
    MoveReason,
    Observation,
    plan_clusters,
)
from facealbum.clustering.ages import age_weights
from facealbum.clustering.vectors import UNIT
from facealbum.domain.ids import ChildId, PersonId
from tests.unit.clustering.family import face, nodes_of, person_id, photo_id

PARAMETERS = ClusteringParameters()
HANA = ChildId(photo_id(1))


def of_age(age: float | None, *numbers: int, similarity: float) -> list[Observation]:
    """Faces of one age, each two of them this similar."""
    return [replace(face(number, {0: sqrt(similarity)}), age=age) for number in numbers]


@pytest.mark.parametrize(
    ("one", "other", "needed"),
    [
        (0, 0, 0.3),
        (6, 6, 0.075),
        (0, 6, 0.15),
        (0, 12, 0),
        (10, 10, 0.0083),
        (15, 15, 0.02),
        (30, 30, 0.08),
        (0, 30, 0),
    ],
)
def test_small_children_and_grown_ups_need_more(one: float, other: float, needed: float) -> None:
    weights = age_weights([*of_age(one, 1, similarity=0.5), *of_age(other, 2, similarity=0.5)], PARAMETERS)
    assert weights[0] @ weights[1] / UNIT == pytest.approx(needed, abs=1e-3)


def test_nothing_more_is_asked_of_a_face_without_an_age() -> None:
    assert not np.any(age_weights(of_age(None, 1, 2, similarity=0.5), PARAMETERS))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
@pytest.mark.parametrize(("age", "persons"), [(0.5, 0), (8, 1), (40, 1), (None, 1)])
def test_faces_that_would_be_one_person_at_eight_are_two_babies(algorithm: str, age: float, persons: int) -> None:
    plan = plan_clusters(ClusteringProblem(tuple(of_age(age, 1, 2, similarity=0.4))), PARAMETERS, algorithm=algorithm)
    assert len(plan.create) == persons
    assert {one.reason for one in plan.leave} == (set() if persons else {LeaveReason.ALONE})


def test_a_poor_baby_needs_more_as_well() -> None:
    known = nodes_of(1, of_age(1, 1, 2, 3, similarity=0.4))
    poor = replace(of_age(1, 4, similarity=0.4)[0], quality=0.1)
    grown = replace(poor, age=8.0)
    assert not plan_clusters(ClusteringProblem((poor,), known), PARAMETERS).attach
    assert plan_clusters(ClusteringProblem((grown,), known), PARAMETERS).attach


def two_persons(similarity: float) -> ClusteringProblem:
    """A child early and late: two persons, each of two faces, with this similarity between them."""
    early, late = (sqrt(similarity), 0.6, 0.0), (sqrt(similarity), 0.0, 0.6)
    looks = [dict(enumerate(shares)) for shares in (early, early, late, late)]
    faces = [face(number, look) for number, look in enumerate(looks, start=1)]
    nodes = (*nodes_of(1, faces[:2]), *nodes_of(2, faces[2:]))
    photos = {person_id(1): frozenset({photo_id(1), photo_id(2)}), person_id(2): frozenset({photo_id(3), photo_id(4)})}
    return ClusteringProblem((), nodes, photos_of=photos)


def moves(problem: ClusteringProblem, **child_of: ChildId) -> tuple[Move, ...]:
    persons: dict[PersonId, ChildId] = {person_id(int(name[1:])): child for name, child in child_of.items()}
    return plan_clusters(replace(problem, child_of=persons), PARAMETERS).move


def test_two_persons_linked_to_one_child_become_one() -> None:
    (move,) = moves(two_persons(0.2), p1=HANA, p2=HANA)
    assert (move.source, move.target, move.reason) == (person_id(2), person_id(1), MoveReason.SAME_CHILD)
    assert move.score == pytest.approx(0.2, abs=1e-3)


def test_persons_of_one_child_that_look_too_different_stay_two() -> None:
    assert not moves(two_persons(0.1), p1=HANA, p2=HANA)
