"""Square chips of a face as each network was trained on them.

A similarity transform (turn, scale, shift; no shear, no mirror) brings five landmarks onto a template, or a box
upright into the chip.  Strong reductions are averaged first, so a large face does not alias.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.network import Chip

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
_SHRINK = 2  # a chip pixel may stand for so many picture pixels before they are averaged


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


def cut(picture: NDArray[np.uint8], transform: Transform, size: int) -> Chip:
    """The chip uint8[size, size, 3] that the transform takes from the picture; black outside of it."""
    shrink = int(1 / max(np.hypot(*transform[:, 0]), 1e-6))
    if shrink >= _SHRINK:
        picture, transform = _averaged(picture, transform, size, shrink=shrink)
    return cv2.warpAffine(picture, transform, (size, size), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _averaged(
    picture: NDArray[np.uint8], transform: Transform, size: int, *, shrink: int
) -> tuple[NDArray[np.uint8], Transform]:
    """The part of the picture that the chip shows, smaller by `shrink`, and the transform from there."""
    rows, columns, _ = picture.shape
    linear, shift = transform[:, :2], transform[:, 2]
    chip_corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    corners = np.linalg.solve(linear, (chip_corners - shift).T).T
    left, top = np.clip(np.floor(corners.min(0)) - shrink, 0, (columns - 1, rows - 1)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + shrink, (left + 1, top + 1), (columns, rows)).astype(int)
    part = picture[top:bottom, left:right]
    small_size = max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink))
    small = cv2.resize(part, small_size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    ratio = np.diag([(right - left) / small_size[0], (bottom - top) / small_size[1]])
    offset = (ratio.diagonal() - 1) / 2 + np.array([left, top])  # pixel centres of the small picture in the large one
    return small, np.column_stack([linear @ ratio, linear @ offset + shift])
