"""Square chips of a face as each network was trained on them.

A similarity transform (turn, scale, shift; no shear, no mirror) brings five landmarks onto a template, or a box
upright into the chip.  A large face is taken from a halved picture, so it does not alias.
"""

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.network import Chip

Picture: TypeAlias = NDArray[np.uint8]
"""uint8[rows, columns, 3], RGB."""
Points: TypeAlias = NDArray[np.float32]
"""float32[5, 2]: eye at the left, eye at the right, nose tip, mouth corner at the left, at the right."""
Transform: TypeAlias = NDArray[np.float64]
"""float64[2, 3], from pixels of the picture to pixels of the chip."""

ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""The template of ArcFace for a chip of 112 pixels."""

_DLIB = np.array([[0.2273, 0.2154], [0.753, 0.2154], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]], np.float32)
_DLIB_PADDING = 0.2


def dlib_template(size: int) -> Points:
    """Where dlib's face chips with padding 0.2 have the landmarks."""
    return (_DLIB + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * size


def similarity(points: Points, template: Points) -> Transform:
    """The turn, scale and shift that brings the points closest to the template, by least squares."""
    source = points[:, 0] + 1j * points[:, 1].astype(np.float64)
    target = template[:, 0] + 1j * template[:, 1].astype(np.float64)
    centred = source - source.mean()
    spread = np.vdot(centred, centred).real
    turn = np.vdot(centred, target - target.mean()) / spread if spread else 1
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def upright_square(box: Box, roll: float, *, scale: float, size: int) -> Transform:
    """The square of `scale` times the longer side around the box, turned back by `roll` degrees, as a chip."""
    centre_x, centre_y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    factor = size / (scale * max(box.width, box.height))
    cosine, sine = factor * np.cos(np.radians(roll)), factor * np.sin(np.radians(roll))
    linear = np.array([[cosine, sine], [-sine, cosine]])
    shift = size / 2 - linear @ np.array([centre_x, centre_y])
    return np.column_stack([linear, shift])


class Pyramid:
    """A picture at its full size and at exact halves of it, each made when first asked for (Burt and Adelson 1983).

    All chips of a photo are cut from one: what one face needs halved, the next finds halved.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._levels = [picture]

    def level(self, halvings: int) -> tuple[Picture, int]:
        """The picture halved so often, or as often as its pixels allow, and how often that was."""
        while len(self._levels) <= halvings and min(self._levels[-1].shape[:2]) > 1:
            last = self._levels[-1]
            rows, columns = last.shape[0] // 2, last.shape[1] // 2
            halved = cv2.resize(last[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
            self._levels.append(halved.astype(np.uint8, copy=False))
        found = min(halvings, len(self._levels) - 1)
        return self._levels[found], found


def cut(pyramid: Pyramid, transform: Transform, size: int) -> Chip:
    """The chip uint8[size, size, 3] that the transform takes from the whole picture; black outside of it."""
    shrink = 1 / max(float(np.hypot(*transform[:, 0])), 1e-6)
    picture, halvings = pyramid.level(max(0, int(math.log2(shrink))))
    linear, shift = transform[:, :2], transform[:, 2]
    factor = 2**halvings
    centre = np.full(2, (factor - 1) / 2)  # of the first pixel, in pixels of the whole picture
    from_level = np.column_stack([linear * factor, linear @ centre + shift])
    return cv2.warpAffine(picture, from_level, (size, size), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
