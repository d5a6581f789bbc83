"""How far apart two histograms are: the Jensen-Shannon distance."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import jensenshannon

Array: TypeAlias = NDArray[np.float64]


def js_distance(first: ArrayLike, second: ArrayLike) -> Array:
    """The distance of histograms [..., bins], counts or shares, as float64[...]: 0 if the shares are equal, at most 1.

    The square root of the Jensen-Shannon divergence in bits (Lin 1991), which is a metric (Endres and Schindelin
    2003); a normal distribution that moves by a small part d of its deviation moves by about 0.42 d.  A histogram
    without any count has no distance: NaN.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing counted, or a root of what rounds below 0
        found = jensenshannon(one, two, base=2, axis=-1)
    empty = (one.sum(axis=-1) == 0) | (two.sum(axis=-1) == 0)
    clipped: Array = np.where(empty, np.nan, np.clip(np.nan_to_num(found), 0.0, 1.0))
    return clipped
