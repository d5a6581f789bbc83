"""The two sides into which a person falls most easily."""

import numpy as np
from numpy.typing import NDArray

from facealbum.review.likeness import Array, compare


def cut_in_two(vectors: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], float]:
    """The rows of both sides, the larger first, and the similarity of their means.

    They are what average linkage joins last, ages taken into account.  vectors: as of Likeness, two rows or more.
    """
    from scipy.cluster.hierarchy import linkage, to_tree  # noqa: PLC0415 - half a second, which starting need not pay

    apart = 1 - compare(vectors, vectors)
    last = to_tree(linkage(apart[np.triu_indices(len(vectors), 1)], "average"))
    one, other = (np.sort(np.array(side.pre_order(), np.intp)) for side in (last.get_left(), last.get_right()))
    means = vectors[one].mean(axis=0, keepdims=True), vectors[other].mean(axis=0, keepdims=True)
    large, small = (one, other) if len(one) >= len(other) else (other, one)
    return large, small, float(compare(*means)[0, 0])
