"""Augmentation: other embeddings that the same people might have."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]
"""float32[n, values]"""


class Augment(Protocol):
    """Changes the embeddings of a batch; persons: int64[n]."""

    def __call__(self, embeddings: Embeddings, persons: NDArray[np.int64], draw: np.random.Generator) -> Embeddings:
        """As many embeddings, of the same persons."""
        ...


def unchanged(embeddings: Embeddings, persons: NDArray[np.int64], draw: np.random.Generator) -> Embeddings:
    """The embeddings as they are."""
    del persons, draw
    return embeddings


def between_ages(embeddings: Embeddings, persons: NDArray[np.int64], draw: np.random.Generator) -> Embeddings:
    """Each embedding moved up to a half of the way to another one of its person in the batch: ages in between."""
    order = np.lexsort((draw.random(len(persons)), persons))
    next_ = np.roll(order, -1)
    partner = np.empty_like(order)
    partner[order] = np.where(persons[order] == persons[next_], next_, order)
    share = draw.uniform(0, 0.5, (len(persons), 1)).astype(np.float32)
    result: Embeddings = (1 - share) * embeddings + share * embeddings[partner]
    return result
