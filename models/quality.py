"""How much a face's embedding can be trusted, 0 to 1: the product of sharpness, size, pose and certainty.

Each factor rises in a straight line from 0 at a value where embeddings are useless to 1 where more of it no longer
helps.  A product, because one fault is enough to spoil a face.
"""

import math

import cv2
import numpy as np

from models.detector import Detection
from models.network import Chip
from models.pose import Pose

# Value of factor 0, value of factor 1.
_SHARPNESS = (1.0, 3.5)  # logarithm (base e) of the standard deviation of the Laplacian of the aligned chip
_EYES = (6.0, 32.0)  # pixels of the photo between the eyes
_TURN = (75.0, 25.0)  # degrees of yaw and pitch together
_SCORE = (0.3, 0.9)  # of the detector
_FLOOR = 0.1  # no single factor says more than "ten times worse"


def estimate_quality(face: Detection, pose: Pose, chip: Chip, *, scale: float) -> float:
    """The quality of a face whose aligned chip is given; `scale` is photo pixels per pixel of the landmarks."""
    blur = float(cv2.Laplacian(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0])) * scale
    return math.prod(
        (
            _factor(math.log(blur + 1e-6), _SHARPNESS),
            _factor(eyes, _EYES),
            _factor(math.hypot(pose.yaw, pose.pitch), _TURN),
            _factor(face.score, _SCORE),
        )
    )


def _factor(value: float, limits: tuple[float, float]) -> float:
    none, full = limits
    return min(1.0, max(_FLOOR, (value - none) / (full - none)))
