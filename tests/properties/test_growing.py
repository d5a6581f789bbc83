"""What ages and links to children may never change in a clustering plan."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facealbum.clustering import ALGORITHMS, ClusteringParameters, ClusteringProblem, Node, Observation, plan_clusters
from facealbum.domain.ids import ChildId
from tests.properties.test_clustering import PERSONS, problems, without_must_links
from tests.unit.clustering.family import carry_out, person_id, photo_id

PARAMETERS = ClusteringParameters(similarity=0.4, poor_similarity=0.45, child_similarity=0.1)
AGES = (None, 0.5, 3.0, 9.0, 15.0, 40.0)

algorithms = pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def growing(draw: st.DrawFn) -> ClusteringProblem:
    """A problem whose faces have ages, and some of whose persons are linked to one of two children."""
    problem, rng = draw(problems()), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def aged(face: Observation) -> Observation:
        return replace(face, age=AGES[rng.integers(len(AGES))])

    kept = [person_id(number) for number in range(PERSONS) if person_id(number) not in problem.free]
    children = st.sampled_from([ChildId(photo_id(1)), ChildId(photo_id(2))])
    return replace(
        problem,
        faces=tuple(map(aged, problem.faces)),
        nodes=tuple(Node(aged(node.observation), node.person_id) for node in problem.nodes),
        child_of=draw(st.dictionaries(st.sampled_from(kept), children)) if kept else {},
    )


@algorithms
@given(problem=growing(), seed=st.integers(0, 2**32 - 1))
@thorough
def test_the_order_does_not_matter(algorithm: str, problem: ClusteringProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = replace(
        problem,
        faces=tuple(problem.faces[n] for n in rng.permutation(len(problem.faces))),
        nodes=tuple(problem.nodes[n] for n in rng.permutation(len(problem.nodes))),
        child_of=dict(sorted(problem.child_of.items(), reverse=True)),
    )
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    assert plan_clusters(shuffled, PARAMETERS, algorithm=algorithm) == plan


@algorithms
@given(problem=growing())
@thorough
def test_planning_again_proposes_nothing_new(algorithm: str, problem: ClusteringProblem) -> None:
    problem = without_must_links(problem)
    plan = plan_clusters(problem, PARAMETERS, algorithm=algorithm)
    again = plan_clusters(carry_out(problem, plan), PARAMETERS, algorithm=algorithm)
    assert (again.attach, again.create, again.move) == ((), (), ())


@algorithms
@given(problem=growing())
@thorough
def test_a_kept_person_moves_only_to_one_of_its_child_that_it_never_met(
    algorithm: str, problem: ClusteringProblem
) -> None:
    for move in plan_clusters(problem, PARAMETERS, algorithm=algorithm).move:
        one, other = move.source, move.target
        assert problem.photos_of[one].isdisjoint(problem.photos_of[other])
        assert one in problem.free or problem.child_of[one] == problem.child_of[other]
