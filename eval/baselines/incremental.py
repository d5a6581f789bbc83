"""Rules that go on from what they found before: faces arrive in batches, and a face never changes its cluster.

A cluster is numbered by the row of the face that founded it.
"""

from collections.abc import Iterator, Sequence

import hdbscan
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from eval.baselines.density import NOBODY, Labels, Vectors, dbscan, distances

_CORE = 3  # Immich: faces within the distance, itself included, that found a person
_DENSE, _REACH = 4, 0.46  # PhotoPrism: size of a core, and how far beyond its radius a cluster takes a face (L2)
_KEPT, _OPEN = 0.5, 0.1  # recognize: share of a person's sample above which it takes a cluster, below which none does
_SEPARATION = 0.7  # recognize: distance below which clusters are not split, as a part of the longest edge
_SEED = 0


def immich(batches: Sequence[Vectors], distance: float) -> Iterator[Labels]:
    """A face with two others near it joins the nearest person within the distance or founds one; the rest join last."""
    for labels, vectors in _grow(batches):
        near = distances(vectors)
        core = (near <= distance).sum(axis=1) >= _CORE
        waiting = np.flatnonzero(labels == NOBODY)
        for row in (*waiting[core[waiting]], *waiting[~core[waiting]]):
            known = np.flatnonzero((near[row] <= distance) & (labels != NOBODY))
            if len(known):
                labels[row] = labels[known[near[row, known].argmin()]]
            elif core[row]:
                labels[row] = row
        yield labels


def photoprism(batches: Sequence[Vectors], distance: float) -> Iterator[Labels]:
    """DBSCAN of the faces that are left; a face within a cluster's radius and a bit joins it, before and after."""
    centres: list[NDArray[np.float32]] = []
    radii: list[float] = []
    founders: list[int] = []
    for labels, vectors in _grow(batches):
        _join(labels, vectors, centres, radii, founders)
        left = np.flatnonzero(labels == NOBODY)
        dense = dbscan(vectors[left], distance, core=_DENSE)
        for number in range(dense.max(initial=NOBODY) + 1):
            rows = left[dense == number]
            labels[rows] = rows[0]
            centres.append(vectors[rows].mean(axis=0))
            radii.append(float(np.linalg.norm(vectors[rows] - centres[-1], axis=1).max()))
            founders.append(int(rows[0]))
        _join(labels, vectors, centres, radii, founders)
        yield labels


def ente(batches: Sequence[Vectors], distance: float) -> Iterator[Labels]:
    """Each face, as uploaded, joins the cluster of the nearest earlier one if that is near enough."""
    for labels, vectors in _grow(batches):
        for row in np.flatnonzero(labels == NOBODY):
            similar = vectors[:row] @ vectors[row]
            near = row and 1 - similar.max() <= distance
            labels[row] = labels[similar.argmax()] if near else row
        yield labels


def recognize(batches: Sequence[Vectors], distance: float) -> Iterator[Labels]:
    """HDBSCAN of the faces left and a sample of each person's; a cluster goes to the person that most of these are of.

    That person must have over half of its sample there; if nobody has a tenth, the cluster becomes a person; in
    between its faces wait.  `distance` is the longest edge.
    """
    draw = np.random.default_rng(_SEED)
    for labels, vectors in _grow(batches):
        persons = np.unique(labels[labels != NOBODY])
        size = round(75 * 2 ** (-0.007 * len(persons)) + 5)
        samples = [draw.permutation(np.flatnonzero(labels == person))[:size] for person in persons]
        rows = np.concatenate([np.flatnonzero(labels == NOBODY), *samples])
        dense = _dense(vectors[rows], distance)
        for number in range(dense.max(initial=NOBODY) + 1):
            inside = rows[dense == number]
            shares = [np.isin(sample, inside).mean() for sample in samples]
            votes = [np.isin(sample, inside).sum() for sample in samples]
            winner = int(np.argmax(votes)) if votes else NOBODY
            new = inside[labels[inside] == NOBODY]
            if not len(new):
                continue
            if winner == NOBODY or shares[winner] < _OPEN:
                labels[new] = new.min()
            elif shares[winner] > _KEPT:
                labels[new] = persons[winner]
        yield labels


def _grow(batches: Sequence[Vectors]) -> Iterator[tuple[Labels, Vectors]]:
    """After each batch a copy of the labels so far, nobody's for the new faces, and all vectors."""
    labels = np.zeros(0, np.intp)
    for number, batch in enumerate(batches, start=1):
        labels = np.concatenate([labels, np.full(len(batch), NOBODY)])
        yield labels, np.concatenate(batches[:number])
        labels = labels.copy()  # what was yielded is the caller's


def _join(
    labels: Labels,
    vectors: Vectors,
    centres: Sequence[NDArray[np.float32]],
    radii: Sequence[float],
    founders: Sequence[int],
) -> None:
    """Give each face that is left to the cluster within whose reach it lies deepest."""
    left = np.flatnonzero(labels == NOBODY)
    if not centres or not len(left):
        return
    middles = np.array(centres)
    squares = 1 + np.square(middles).sum(axis=1) - 2 * vectors[left] @ middles.T  # vectors have length 1
    beyond = np.sqrt(np.maximum(squares, 0)) - np.array(radii)
    nearest = beyond.argmin(axis=1)
    within = beyond[np.arange(len(left)), nearest] <= _REACH
    labels[left[within]] = np.array(founders)[nearest[within]]


def _dense(vectors: Vectors, distance: float) -> Labels:
    """HDBSCAN as recognize sets it: sizes that grow with the number of faces, no edge longer than `distance` in L2."""
    count = len(vectors)
    smallest = round(min(5, max(2, count ** (1 / 4.7))))
    samples = round(min(4, max(2, count ** (1 / 5.6))))
    labels = np.full(count, NOBODY)
    if count < smallest:
        return labels
    apart, longest = np.sqrt(2 * distances(vectors).astype(np.float64)), float(np.sqrt(2 * distance))
    core = np.partition(apart, samples - 1, axis=1)[:, samples - 1]
    reach = np.maximum(apart, np.maximum(core[:, None], core[None, :]))
    parts, part = connected_components(reach <= longest)
    for number in range(parts):
        rows = np.flatnonzero(part == number)
        if len(rows) >= max(smallest, samples):
            inside = _split(apart[np.ix_(rows, rows)], smallest, samples, _SEPARATION * longest)
            labels[rows] = np.where(inside == NOBODY, NOBODY, inside + labels.max() + 1)
    return labels


def _split(apart: NDArray[np.float64], smallest: int, samples: int, separation: float) -> Labels:
    """The clusters among faces that hang together; those nearer than the separation are not told apart."""
    if len(apart) == smallest:
        return np.zeros(len(apart), np.intp)
    found: Labels = hdbscan.HDBSCAN(
        min_cluster_size=smallest,
        min_samples=samples,
        metric="precomputed",
        cluster_selection_epsilon=separation,
        allow_single_cluster=True,
    ).fit_predict(apart)
    return found if found.max() > 0 else np.zeros(len(apart), np.intp)  # one cluster: nothing to tell apart
