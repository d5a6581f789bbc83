"""Who resembles a person most: mean similarity of the faces that stand for two persons, less what their ages ask."""

from collections.abc import Sequence

import numpy as np

from facealbum.clustering.items import build_items
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem, Node
from facealbum.clustering.vectors import UNIT, means, sum_by
from facealbum.domain.ids import PersonId


def rank_persons(
    nodes: Sequence[Node], person: PersonId, parameters: ClusteringParameters
) -> list[tuple[PersonId, float]]:
    """The other persons of the nodes with their similarity to this one, most similar first; none without its nodes."""
    items = build_items(ClusteringProblem((), tuple(nodes)), parameters)
    if person not in items.persons:
        return []
    group, sound = items.item_of[items.sound], items.sound
    vectors = means(*sum_by(group, items.vectors[sound], groups=len(items.persons)))
    ages = means(*sum_by(group, items.ages[sound], groups=len(items.persons)))
    me = items.persons.index(person)
    found = (vectors @ vectors[me] - ages @ ages[me]).astype(np.float64) / UNIT
    others = [(who, round(float(near), 6)) for who, near in zip(items.persons, found, strict=True) if who != person]
    return sorted(others, key=lambda one: (-one[1], one[0]))
