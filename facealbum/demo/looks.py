"""One portrait in many looks: framing, light, tilt, focus, mirror.

Deterministic: all chance comes from the generator that is passed in.  The price of looks made from few pictures: they
differ far less than real photos of a person do, so the demo shows how the product works and measures nothing.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box

_FACE_SHARE = 0.36  # a face fills at least this much of the height
_MARGIN = 0.12  # of the face's size, kept free around it


@dataclass(frozen=True, slots=True)
class Look:
    """How one portrait is shown; `zoom` multiplies the face's size, `shift_x` and `shift_y` go from -1 to 1."""

    zoom: float
    shift_x: float
    shift_y: float
    angle: float
    contrast: float
    brightness: float
    blur: float
    mirror: bool


def draw_look(chance: np.random.Generator) -> Look:
    """A look that keeps the face detectable."""
    zoom, shift_x, shift_y, angle, contrast, brightness, blur, mirror = chance.random(8).tolist()
    return Look(
        zoom=1 + 0.2 * zoom,
        shift_x=2 * shift_x - 1,
        shift_y=2 * shift_y - 1,
        angle=14 * angle - 7,
        contrast=0.8 + 0.35 * contrast,
        brightness=50 * brightness - 25,
        blur=max(0.0, 2.2 * blur - 1),
        mirror=mirror > 0.6,  # noqa: PLR2004 - two looks in five
    )


def show(pixels: NDArray[np.uint8], face: Box, look: Look, *, height: int) -> tuple[NDArray[np.uint8], Box]:
    """The portrait (uint8[h, w, 3]) in this look, `height` pixels high, and where its face is then."""
    rows, columns = pixels.shape[:2]
    share = max(face.height / rows, _FACE_SHARE) * look.zoom
    scale = share * height / face.height
    window_w, window_h = columns * height / rows / scale, height / scale
    x = _centre(face.x1, face.x2, window_w, columns, shift=look.shift_x)
    y = _centre(face.y1, face.y2, window_h, rows, shift=look.shift_y)
    width = round(columns * height / rows)
    turn = np.asarray(cv2.getRotationMatrix2D((x, y), look.angle, scale), np.float64)
    turn[:, 2] += np.array((width / 2 - x, height / 2 - y))
    seen = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)
    if look.blur:
        seen = cv2.GaussianBlur(seen, (0, 0), look.blur)
    seen = cv2.convertScaleAbs(np.clip(seen * look.contrast + look.brightness, 0, 255))
    box = _moved(face, turn)
    if look.mirror:
        seen, box = seen[:, ::-1], Box(width - box.x2, box.y1, width - box.x1, box.y2)
    return np.ascontiguousarray(seen, np.uint8), box


def _centre(low: float, high: float, window: float, size: float, *, shift: float) -> float:
    """Where the window's centre goes: inside the picture, with the face inside the window."""
    margin = _MARGIN * (high - low)
    first = max(window / 2, high + margin - window / 2)
    last = min(size - window / 2, low - margin + window / 2)
    return (first + last + shift * max(0.0, last - first)) / 2


def _moved(box: Box, turn: NDArray[np.float64]) -> Box:
    corners = np.array([[x, y, 1] for x in (box.x1, box.x2) for y in (box.y1, box.y2)]) @ turn.T
    (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Box(x1, y1, x2, y2)
