"""What must hold of every provisional match, whatever the family."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facealbum.clustering import ClusteringParameters, ClusteringProblem, Constraints
from facealbum.clustering.match import match_faces
from tests.properties.test_clustering import problems, thorough

PARAMETERS = ClusteringParameters(similarity=0.3, poor_similarity=0.3)
DOUBT = 0.02


@thorough
@given(problems(), st.integers(0, 2**32 - 1))
def test_the_order_of_faces_and_nodes_changes_no_match(problem: ClusteringProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = replace(
        problem,
        faces=tuple(problem.faces[n] for n in rng.permutation(len(problem.faces))),
        nodes=tuple(problem.nodes[n] for n in rng.permutation(len(problem.nodes))),
    )
    assert match_faces(shuffled, PARAMETERS, doubt=DOUBT) == match_faces(problem, PARAMETERS, doubt=DOUBT)


@thorough
@given(problems())
def test_photo_by_photo_gives_the_same_matches_as_all_at_once(problem: ClusteringProblem) -> None:
    problem = replace(problem, constraints=Constraints(rejected=problem.constraints.rejected), provisional={})
    photos = {face.photo_id for face in problem.faces}
    parts = [replace(problem, faces=tuple(f for f in problem.faces if f.photo_id == photo)) for photo in photos]
    one_by_one = [match for part in parts for match in match_faces(part, PARAMETERS, doubt=DOUBT)]
    assert tuple(sorted(one_by_one, key=lambda match: match.face_id)) == match_faces(problem, PARAMETERS, doubt=DOUBT)


@thorough
@given(problems())
def test_a_match_breaks_no_constraint(problem: ClusteringProblem) -> None:
    problem = replace(problem, constraints=replace(problem.constraints, must_link=frozenset()))
    person_of = {match.face_id: match.person_id for match in match_faces(problem, PARAMETERS, doubt=DOUBT)}
    photo_of = {face.face_id: face.photo_id for face in problem.faces}
    shown = [(photo_of[face], person) for face, person in person_of.items()]
    assert len(set(shown)) == len(shown)
    assert not [one for one in shown if one[0] in problem.photos_of.get(one[1], ())]
    assert not problem.constraints.rejected & set(person_of.items())
    for one, other in problem.constraints.cannot_link:
        assert not {one, other} <= person_of.keys() or person_of[one] != person_of[other]
