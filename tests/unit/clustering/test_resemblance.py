"""Who resembles a person most."""

import numpy as np
import pytest

from facealbum.clustering import ClusteringParameters, Node, Observation, rank_persons
from facealbum.domain.ids import FaceId
from tests.unit.corrections.small_album import NOW, face, person, photo


def test_persons_are_ranked_by_the_mean_similarity_of_their_faces_less_what_their_ages_ask() -> None:
    draw, parameters = np.random.default_rng(1), ClusteringParameters()
    nodes = []
    for number in range(30):
        vector = draw.normal(size=8)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        seen = Observation(
            FaceId(face(number)), photo(number), NOW, 0.9, 0.0, 100.0, vector, age=float(draw.uniform(0, 40))
        )
        nodes.append(Node(seen, person(number % 4)))
    ranked = rank_persons(nodes, person(0), parameters)
    assert ranked == rank_persons(nodes[::-1], person(0), parameters)
    assert [near for _, near in ranked] == sorted((near for _, near in ranked), reverse=True)
    assert {who: pytest.approx(near, abs=2e-3) for who, near in ranked} == {
        person(other): np.mean(
            [
                asked(one.observation, another.observation, parameters)
                for one in nodes
                for another in nodes
                if (one.person_id, another.person_id) == (person(0), person(other))
            ]
        )
        for other in (1, 2, 3)
    }
    assert rank_persons(nodes, person(9), parameters) == []


def asked(one: Observation, other: Observation, parameters: ClusteringParameters) -> float:
    """Told again without the product's code."""
    assert one.age is not None
    assert other.age is not None
    young = [max(0.0, 1 - age / parameters.young_until) for age in (one.age, other.age)]
    grown = [min(1.0, max(0.0, (age - 10) / 10)) for age in (one.age, other.age)]
    ages = parameters.young_likeness * young[0] * young[1] + parameters.grown_likeness * grown[0] * grown[1]
    return float(one.embedding @ other.embedding) - ages
