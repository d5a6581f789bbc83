"""What one family shows of two spaces, as counts that can be summed over families.

The album's own persons stand for the truth.  They were found in the old space, which flatters it a little, so a new
space that is as good by these measures is at least as good.  Each measure looks at the mixture that a change of space
brings: known faces by their stored vectors, faces that come later by new ones.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.compat.faces import FamilyFaces, Reading, Vectors
from facealbum.clustering import (
    ClusteringProblem,
    LabelBreakage,
    Node,
    Observation,
    cluster_unpinned,
    count_breakage,
    select_family_nodes,
)
from facealbum.domain.ids import PersonId

BINS = 2000
"""Of similarities from -1 to 1."""
NEIGHBOURS = 5
_MOST_FACES = 400  # of a family; more tell little, and pairs grow with the square

Counts = NDArray[np.float64]
"""float64[2]: total and cases."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyMeasures:
    """One family's sums.

    pairs: int64[3, 2, BINS], similarities of pairs over photos: old with old, new with new, stored with newer new
    ones; of two people, of one person.
    neighbours_new, neighbours_mixed: of the nearest faces by old vectors, those that are among the nearest by new ones,
    and by new vectors among stored ones.
    centroids: persons whose new centroid is nearest to their own stored one, of persons in families of several.
    shift: sum of the degrees between both centroids, of all persons.
    broken: float64[3, 4, 2], labels broken in any way, by mixing, disappearance, splitting: in the old space, in
    the new one, and mixed.
    """

    faces: int
    persons: int
    pairs: NDArray[np.int64]
    neighbours_new: Counts
    neighbours_mixed: Counts
    centroids: Counts
    shift: Counts
    broken: NDArray[np.float64]


def measure_family(faces: FamilyFaces, old: Reading, new: Reading) -> FamilyMeasures:
    """All measures of one family; of a very large one, of faces spread evenly over its time."""
    faces = faces.by_time(most=_MOST_FACES)
    centroids, shift = _centroids(faces)
    return FamilyMeasures(
        faces=len(faces.persons),
        persons=len(np.unique(faces.people[faces.people >= 0])),
        pairs=_pairs(faces),
        neighbours_new=_overlap(faces, faces.new, faces.new),
        neighbours_mixed=_overlap(faces, faces.new, faces.stored),
        centroids=centroids,
        shift=shift,
        broken=_broken(faces, old, new),
    )


def _pairs(faces: FamilyFaces) -> NDArray[np.int64]:
    """Histograms of the similarities of known persons' faces; the first of a pair is the older one."""
    known = faces.people >= 0
    pairs = np.triu(known[:, None] & known & (faces.photos[:, None] != faces.photos), 1)
    same = (faces.people[:, None] == faces.people)[pairs].astype(np.int64)
    found = np.empty((3, 2, BINS), np.int64)
    for kind, (left, right) in enumerate(((faces.old, faces.old), (faces.new, faces.new), (faces.stored, faces.new))):
        similarities = (left @ right.T)[pairs]
        bins = np.clip((similarities + 1) * (BINS / 2), 0, BINS - 1).astype(np.int64)
        found[kind] = np.bincount(same * BINS + bins, minlength=2 * BINS).reshape(2, BINS)
    return found


def _overlap(faces: FamilyFaces, asking: Vectors, asked: Vectors) -> Counts:
    """How many of each face's nearest in the old space stay among the nearest; of faces with more to choose from."""
    elsewhere = faces.photos[:, None] != faces.photos[None]
    chosen = elsewhere.sum(axis=1) > NEIGHBOURS
    if not chosen.any():
        return np.zeros(2)
    before = _nearest(faces.old @ faces.old.T, elsewhere)
    after = _nearest(asking @ asked.T, elsewhere)
    kept = (before & after).sum(axis=1)[chosen]
    return np.array([kept.sum(), NEIGHBOURS * len(kept)], np.float64)


def _nearest(similarities: Vectors, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n, n]: which faces are among the NEIGHBOURS nearest of each."""
    order = np.argsort(np.where(allowed, -similarities, np.inf), axis=1, kind="stable")[:, :NEIGHBOURS]
    found = np.zeros(similarities.shape, np.bool_)
    np.put_along_axis(found, order, values=True, axis=1)
    return found


def _centroids(faces: FamilyFaces) -> tuple[Counts, Counts]:
    """Whether each person's new centroid is nearest to its own stored one, and the cosine of both."""
    people = np.unique(faces.people[faces.people >= 0])
    if not len(people):
        return np.zeros(2), np.zeros(2)
    members = (faces.people[None] == people[:, None]).astype(np.float32)
    stored, new = (_unit(members @ vectors) for vectors in (faces.stored, faces.new))
    cosines = new @ stored.T
    stays = cosines.argmax(axis=1) == np.arange(len(people))
    several = len(people) if len(people) > 1 else 0
    turned = np.degrees(np.arccos(np.clip(cosines.diagonal(), -1, 1))).sum()
    return np.array([several and stays.sum(), several], np.float64), np.array([turned, len(people)], np.float64)


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Vectors = vectors / np.maximum(length, np.finfo(np.float32).tiny)
    return found


def _broken(faces: FamilyFaces, old: Reading, new: Reading) -> NDArray[np.float64]:
    """A shadow run without pins in either space, and one after a change of space in the middle of the family's time."""
    later = np.arange(len(faces.persons)) >= len(faces.persons) // 2
    mixed = np.where(later[:, None], faces.new, faces.stored)
    runs = ((faces.old, old), (faces.new, new), (mixed, new))
    return np.array([_counts(_shadow_run(faces, vectors, reading)) for vectors, reading in runs])


def _shadow_run(faces: FamilyFaces, vectors: Vectors, reading: Reading) -> tuple[LabelBreakage, ...]:
    known: dict[PersonId, list[Observation]] = defaultdict(list)
    waiting = []
    for one, person, vector in zip(faces.observations, faces.persons, vectors, strict=True):
        seen = replace(one, embedding=vector, space="")
        waiting += [seen] if person is None else []
        if person is not None:
            known[person].append(seen)
    chosen = select_family_nodes(known, reading.parameters)
    nodes = tuple(Node(one, person) for person, its in sorted(chosen.items()) for one in its)
    problem = ClusteringProblem(tuple(waiting), nodes)
    labels = cluster_unpinned(problem, reading.parameters, algorithm=reading.algorithm)
    return count_breakage(labels)


def _counts(labels: tuple[LabelBreakage, ...]) -> NDArray[np.float64]:
    kinds = [(one.broken, one.mixing, one.disappearance, one.splitting) for one in labels]
    totals = np.array(kinds, np.float64).reshape(-1, 4).sum(axis=0)
    return np.stack([totals, np.full(4, len(labels), np.float64)], axis=1)
