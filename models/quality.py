"""How far a face's embedding can be trusted: the probability that it matches a good face of the same person.

Two things foretell that, under any embedder: how sure the mesh is of there being a face, which falls with blur, small
size, turned heads and whatever covers a part of them, and how sharp the aligned face is.  Norms of embeddings add
little to both (docs/models.md).  Fitted by eval.quality to pictures made worse on purpose; costs 0.1 ms.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.landmarks import Placed
from models.network import Chip

_SIDE = 56  # half an aligned chip: grain and compression are averaged out, what tells people apart is not
_FLAT = 1e-3  # added to the deviation of a chip without any edge


def estimate_quality(placed: Placed, chip: Chip, calibration: Calibration) -> float:
    """The quality, 0 to 1, of a face whose aligned chip uint8[112, 112, 3] is given."""
    odds = float(quality_terms(placed.presence, sharpness(chip)) @ calibration["odds"])
    return 1 / (1 + math.exp(-odds))


def sharpness(chip: Chip) -> float:
    """The logarithm of the standard deviation of the Laplacian at half the size."""
    small = cv2.resize(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return math.log(float(cv2.Laplacian(small, cv2.CV_32F).std()) + _FLAT)


def quality_terms(presence: float, sharp: float) -> NDArray[np.float64]:
    """float64[4], what the log odds of a match are linear in; above 0, presence counts by its root."""
    return np.array([1, math.sqrt(max(0.0, presence)), min(0.0, presence), sharp])
