"""Landmarks that follow a tilted head: MediaPipe's face mesh, looking again until the head stands upright to it.

YuNet's five points lean towards an upright face: of 20 degrees of tilt they show about none, and the embedding of a
face aligned by them falls to a cosine of 0.72 with itself upright; with the mesh it stays at 0.99.  It costs two
looks of about two milliseconds for most faces.
"""

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.alignment import Points, Pyramid, cut, upright_square
from models.detection import Detection
from models.network import Network

_CROP = 1.3
_MOST_LOOKS = 6
_STILL = 5.0  # degrees between two looks
_EYES, _REST = [[33, 133], [362, 263]], [1, 61, 291]  # corners of each eye; nose tip, corners of the mouth
_PRESENT = 0.0  # logit of the mesh being on a face
_OFF = 1 / 6  # of a face's longer side: as far off its middle a mesh may lie; between two faces it lies on one

Mesh: TypeAlias = NDArray[np.float32]
"""float32[468, 3], MediaPipe's face mesh in pixels of the picture; depth grows away from the camera."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A face with its landmarks in place.

    mesh: None where the network sees no face; then the landmarks are still the detector's.
    presence: the network's last logit of there being a face, which falls when the face is covered or blurred.
    """

    face: Detection
    mesh: Mesh | None
    presence: float


def roll_of(landmarks: Points) -> float:
    """Degrees by which the line from the left to the right eye falls."""
    across, down = (landmarks[1] - landmarks[0]).tolist()
    return math.degrees(math.atan2(down, across))


def place_landmarks(network: Network, pyramid: Pyramid, face: Detection) -> Placed:
    """The face of an RGB picture with better landmarks."""
    roll = roll_of(face.landmarks)
    for _ in range(_MOST_LOOKS):
        mesh, presence = _look(network, pyramid, face.box, roll)
        if presence <= _PRESENT:
            return Placed(face, None, presence)
        landmarks = _five_points(mesh)
        before, roll = roll, roll_of(landmarks)
        if abs(roll - before) < _STILL:
            break
    return Placed(replace(face, landmarks=landmarks), mesh, presence)


def is_face(network: Network, pyramid: Pyramid, face: Detection, *, presence: float) -> bool:
    """Whether the network sees a face there, and not one beside it, with more than this logit; costs one look."""
    mesh, seen = _look(network, pyramid, face.box, roll_of(face.landmarks))
    box = face.box
    off = (mesh.min(0) + mesh.max(0))[:2] / 2 - [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2]
    return seen > presence and math.hypot(*off) < _OFF * max(box.width, box.height)


def _look(network: Network, pyramid: Pyramid, box: Box, roll: float) -> tuple[Mesh, float]:
    """The mesh of the face in a box when the picture is turned back by `roll`, and its presence."""
    transform = upright_square(box, roll, scale=_CROP, size=network.size)
    result = network.run(cut(pyramid, transform, network.size))
    linear, shift = transform[:, :2], transform[:, 2]
    chip = result[:-1].reshape(-1, 3)
    across_and_down = np.linalg.solve(linear, (chip[:, :2] - shift).T).T
    depth = chip[:, 2:] / np.hypot(*linear[:, 0])
    return np.hstack([across_and_down, depth]).astype(np.float32), float(result[-1])


def _five_points(mesh: Mesh) -> Points:
    return np.concatenate([mesh[_EYES].mean(axis=1), mesh[_REST]])[:, :2]
