"""What analysis says of one face."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

EMBEDDING_SIZE = 512

Embedding: TypeAlias = NDArray[np.float32]
"""float32[512], L2-normalised, of one named embedding space; vectors of two spaces are never compared."""


STRONGLY_TURNED = 60.0
"""Degrees to either side beyond which too little of a face is seen for it to found a person."""


def is_turned(yaw: float) -> bool:
    """Whether a face is strongly turned to a side; yaw: degrees."""
    return abs(yaw) > STRONGLY_TURNED


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright image; x grows to the right, y downwards; may pass the border."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.y2 - self.y1


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detection in one photo.

    landmarks: float32[5, 2] in pixels of the upright image: the eye at the left of the picture, the eye at the
    right, nose tip, mouth corner at the left, mouth corner at the right.
    yaw, pitch, roll: degrees; positive yaw turns the nose to the right of the picture, positive pitch lifts it,
    positive roll turns the head clockwise as seen in the picture.
    age: years; p_female, quality and score (the detector's confidence): 0 to 1.
    embedding: float32[512], L2-normalised.  embedding_norm: the length of the network's output before; of several
    networks the geometric mean, None if unknown.
    """

    box: Box
    landmarks: NDArray[np.float32]
    yaw: float
    pitch: float
    roll: float
    age: float
    p_female: float
    quality: float
    score: float
    embedding: Embedding
    embedding_norm: float | None = None

    @property
    def turned(self) -> bool:
        """Whether it is strongly turned to a side."""
        return is_turned(self.yaw)
