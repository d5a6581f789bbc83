"""Clusters as dense regions, found from scratch: DBSCAN and HDBSCAN."""

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


def dbscan(vectors: Vectors, distance: float, *, core: int = 3) -> Labels:
    """DBSCAN (Ester 1996): a face with `core` faces within the distance, itself included, founds or extends."""
    if not len(vectors):
        return np.zeros(0, np.intp)
    found: Labels = DBSCAN(eps=distance, min_samples=core, metric="precomputed").fit_predict(distances(vectors))
    return found


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
