"""The direction of a head, read off its face mesh: which way its left-to-right axis and its upright axis point.

The mesh is there anyway, so this costs nothing; against hand-placed landmarks it was as good as a network that is
made for it (docs/models.md).  The axes rest on parts of the face that stay where they are when the mouth opens.
Signs are those of facealbum.domain.faces.Face.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import Points
from models.landmarks import Mesh, Placed, roll_of

_LEFT, _RIGHT = [33, 234, 61], [263, 454, 291]  # outer corners of the eyes, cheeks, corners of the mouth
_TOP, _BOTTOM = 10, 2  # top of the forehead, below the nose
_NOSE_DEPTH = 0.6  # how far the nose tip stands out of the eyes' plane, in distances between the eyes


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees; positive: nose to the right of the picture, nose up, head clockwise as seen in the picture."""

    yaw: float
    pitch: float
    roll: float


def estimate_pose(placed: Placed) -> Pose:
    """The pose of one face; without a mesh, a rough one of its five points, whose pitch is 0."""
    if placed.mesh is None:
        return _of_points(placed.face.landmarks)
    return _of_mesh(placed.mesh)


def _of_mesh(mesh: Mesh) -> Pose:
    across = _unit((mesh[_RIGHT] - mesh[_LEFT]).sum(axis=0))
    down = mesh[_BOTTOM] - mesh[_TOP]
    down = _unit(down - across * (down @ across))
    ahead = np.cross(down, across)  # towards the camera, so its depth is negative
    yaw = math.atan2(ahead[0], -ahead[2])
    pitch = -math.asin(ahead[1])
    roll = math.atan2(across[1], across[0])
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float64]:
    return vector.astype(np.float64) / np.linalg.norm(vector)


def _of_points(landmarks: Points) -> Pose:
    left, right, nose = landmarks[:3].astype(np.float64)
    eyes = right - left
    aside = float((nose - (left + right) / 2) @ eyes / (eyes @ eyes))
    return Pose(math.degrees(math.atan(aside / _NOSE_DEPTH)), 0.0, roll_of(landmarks))
