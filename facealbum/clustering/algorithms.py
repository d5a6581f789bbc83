"""The algorithms that plan_clusters can use, behind one protocol.

Each puts items together and keeps every constraint; at its end no two groups that may come together are similar
enough, so clustering its result again changes nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items
from facealbum.clustering.linkage import Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.vectors import SCALE, UNIT
from facealbum.errors import InvalidValueError

MAX_DENSITY_MEMBERS = 8000  # hdbscan holds about three such matrices of float64: 1.5 GB


class Algorithm(Protocol):
    """Puts the sound items into groups."""

    def __call__(self, items: Items, parameters: ClusteringParameters) -> Agglomeration:
        """The groups of the items; two persons are never in one."""
        ...


def constrained(items: Items, parameters: ClusteringParameters) -> Agglomeration:
    """Average linkage over all items, persons being one item each."""
    groups = Agglomeration(items)
    groups.merge(parameters.similarity)
    return groups


def density(items: Items, parameters: ClusteringParameters) -> Agglomeration:
    """Average linkage inside each HDBSCAN cluster of faces, nodes and centroids, then between what that left.

    HDBSCAN decides what is looked at together first.  It needs memory for all pairs of members, so a family of
    more than MAX_DENSITY_MEMBERS is clustered by linkage alone.
    """
    groups = Agglomeration(items)
    if 1 < len(items.members) <= MAX_DENSITY_MEMBERS:
        groups.merge(parameters.similarity, within=_density_regions(items, parameters))
    groups.merge(parameters.similarity)
    return groups


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({"constrained": constrained, "hdbscan": density})
"""By the name that plans and experiments carry."""


def algorithm_named(name: str) -> Algorithm:
    """The algorithm of this name."""
    if name not in ALGORITHMS:
        raise InvalidValueError(f"an algorithm must be one of {', '.join(sorted(ALGORITHMS))}, got {name!r}")
    return ALGORITHMS[name]


def density_labels(distances: NDArray[np.float64], *, min_cluster: int, min_samples: int) -> NDArray[np.intp]:
    """HDBSCAN's cluster of each row of a matrix of distances, -1 for noise."""
    from hdbscan import HDBSCAN  # noqa: PLC0415 - takes a second to import, and only this algorithm needs it

    if len(distances) < max(min_cluster, min_samples + 1):
        return np.full(len(distances), -1, np.intp)
    model = HDBSCAN(
        metric="precomputed",
        min_cluster_size=min_cluster,
        min_samples=min_samples,
        allow_single_cluster=True,
        core_dist_n_jobs=1,
    )
    labels: NDArray[np.intp] = model.fit(distances).labels_.astype(np.intp)
    return labels


def _density_regions(items: Items, parameters: ClusteringParameters) -> NDArray[np.intp]:
    """For each item the cluster of its first clustered sound member; a region of its own for noise."""
    sound = np.flatnonzero(items.sound)
    centroids = _centroids(items)
    vectors = np.vstack([items.vectors[sound], centroids])
    owner = np.concatenate([items.item_of[sound], np.arange(len(centroids))])
    distances = np.clip(1 - (vectors @ vectors.T).astype(np.float64) / UNIT, 0, 2)
    distances[owner[:, None] == owner[None, :]] = 0
    labels = density_labels(
        distances, min_cluster=parameters.density_min_cluster, min_samples=parameters.density_min_samples
    )
    regions = np.arange(items.count) + len(labels)
    for row in np.flatnonzero(labels >= 0)[::-1]:
        regions[owner[row]] = labels[row]
    return regions


def _centroids(items: Items) -> NDArray[np.float32]:
    """The mean of each person's nodes, of length 1, as exact vectors."""
    sums = np.zeros((len(items.persons), items.vectors.shape[1]))
    np.add.at(sums, items.item_of[: items.nodes], items.vectors[: items.nodes])
    lengths = np.sqrt(np.square(sums).sum(axis=1, keepdims=True))
    centroids: NDArray[np.float32] = np.rint(sums / np.maximum(lengths, 1) * SCALE).astype(np.float32)
    return centroids
