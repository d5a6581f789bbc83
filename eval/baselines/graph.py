"""Clusters along edges between near faces, found from scratch: Chinese Whispers and average linkage."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from eval.baselines.density import Labels, Vectors, distances

_ROUNDS = 20
_SEED = 0


def chinese_whispers(vectors: Vectors, distance: float) -> Labels:
    """Each face takes the label that weighs most among those near it, in random order, round after round."""
    similar = np.where(distances(vectors) <= distance, vectors @ vectors.T, 0)
    np.fill_diagonal(similar, 0)
    labels, order = np.arange(len(vectors)), np.random.default_rng(_SEED)
    for _ in range(_ROUNDS):
        before = labels.copy()
        for row in order.permutation(len(vectors)):
            if similar[row].any():
                labels[row] = np.bincount(labels, weights=similar[row]).argmax()
        if np.array_equal(labels, before):
            break
    return labels


def average_linkage(vectors: Vectors, distance: float) -> Labels:
    """Hierarchical clustering by mean distance, cut at the distance."""
    if len(vectors) < 2:  # noqa: PLR2004 - linkage needs a pair
        return np.arange(len(vectors))
    tree = linkage(squareform(distances(vectors).astype(np.float64), checks=False), "average")
    found: Labels = fcluster(tree, distance, "distance").astype(np.intp)
    return found
