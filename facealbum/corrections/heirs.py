"""Which face of a photo is which, when another detector has found its faces anew."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId

OVERLAP = 0.5
"""Intersection over union from which two boxes are of one face: half of it is what detectors are scored by."""


def find_heirs(old: Mapping[FaceId, Box], new: Mapping[FaceId, Box]) -> dict[FaceId, FaceId]:
    """For each old face of a photo the new one in its place, if there is one.

    No face has two heirs or is the heir of two; of all such pairings it is the one with most overlap in sum.
    """
    if not (old and new):
        return {}
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - half a second, which most photos need not pay

    olds, news = sorted(old), sorted(new)
    overlaps = _overlaps(_corners([old[face] for face in olds]), _corners([new[face] for face in news]))
    overlaps[overlaps < OVERLAP] = 0
    pairs = zip(*linear_sum_assignment(overlaps, maximize=True), strict=True)
    return {olds[row]: news[column] for row, column in pairs if overlaps[row, column] > 0}


def _corners(boxes: list[Box]) -> NDArray[np.float64]:
    return np.array([(box.x1, box.y1, box.x2, box.y2) for box in boxes], np.float64)


def _overlaps(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of float64[n, 4] and float64[m, 4]: float64[n, m]."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas, other_areas = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (some, others))
    together: NDArray[np.float64] = shared / (areas[:, None] + other_areas[None, :] - shared)
    return together
