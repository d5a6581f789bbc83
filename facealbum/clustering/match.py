"""The provisional match: right after analysis, which known person a new face is, if one photo can tell.

It foretells the monthly run: the score is the run's own, the mean similarity to the person's nodes, and a match is
given only where that leaves little doubt.  All constraints hold; a photo shows a person once.
Guarantee: what a face is matched with depends on the nodes and on its own photo or video alone, so photos may be
matched one by one or together, in any order.  Price: poor faces and close calls wait for the run.

Note: few nodes.  The mean over n nodes of a person is the less certain the fewer they are; what it may be wrong by
falls with n faster than by chance alone, since the first nodes of a person are often of one occasion.  So a match
must pass the run's similarity by doubt / n, and every other person by twice as much, but for persons of
the same child: either puts the face into the same album.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items, build_items
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem
from facealbum.clustering.vectors import UNIT, means, sum_by
from facealbum.domain.ids import FaceId, PersonId

DOUBT = 0.1
"""How wrong the similarity to a person with a single node may be; measured in the space fused-512."""


@dataclass(frozen=True, slots=True)
class Match:
    """A new face that is shown with a person until the monthly run.

    score: mean cosine similarity to the person's sound nodes, of must-linked faces together.  nearest: the node most
    similar to the face.  runner_up: the best score with any other person that it may be, but for one of the same
    child; None for a face that is must-linked to a node, or without any other person.
    """

    face_id: FaceId
    person_id: PersonId
    score: float
    nearest: FaceId
    runner_up: float | None


def match_faces(
    problem: ClusteringProblem, parameters: ClusteringParameters, *, doubt: float = DOUBT
) -> tuple[Match, ...]:
    """The sure matches of a problem's faces with the persons of its nodes, sorted by face id.

    Faces that are must-linked to a node need no similarity.  Raises InvalidValueError as plan_clusters does.
    """
    items = build_items(problem, parameters)
    if not items.persons or items.nodes == len(items.members):
        return ()
    view = _View.of(items, problem)
    person_of = _decide(view, similarity=parameters.similarity, doubt=doubt)
    return tuple(
        view.match(row, person_of[item])
        for row, item in enumerate(items.item_of.tolist())
        if row >= items.nodes and item in person_of
    )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """How similar each item is to each person.

    counts: intp[persons], the sound nodes of each.  scores: float64[items, persons], the mean cosine similarity of the
    sound members to them; -inf without sound members, and where the two must never come together.  beyond: the same,
    less what their ages ask.  child_of: a number for each person, the same for those of one child.
    apart: for each item those that it must never come together with.
    """

    items: Items
    counts: NDArray[np.intp]
    scores: NDArray[np.float64]
    beyond: NDArray[np.float64]
    child_of: NDArray[np.intp]
    apart: Mapping[int, set[int]]

    @classmethod
    def of(cls, items: Items, problem: ClusteringProblem) -> Self:
        """From the nodes alone for a person, so that no new face has a say in what another one is matched with."""
        persons = len(items.persons)
        rows = np.flatnonzero(items.sound & ((items.item_of >= persons) | (np.arange(len(items.sound)) < items.nodes)))
        sums, counts = sum_by(items.item_of[rows], items.vectors[rows], groups=items.count)
        centres = means(sums, np.maximum(counts, 1))
        ages = means(sum_by(items.item_of[rows], items.ages[rows], groups=items.count)[0], np.maximum(counts, 1))
        scores = (centres @ centres[:persons].T).astype(np.float64) / UNIT
        scores[counts == 0] = -np.inf
        apart = _apart(items)
        for item, others in apart.items():
            scores[item, [other for other in others if other < persons]] = -np.inf
        beyond = scores - (ages @ ages[:persons].T).astype(np.float64) / UNIT
        whom = [problem.child_of.get(person, person) for person in items.persons]
        child_of = np.array([whom.index(who) for who in whom], np.intp)
        return cls(items, counts[:persons], scores, beyond, child_of, apart)

    def match(self, row: int, person: int) -> Match:
        """The face in this row as it is shown with the person."""
        items = self.items
        nodes = np.flatnonzero(items.item_of[: items.nodes] == person)
        similar = items.vectors[nodes] @ items.vectors[row]
        item = int(items.item_of[row])
        linked = item == person
        score = similar.mean(dtype=np.float64) / UNIT if linked else self.scores[item, person]
        other = -np.inf if linked else _best_other(self.scores[[item]], np.array([person]), self.child_of)[0]
        return Match(
            face_id=items.members[row].face_id,
            person_id=items.persons[person],
            score=round(float(score), 6),
            nearest=items.members[nodes[similar.argmax()]].face_id,
            runner_up=round(float(other), 6) if np.isfinite(other) else None,
        )


def _apart(items: Items) -> dict[int, set[int]]:
    company: dict[int, set[int]] = defaultdict(set)
    for item, meeting in items.meetings.tolist():
        company[meeting].add(item)
    apart: dict[int, set[int]] = defaultdict(set)
    for met in company.values():
        for item in met:
            apart[item] |= met - {item}
    return apart


def _decide(view: _View, *, similarity: float, doubt: float) -> dict[int, int]:
    """The person of each item that is sure of one; of two that can't both have it, the more similar one."""
    persons = len(view.items.persons)
    scores = view.beyond[persons:]
    best = scores.argmax(axis=1)
    own, other = scores[np.arange(len(best)), best], _best_other(scores, best, view.child_of)
    needed = doubt / np.maximum(view.counts[best], 1)
    sure = (own >= similarity + needed) & (own >= other + 2 * needed)
    person_of = {person: person for person in range(persons)}
    held: dict[int, set[int]] = defaultdict(set)
    for row in np.lexsort((np.arange(len(best)), -own)).tolist():
        item, person = persons + row, int(best[row])
        if sure[row] and held[person].isdisjoint(view.apart.get(item, ())):
            person_of[item] = person
            held[person].add(item)
    return person_of


def _best_other(
    scores: NDArray[np.float64], chosen: NDArray[np.intp], child_of: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The best of each row but for the chosen person and others of its child; -inf if there is no other."""
    same = child_of[chosen][:, None] == child_of[None, :]
    best: NDArray[np.float64] = np.where(same, -np.inf, scores).max(axis=1)
    return best
