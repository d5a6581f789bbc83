"""Pictures of a face made worse on purpose: the ways in which photos of a family are bad, at every strength."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box

Picture: TypeAlias = NDArray[np.uint8]
Fault: TypeAlias = Callable[[Picture, np.random.Generator], Picture]

_MARGIN = 1.1  # of the face's longer side, from its centre to each edge of the cut-out
_SIDE = 200.0  # a larger face is shrunk to this first, so that a fault's strength means the same for all
_FACE = 1 / (2 * _MARGIN)  # the face's share of the cut-out


def cut_out(picture: Picture, box: Box) -> Picture:
    """The face with its surroundings."""
    side = max(box.width, box.height)
    x, y, reach = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, _MARGIN * side
    part = picture[max(0, round(y - reach)) : round(y + reach), max(0, round(x - reach)) : round(x + reach)]
    return _resized(part, min(1.0, _SIDE / side))


def small(picture: Picture, draw: np.random.Generator) -> Picture:
    """A face of 10 to 96 pixels."""
    side = np.exp(draw.uniform(np.log(10), np.log(96)))
    return _resized(picture, min(1.0, side / (_FACE * max(picture.shape))))


def blurred(picture: Picture, draw: np.random.Generator) -> Picture:
    """Out of focus by 0.8 to 9 % of the face."""
    radius = np.exp(draw.uniform(np.log(0.008), np.log(0.09))) * _FACE * max(picture.shape)
    return cv2.GaussianBlur(picture, (0, 0), radius).astype(np.uint8, copy=False)


def shaken(picture: Picture, draw: np.random.Generator) -> Picture:
    """Moved by 6 to 50 % of the face while it was taken."""
    reach = max(2, round(draw.uniform(0.03, 0.25) * _FACE * max(picture.shape)))
    angle = draw.uniform(0, np.pi)
    across, down = round(reach * np.cos(angle)), round(reach * np.sin(angle))
    path = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    cv2.line(path, (reach - across, reach - down), (reach + across, reach + down), 1.0)
    return cv2.filter2D(picture, -1, path / path.sum()).astype(np.uint8, copy=False)


def noisy(picture: Picture, draw: np.random.Generator) -> Picture:
    """Grain of 8 to 70 grey values."""
    return _bytes(picture + draw.normal(0, draw.uniform(8, 70), picture.shape))


def dark(picture: Picture, draw: np.random.Generator) -> Picture:
    """3 to 40 % of the light, and a little grain."""
    return _bytes(picture * np.exp(draw.uniform(np.log(0.03), np.log(0.4))) + draw.normal(0, 3, picture.shape))


def covered(picture: Picture, draw: np.random.Generator) -> Picture:
    """A mask, a bar over the eyes, a wall at one side, or a patch anywhere on the face."""
    rows, columns, _ = picture.shape
    share = draw.uniform(0.25, 0.6)
    left, top = draw.uniform(0, 1 - share, 2)
    low, high, side = draw.uniform(0.5, 0.65), draw.uniform(0.45, 0.55), draw.uniform(0.25, 0.6)
    places = ((0, low, 1, 1), (0, 0.28, 1, high), (0, 0, side, 1), (left, top, left + share, top + share))
    x1, y1, x2, y2 = np.array(places[draw.integers(len(places))]) * _FACE + (1 - _FACE) / 2
    part = np.s_[round(y1 * rows) : round(y2 * rows), round(x1 * columns) : round(x2 * columns)]
    result = picture.copy()
    result[part] = _bytes(draw.integers(0, 255, 3) + draw.normal(0, 12, result[part].shape))
    return result


def compressed(picture: Picture, draw: np.random.Generator) -> Picture:
    """JPEG of quality 3 to 20."""
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(3, 20))])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


FAULTS: tuple[Fault, ...] = (small, blurred, shaken, noisy, dark, covered, compressed)


def _resized(picture: Picture, factor: float) -> Picture:
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _bytes(values: NDArray[np.float64]) -> Picture:
    return np.clip(values, 0, 255).astype(np.uint8)
