"""Clusters as dense regions: DBSCAN as photo servers use it, and HDBSCAN."""

from typing import TypeAlias

import hdbscan
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

NOBODY = -1

Vectors: TypeAlias = NDArray[np.float32]
"""float32[n, d] of length 1."""
Labels: TypeAlias = NDArray[np.intp]
"""intp[n]: a cluster's number, or NOBODY."""

_CORE, _REACH = 4, 0.46  # PhotoPrism's size of a core, and how far beyond its radius a cluster takes a face (L2)


def dbscan(vectors: Vectors, distance: float) -> Labels:
    """Immich's rule: a face with two others within the distance founds or extends a person."""
    if not len(vectors):
        return np.zeros(0, np.intp)
    found: Labels = DBSCAN(eps=distance, min_samples=3, metric="precomputed").fit_predict(distances(vectors))
    return found


def dbscan_with_radius(vectors: Vectors, distance: float) -> Labels:
    """PhotoPrism's rule: DBSCAN of four; then each face left joins the nearest centre within its radius and a bit."""
    if not len(vectors):
        return np.zeros(0, np.intp)
    labels: Labels = DBSCAN(eps=distance, min_samples=_CORE, metric="precomputed").fit_predict(distances(vectors))
    centres = [vectors[labels == label].mean(axis=0) for label in range(labels.max(initial=NOBODY) + 1)]
    if not centres:
        return labels
    away = np.linalg.norm(vectors[:, None] - np.array(centres), axis=2)
    radius = np.array([away[labels == label, label].max() for label in range(len(centres))])
    nearest = (away - radius).argmin(axis=1)
    within = (away - radius)[np.arange(len(vectors)), nearest] <= _REACH
    joined: Labels = np.where((labels == NOBODY) & within, nearest, labels)
    return joined


def plain_hdbscan(vectors: Vectors, distance: float) -> Labels:
    """HDBSCAN with clusters of two and more; regions nearer than `distance` are not split."""
    if len(vectors) < 2:  # noqa: PLR2004 - hdbscan needs a pair
        return np.full(len(vectors), NOBODY)
    found: Labels = hdbscan.HDBSCAN(
        min_cluster_size=2,
        metric="precomputed",
        cluster_selection_epsilon=distance,
    ).fit_predict(distances(vectors).astype(np.float64))
    return found


def distances(vectors: Vectors) -> NDArray[np.float32]:
    """Cosine distances float32[n, n], 0 on the diagonal."""
    found: NDArray[np.float32] = np.clip(1 - vectors @ vectors.T, 0, 2)
    np.fill_diagonal(found, 0)
    return found
