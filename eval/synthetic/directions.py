"""Directions around a mean: the von Mises-Fisher distribution, for many means at once.

Exact (rejection by Wood 1994, as scipy's one-mean sampler); costs a few normal draws a number.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]


def draw_around(means: Array, cosines: Array, draw: np.random.Generator) -> Array:
    """One direction float64[n, d] around each of the means, unit vectors float64[n, d].

    cosines: float64[n], what each direction's cosine with its mean is expected to be, above 0 and below 1.
    """
    count, size = means.shape
    along = _draw_cosines(concentration(cosines, size), size, draw)
    across = draw.standard_normal((count, size))
    across -= np.einsum("nd,nd->n", across, means)[:, None] * means
    across *= (np.sqrt(1 - along**2) / np.linalg.norm(across, axis=1))[:, None]
    result: Array = along[:, None] * means + across
    return result


def concentration(cosines: Array, size: int) -> Array:
    """The kappa that gives these expected cosines in so many dimensions (Banerjee et al. 2005, equation 4.4)."""
    kappa: Array = cosines * (size - cosines**2) / (1 - cosines**2)
    return kappa


def _draw_cosines(kappa: Array, size: int, draw: np.random.Generator) -> Array:
    """The cosine of each direction with its mean (Wood 1994, algorithm VM*)."""
    free = size - 1
    ratio = free / (2 * kappa + np.sqrt(4 * kappa**2 + free**2))
    start = (1 - ratio) / (1 + ratio)
    level = kappa * start + free * np.log(1 - start**2)
    found, open_ = np.empty(len(kappa)), np.arange(len(kappa))
    while len(open_):
        beta = draw.beta(free / 2, free / 2, len(open_))
        tried = (1 - (1 + ratio[open_]) * beta) / (1 - (1 - ratio[open_]) * beta)
        reached = kappa[open_] * tried + free * np.log(1 - start[open_] * tried) - level[open_]
        kept = reached >= np.log(draw.uniform(size=len(open_)))
        found[open_[kept]] = tried[kept]
        open_ = open_[~kept]
    return found
