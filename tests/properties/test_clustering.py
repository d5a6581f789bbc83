"""What must hold of every clustering plan, whatever the family."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facealbum.clustering import (
    ALGORITHMS,
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    Constraints,
    Node,
    Observation,
    cluster_unpinned,
    plan_clusters,
)
from facealbum.clustering.items import is_sound
from facealbum.domain.ids import FaceId, PersonId, PhotoId
from tests.unit.clustering.family import START, carry_out, face_id, person_id, persons_after, photo_id

PARAMETERS = ClusteringParameters(similarity=0.4, poor_similarity=0.45)
PERSONS = 3

algorithms = pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def problems(draw: st.DrawFn) -> ClusteringProblem:
    """Up to 24 faces in few dimensions, so that everything resembles something, with every kind of constraint."""
    count = draw(st.integers(0, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    axes = draw(st.integers(2, 6))
    rows = rng.normal(size=(count, axes))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    faces = [
        Observation(
            face_id=face_id(n),
            photo_id=photo_id(draw(st.integers(0, count))),
            taken_at=START + timedelta(days=n),
            quality=draw(st.sampled_from([0.05, 0.9, 0.9, 0.9])),
            yaw=draw(st.sampled_from([0.0, 0.0, 0.0, -80.0])),
            size=draw(st.sampled_from([100.0, 100.0, 100.0, 8.0])),
            embedding=row,
        )
        for n, row in enumerate(rows.astype(np.float32))
    ]
    owner = draw(st.lists(st.integers(-2, PERSONS - 1), min_size=count, max_size=count))
    nodes = [Node(one, person_id(who)) for one, who in zip(faces, owner, strict=True) if who >= 0]
    return ClusteringProblem(
        faces=tuple(one for one, who in zip(faces, owner, strict=True) if who < 0),
        nodes=_each_with_a_sound_one(nodes),
        constraints=draw(constraints(count)),
        photos_of={
            node.person_id: frozenset(
                {node.observation.photo_id, photo_id(draw(st.integers(0, count)))}
                | {other.observation.photo_id for other in nodes if other.person_id == node.person_id}
            )
            for node in nodes
        },
    )


@st.composite
def constraints(draw: st.DrawFn, count: int) -> Constraints:
    if not count:
        return Constraints()
    faces = st.integers(0, count - 1).map(face_id)
    pairs = st.frozensets(st.tuples(faces, faces).filter(lambda pair: pair[0] != pair[1]), max_size=3)
    return Constraints(
        must_link=draw(pairs),
        cannot_link=draw(pairs),
        rejected=draw(st.frozensets(st.tuples(faces, st.integers(0, PERSONS - 1).map(person_id)), max_size=3)),
    )


def _each_with_a_sound_one(nodes: list[Node]) -> tuple[Node, ...]:
    first: set[PersonId] = set()
    found = []
    for node in nodes:
        good = replace(node.observation, quality=0.9, yaw=0.0, size=100.0)
        found.append(node if node.person_id in first else Node(good, node.person_id))
        first.add(node.person_id)
    return tuple(found)


def without_must_links(problem: ClusteringProblem) -> ClusteringProblem:
    return replace(problem, constraints=replace(problem.constraints, must_link=frozenset()))


@algorithms
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
@thorough
def test_the_order_of_faces_does_not_matter(algorithm: str, problem: ClusteringProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = replace(
        problem,
        faces=tuple(problem.faces[n] for n in rng.permutation(len(problem.faces))),
        nodes=tuple(problem.nodes[n] for n in rng.permutation(len(problem.nodes))),
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert plan_clusters(shuffled, PARAMETERS, algorithm=algorithm) == plan
    labels = cluster_unpinned(problem, PARAMETERS, algorithm=algorithm)
    assert cluster_unpinned(shuffled, PARAMETERS, algorithm=algorithm) == labels


@algorithms
@given(problem=problems())
@thorough
def test_every_face_is_in_the_plan_once_and_no_node_is(algorithm: str, problem: ClusteringProblem) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    named = [
        *(one.face_id for one in plan.attach),
        *(one for group in plan.create for one in group.face_ids),
        *(one.face_id for one in plan.leave),
    ]
    assert sorted(named) == sorted(one.face_id for one in problem.faces)
    assert {one.person_id for one in plan.attach} <= {node.person_id for node in problem.nodes}


@algorithms
@given(problem=problems())
@thorough
def test_no_person_is_twice_in_a_photo(algorithm: str, problem: ClusteringProblem) -> None:
    problem = without_must_links(problem)
    person_of = persons_after(problem, plan_clusters(problem, PARAMETERS, algorithm=algorithm))
    seen: dict[PersonId, list[PhotoId]] = defaultdict(list)
    for one in problem.faces:
        if one.face_id in person_of:
            seen[person_of[one.face_id]].append(one.photo_id)
    for person, photos in seen.items():
        assert len(photos) == len(set(photos))
        assert not set(photos) & problem.photos_of.get(person, frozenset())


@algorithms
@given(problem=problems())
@thorough
def test_cannot_links_and_rejections_hold(algorithm: str, problem: ClusteringProblem) -> None:
    new = {one.face_id for one in problem.faces}
    person_of = persons_after(problem, plan_clusters(problem, PARAMETERS, algorithm=algorithm))
    for pair in problem.constraints.cannot_link:
        if new & set(pair) and person_of.keys() >= set(pair):
            assert person_of[pair[0]] != person_of[pair[1]]
    for one, person in problem.constraints.rejected:
        assert one not in new or person_of.get(one) != person


@algorithms
@given(problem=problems())
@thorough
def test_must_linked_faces_end_together(algorithm: str, problem: ClusteringProblem) -> None:
    (pair, *_) = sorted(problem.constraints.must_link) or [None]
    free = Constraints(must_link=frozenset({pair} if pair else ()))
    problem = replace(problem, constraints=free)
    person_of = persons_after(problem, plan_clusters(problem, PARAMETERS, algorithm=algorithm))
    if pair and {one.face_id for one in problem.faces} & set(pair):
        assert person_of.get(pair[0]) == person_of.get(pair[1])


@algorithms
@given(problem=problems())
@thorough
def test_a_new_person_has_enough_sound_faces(algorithm: str, problem: ClusteringProblem) -> None:
    sound = {one.face_id for one in problem.faces if is_sound(one, PARAMETERS)}
    for group in plan_clusters(problem, PARAMETERS, algorithm=algorithm).create:
        assert len(sound & set(group.face_ids)) >= PARAMETERS.min_faces


@algorithms
@given(problem=problems())
@thorough
def test_poor_faces_change_nothing_for_sound_ones(algorithm: str, problem: ClusteringProblem) -> None:
    """So they neither found groups nor bridge them."""
    problem = without_must_links(problem)
    sound = tuple(one for one in problem.faces if is_sound(one, PARAMETERS))
    alone = _parts(plan_clusters(replace(problem, faces=sound), PARAMETERS, algorithm=algorithm), sound)
    assert _parts(plan_clusters(problem, PARAMETERS, algorithm=algorithm), sound) == alone


def _parts(plan: ClusterPlan, faces: tuple[Observation, ...]) -> set[tuple[object, frozenset[FaceId]]]:
    wanted = {one.face_id for one in faces}
    joined = {(one.person_id, frozenset({one.face_id})) for one in plan.attach if one.face_id in wanted}
    return joined | {(None, frozenset(group.face_ids) & wanted) for group in plan.create}


@algorithms
@given(problem=problems())
@thorough
def test_clustering_the_result_again_proposes_nothing(algorithm: str, problem: ClusteringProblem) -> None:
    result = carry_out(problem, plan_clusters(problem, PARAMETERS, algorithm=algorithm))
    again = plan_clusters(result, PARAMETERS, algorithm=algorithm)
    assert not again.attach
    assert not again.create


@algorithms
@given(problem=problems())
@thorough
def test_a_plan_survives_json(algorithm: str, problem: ClusteringProblem) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert ClusterPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
