"""What people wear before their faces, drawn over faces of albums: dark glasses, a mask, a cap, a hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.pasted_faces import Picture, Sample
from models.alignment import Points
from models.detector import Detector

Shape: TypeAlias = tuple[tuple[float, float], ...]
Colour: TypeAlias = tuple[int, int, int]

_RING = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_SUBPIXEL = 4  # bits


def _oval(across: float, down: float, width: float, height: float, turn: float = 0.0) -> Shape:
    """An oval by its centre, half its width and height, and its turn clockwise in radians."""
    x, y = width * np.cos(_RING), height * np.sin(_RING)
    cosine, sine = np.cos(turn), np.sin(turn)
    return tuple(zip(across + cosine * x - sine * y, down + sine * x + cosine * y, strict=True))


_BLACK, _BLUE, _RED, _DARK_RED, _SKIN = (25, 25, 30), (190, 215, 230), (150, 30, 40), (100, 15, 25), (205, 160, 135)
COVERS: Mapping[str, tuple[tuple[Shape, Colour], ...]] = {
    "dark glasses": (
        (_oval(-0.5, 0.05, 0.42, 0.32), _BLACK),
        (_oval(0.5, 0.05, 0.42, 0.32), _BLACK),
        (((-1.1, -0.12), (1.1, -0.12), (1.1, 0.0), (-1.1, 0.0)), _BLACK),
    ),
    "mask": ((((-0.95, 0.4), (0, 0.25), (0.95, 0.4), (0.85, 1.2), (0.45, 1.7), (-0.45, 1.7), (-0.85, 1.2)), _BLUE),),
    "cap": (
        (((-1.15, -0.3), (-1.1, -1.0), (-0.7, -1.6), (0, -1.8), (0.7, -1.6), (1.1, -1.0), (1.15, -0.3)), _RED),
        (((-1.1, -0.5), (1.1, -0.5), (1.1, -0.25), (0, -0.1), (-1.1, -0.25)), _DARK_RED),
    ),
    "hand": (
        (_oval(0.65, 1.35, 0.65, 0.45, 0.6), _SKIN),
        *((_oval(-0.15, 0.75 + 0.22 * finger, 0.55, 0.1, 0.15), _SKIN) for finger in range(4)),
    ),
}
"""Shapes in widths of the eyes from the point between them, across and down the face, and RGB colours."""


def cover(picture: Picture, points: Points, kind: str) -> Picture:
    """The picture with its face covered; points: its five landmarks."""
    first, second = points[:2].astype(np.float64)
    middle, across = (first + second) / 2, second - first
    frame = np.array([across, [-across[1], across[0]]])
    result = picture.copy()
    for shape, colour in COVERS[kind]:
        corners: NDArray[np.int32] = np.round((middle + np.array(shape) @ frame) * 2**_SUBPIXEL).astype(np.int32)
        cv2.fillPoly(result, [corners], colour, cv2.LINE_AA, _SUBPIXEL)
    return result


def covered(samples: Sequence[Sample], detector: Detector, kind: str) -> list[Sample]:
    """Those of the samples whose landmarks the detector finds, covered."""
    result = []
    for sample in samples:
        found = [face for face in detector.detect(sample.picture) if sample.is_at(face.box)]
        result += [replace(sample, picture=cover(sample.picture, face.landmarks, kind)) for face in found[:1]]
    return result
