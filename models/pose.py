"""The direction of a head: yaw and pitch from Hopenet-lite on the face turned upright, roll from the eyes.

Signs are those of facealbum.domain.faces.Face; the network counts yaw the other way round.  It sees only upright
heads, so it stays right when the head is tilted; the price is that roll is no better than the two eye landmarks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import cut, upright_square
from models.detector import Detection
from models.landmarks import roll_of
from models.network import Network

_BINS = 66
_DEGREES = 3.0 * np.arange(_BINS, dtype=np.float32) - 99.0
_CROP = 1.2
_LEVEL = -8.0  # the pitch that the network gives for level portraits


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees; positive: nose to the right of the picture, nose up, head clockwise as seen in the picture."""

    yaw: float
    pitch: float
    roll: float


def estimate_pose(network: Network, picture: NDArray[np.uint8], face: Detection) -> Pose:
    """The pose of one face in an RGB picture."""
    roll = roll_of(face.landmarks)
    square = upright_square(face.box, roll, scale=_CROP, size=network.size)
    yaw, pitch, _ = network.run(cut(picture, square, network.size)).reshape(3, _BINS)
    return Pose(-_expected(yaw), _expected(pitch) - _LEVEL, roll)


def _expected(logits: NDArray[np.float32]) -> float:
    weights = np.exp(logits - logits.max())
    return float(weights @ _DEGREES / weights.sum())
