"""Embeddings as whole numbers, so that similarities are exact.

Note: exact vectors.  Components are rounded to whole multiples of 1/4000.  Every product and every partial sum of
a dot product of two such vectors, or of two rounded means of them, is then a whole number below 2**24, which
float32 holds exactly: the result depends neither on the order in which BLAS adds nor on its threads, and two
similarities compare the same everywhere.  The price is an error of about 1e-4 in a similarity.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.problem import Observation
from facealbum.errors import InvalidValueError

SCALE = 4000
UNIT = float(SCALE * SCALE)
"""The dot product of a vector of length 1 with itself."""

ROUNDING = 100_000
"""More than rounding two means can move their dot product: 2 x sqrt(512) / 2 x SCALE = 90,510."""

_ROWS = 256  # worked on at once: what a core keeps near
_LENGTH_TOLERANCE = 0.01  # 2**24 would be passed at a length of 1.02

Exact: TypeAlias = NDArray[np.float32]
"""float32[n, d] of whole numbers: vectors, or rounded means of vectors, times SCALE."""


def exact(faces: Sequence[Observation]) -> Exact:
    """The embeddings of the faces, one a row; refuses what is not of one size and of length 1."""
    if not faces:
        return np.zeros((0, 0), np.float32)
    size = faces[0].embedding.shape
    for face in faces:
        if face.embedding.ndim != 1 or face.embedding.shape != size:
            raise InvalidValueError(
                f"all embeddings must be vectors of one size, here {size}; "
                f"got {face.embedding.shape} of face {face.face_id}"
            )
    found = np.empty((len(faces), *size), np.float32)
    for start in range(0, len(faces), _ROWS):
        some = faces[start : start + _ROWS]
        rows = np.array([face.embedding for face in some]).astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        for row in np.flatnonzero(~(np.abs(lengths - 1) <= _LENGTH_TOLERANCE)).tolist():
            raise InvalidValueError(
                f"an embedding must have length 1, got {lengths[row]:.4f} of face {some[row].face_id}"
            )
        rows *= SCALE
        found[start : start + _ROWS] = np.rint(rows, out=rows)
    return found


def sum_by(group: NDArray[np.intp], vectors: Exact, *, groups: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The sum and the number of the vectors of each group, `group` naming that of each row."""
    counts = np.bincount(group, minlength=groups)
    sums = np.zeros((groups, vectors.shape[1]), np.int32)
    sums[group] = vectors  # right for a group of one, as most are
    several = np.flatnonzero(counts > 1)
    if not len(several):
        return sums, counts
    from scipy.sparse import csr_array  # noqa: PLC0415 - a fifth of a second, which analysis need not pay

    members = np.flatnonzero(counts[group] > 1)
    where = (np.searchsorted(several, group[members]), np.arange(len(members)))
    belongs = csr_array((np.ones(len(members)), where), shape=(len(several), len(members)))
    sums[several] = belongs @ vectors[members].astype(np.float64)
    return sums, counts


def means(sums: NDArray[np.int32], counts: NDArray[np.intp]) -> Exact:
    """The rounded mean of each group."""
    if (counts == 1).any():
        found = sums.astype(np.float32)
        several = np.flatnonzero(counts > 1)
        found[several] = np.rint(sums[several] / counts[several, None])
        return found
    return np.rint(sums / counts[:, None]).astype(np.float32)
