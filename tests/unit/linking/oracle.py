"""The joint probabilities of who is which child, the slow way: every labelling written out."""

from collections.abc import Mapping
from itertools import product
from math import exp, fsum

from facealbum.domain.ids import ChildId, PersonId
from facealbum.linking.labelling import Meetings, Odds


def write_out(odds: Mapping[PersonId, Odds], meets: Meetings) -> dict[tuple[PersonId, ChildId | None], float]:
    """How probable each label of each person is."""
    weights = {}
    for labels in product(*([None, *of] for of in odds.values())):
        linked = {person: label for person, label in zip(odds, labels, strict=True) if label is not None}
        if not any(linked.get(other) == child for person, child in linked.items() for other in meets[person]):
            weights[frozenset(linked.items())] = exp(fsum(odds[person][child] for person, child in linked.items()))
    total = fsum(weights.values())
    return {
        (person, child): fsum(weight for way, weight in weights.items() if dict(way).get(person) == child) / total
        for person, of in odds.items()
        for child in (None, *of)
    }
