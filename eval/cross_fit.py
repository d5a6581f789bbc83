"""Heads judged by people that they have not seen.

Groups (families, subjects) lie in folds.  For each two folds a head learns from the others and is good for the pairs of
faces within and between those two; so every pair is scored by heads that saw neither side.  Such heads know three
fifths of the people where there are five folds, so figures err on the low side of the head that learns from all.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Folds: TypeAlias = NDArray[np.int64]
"""int64[n]: the fold of each face."""

Heads: TypeAlias = Mapping[tuple[int, int], NDArray[np.float32]]
"""Maps of the default space, float32[512, 512], by the two folds that each has not seen."""

Learn: TypeAlias = Callable[[tuple[int, int], NDArray[np.bool_]], NDArray[np.float32]]
"""The head of the chosen faces, which are those of all but two folds."""


def learn_heads(fold: Folds, learn: Learn) -> Iterator[tuple[tuple[int, int], NDArray[np.float32]]]:
    """A head for each two folds, one after the other."""
    for two in combinations(np.unique(fold[fold >= 0]).tolist(), 2):
        yield two, learn(two, ~np.isin(fold, two))


def mapped(embeddings: NDArray[np.float32], head: NDArray[np.float32]) -> NDArray[np.float32]:
    """The embeddings under a head, of length 1."""
    found = embeddings @ head
    result: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return result


def unseen_similarities(embeddings: NDArray[np.float32], fold: Folds, heads: Heads) -> NDArray[np.float32]:
    """float32[n, n]: the mean cosine of each two faces under the heads that saw neither."""
    total, count = (np.zeros((len(embeddings), len(embeddings)), np.float32) for _ in range(2))
    for two, head in heads.items():
        tested = np.flatnonzero(np.isin(fold, two))
        seen = mapped(embeddings[tested], head)
        block = np.ix_(tested, tested)
        total[block] += np.einsum("ae,be->ab", seen, seen)
        count[block] += 1
    return total / count
