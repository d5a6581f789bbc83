"""What must hold of every clustering plan, whatever the family."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from facealbum.clustering import (
    ALGORITHMS,
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    Constraints,
    Node,
    NodeLabel,
    Observation,
    Outcome,
    cluster_unpinned,
    describe_faces,
    plan_beside_unpinned,
    plan_clusters,
)
from facealbum.clustering.incremental import group_problem
from facealbum.clustering.items import is_sound
from facealbum.domain.ids import FaceId, PersonId, PhotoId
from tests.unit.clustering.family import START, carry_out, child_id, face_id, person_id, persons_after, photo_id
from tests.unit.clustering.oracle import ByTheBook

PARAMETERS = ClusteringParameters(similarity=0.4, poor_similarity=0.45)
PERSONS = 3
ROUNDING = 1e-3

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
            age=draw(st.sampled_from([None, 0.0, 2.0, 8.0, 14.0, 40.0])),
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
        child_of=draw(
            st.dictionaries(st.integers(0, PERSONS - 1).map(person_id), st.integers(0, 1).map(child_id), max_size=3)
        ),
        provisional=draw(
            st.dictionaries(st.integers(0, count).map(face_id), st.integers(0, PERSONS - 1).map(person_id), max_size=4)
        ),
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
def test_shared_work_changes_neither_the_plan_nor_the_labels(algorithm: str, problem: ClusteringProblem) -> None:
    told = problem.constraints
    free = ClusteringProblem(
        faces=(*problem.faces, *(node.observation for node in problem.nodes)),
        constraints=Constraints(told.must_link, told.cannot_link),
    )
    cluster_of = group_problem(free, PARAMETERS, algorithm=algorithm).cluster_of()
    nodes = sorted(problem.nodes, key=lambda node: node.observation.face_id)
    labels = ((one.observation.face_id, one.person_id, cluster_of.get(one.observation.face_id)) for one in nodes)
    plan, free = plan_beside_unpinned(problem, PARAMETERS, algorithm=algorithm)
    assert plan == plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert free.label(free.cluster()) == tuple(NodeLabel(*label) for label in labels)


@algorithms
@given(problem=problems(), data=st.data())
@thorough
def test_clusters_can_be_kept_while_their_digest_stays(
    algorithm: str, problem: ClusteringProblem, data: st.DataObject
) -> None:
    _, before = plan_beside_unpinned(problem, PARAMETERS, algorithm=algorithm)
    named = {node.observation.face_id: node.person_id for node in problem.nodes}
    everybody = sorted(face.face_id for face in (*problem.faces, *(node.observation for node in problem.nodes)))
    change = data.draw(st.sampled_from(["persons", "quality", "age", "photo", "pair", "vector"]))
    one = data.draw(st.sampled_from(everybody)) if everybody else None

    def changed(face: Observation) -> Observation:
        if face.face_id != one:
            return face
        other = {"quality": 0.05, "age": 1.0, "photo_id": photo_id(0), "embedding": -face.embedding}
        key = {"photo": "photo_id", "vector": "embedding"}.get(change, change)
        return replace(face, **{key: other[key]}) if key in other else face

    nodes = tuple(
        Node(
            changed(node.observation),
            data.draw(st.sampled_from([node.person_id, person_id(90)])) if change == "persons" else node.person_id,
        )
        for node in problem.nodes
    )
    pair = ((one, everybody[0]),) if change == "pair" and one and one != everybody[0] else ()
    constraints = replace(problem.constraints, cannot_link=(*problem.constraints.cannot_link, *pair))
    after = replace(
        problem,
        faces=tuple(map(changed, problem.faces)),
        nodes=nodes,
        constraints=constraints,
        child_of={},
        photos_of={},
    )
    _, later = plan_beside_unpinned(after, PARAMETERS, algorithm=algorithm)
    if later.digest == before.digest:
        assert (later.cluster() == before.cluster()).all()
    else:
        assert change != "persons"
    assert bool(before.digest) == bool(named)


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
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    person_of = persons_after(problem, plan)
    seen: dict[PersonId, list[PhotoId]] = defaultdict(list)
    for one in problem.faces:
        if one.face_id in person_of:
            seen[person_of[one.face_id]].append(one.photo_id)
    moved = {move.source: move.target for move in plan.move}
    for person, photos in problem.photos_of.items():
        seen[moved.get(person, person)] += photos
    for photos in seen.values():
        assert len(photos) == len(set(photos))


@algorithms
@given(problem=problems())
@thorough
def test_cannot_links_and_rejections_hold(algorithm: str, problem: ClusteringProblem) -> None:
    new = {one.face_id for one in problem.faces}
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    person_of, moved = persons_after(problem, plan), {move.source: move.target for move in plan.move}
    for pair in problem.constraints.cannot_link:
        if new & set(pair) and person_of.keys() >= set(pair):
            assert person_of[pair[0]] != person_of[pair[1]]
    for one, person in problem.constraints.rejected:
        assert one not in new or person_of.get(one) != moved.get(person, person)


@given(problem=problems())
@thorough
def test_the_plan_is_the_one_by_the_book(problem: ClusteringProblem) -> None:
    """Where the book's own choices are clear: embeddings are rounded, so close calls may differ."""
    problem = without_must_links(problem)
    book = ByTheBook(problem, PARAMETERS)
    persons, waiting = book.partition()
    assume(book.margin > ROUNDING)
    plan = plan_clusters(problem, PARAMETERS)
    assert {one.face_id for one in plan.leave} == waiting
    found: dict[PersonId, set[FaceId | PersonId]] = defaultdict(set)
    moved = {move.source: move.target for move in plan.move}
    for node in problem.nodes:
        found[moved.get(node.person_id, node.person_id)].add(node.person_id)
    for one in plan.attach:
        found[one.person_id].add(one.face_id)
    assert {frozenset(one) for one in found.values()} | {frozenset(g.face_ids) for g in plan.create} == persons


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
    assert not again.move


@algorithms
@given(problem=problems())
@thorough
def test_a_person_moves_only_to_one_of_its_child_that_it_never_met_and_that_stays(
    algorithm: str, problem: ClusteringProblem
) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    sources = [move.source for move in plan.move]
    for move in plan.move:
        assert problem.child_of[move.source] == problem.child_of[move.target]
        assert problem.photos_of[move.source].isdisjoint(problem.photos_of[move.target])
    assert len(sources) == len(set(sources))
    assert not set(sources) & {move.target for move in plan.move}
    assert not set(sources) & {one.person_id for one in plan.attach}


@algorithms
@given(problem=problems())
@thorough
def test_every_provisional_match_is_settled_as_the_plan_has_it(algorithm: str, problem: ClusteringProblem) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    given_to = persons_after(problem, plan)
    settled = {one.face_id: one for one in plan.settled}
    assert settled.keys() == problem.provisional.keys() & {one.face_id for one in problem.faces}
    merged = {move.source: move.target for move in plan.move}
    for face, one in settled.items():
        assert (one.outcome is Outcome.DROPPED) == (face not in given_to)
        assert (one.outcome is Outcome.CONFIRMED) == (
            given_to.get(face) == merged.get(one.provisional, one.provisional)
        )
    unaware = plan_clusters(replace(problem, provisional={}), PARAMETERS, algorithm=algorithm)
    assert replace(plan, settled=()) == unaware


@algorithms
@given(problem=problems())
@thorough
def test_every_face_is_explained(algorithm: str, problem: ClusteringProblem) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert sorted(describe_faces(plan, {})) == sorted(one.face_id for one in problem.faces)


@algorithms
@given(problem=problems(), renamed=st.permutations(range(PERSONS)))
@thorough
def test_what_persons_are_called_does_not_matter(
    algorithm: str, problem: ClusteringProblem, renamed: list[int]
) -> None:
    """But for ties, which go to the smaller id: persons here keep the order of their ids."""
    new_id = {person_id(number): person_id(number + 10 * (1 + renamed[0])) for number in range(PERSONS)}
    other = replace(
        problem,
        nodes=tuple(Node(node.observation, new_id[node.person_id]) for node in problem.nodes),
        constraints=replace(
            problem.constraints,
            rejected=frozenset((one, new_id[person]) for one, person in problem.constraints.rejected),
        ),
        photos_of={new_id[person]: seen for person, seen in problem.photos_of.items()},
        child_of={new_id[person]: child for person, child in problem.child_of.items()},
        provisional={},
    )
    before = persons_after(problem, plan_clusters(problem, PARAMETERS, algorithm=algorithm))
    after = persons_after(other, plan_clusters(other, PARAMETERS, algorithm=algorithm))
    assert after == {one: new_id.get(person, person) for one, person in before.items()}


@algorithms
@given(problem=problems())
@thorough
def test_a_face_far_from_everybody_changes_nothing_for_the_others(algorithm: str, problem: ClusteringProblem) -> None:
    axes = 8
    widened = replace(
        problem,
        faces=tuple(_widen(one, axes) for one in problem.faces),
        nodes=tuple(Node(_widen(node.observation, axes), node.person_id) for node in problem.nodes),
    )
    far = np.zeros(axes, np.float32)
    far[-1] = 1
    stranger = Observation(face_id(900), photo_id(900), START, 0.9, 0.0, 100.0, far)
    plan = plan_clusters(widened, PARAMETERS, algorithm=algorithm)
    more = plan_clusters(replace(widened, faces=(*widened.faces, stranger)), PARAMETERS, algorithm=algorithm)
    assert (more.attach, more.create, more.move) == (plan.attach, plan.create, plan.move)


def _widen(one: Observation, axes: int) -> Observation:
    """The same face among more axes, the last of which nobody uses."""
    return replace(one, embedding=np.pad(one.embedding, (0, axes - len(one.embedding))))


@algorithms
@given(problem=problems())
@thorough
def test_a_plan_survives_json(algorithm: str, problem: ClusteringProblem) -> None:
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert ClusterPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
