"""Faces in a picture: YuNet looks once at a moderate size, and a second time closer where that pays.

It pays in a large picture where the first look found or suspected a small face: where one is small, others may be
too small for it.  The second look only adds small faces, and only such as it is sure of.  Boxes and landmarks come
back in pixels of the picture they were asked for.  The order is by falling score, then from the top and from the
left, so equal pixels give an equal list.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.alignment import Points
from models.registry import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face; landmarks as in facealbum.domain.faces.Face."""

    box: Box
    landmarks: Points
    score: float


class Detector:
    """YuNet, ready to run; not to be shared between threads."""

    def __init__(self, spec: ModelSpec) -> None:
        constants = spec.constants
        (self._doubt, self._score), (self._closer_score,) = constants["score"], constants["closer_score"]
        (self._overlap,), (self._small,) = constants["overlap"], constants["small"]
        self._sides = tuple(int(side) for side in constants["sides"])
        content = np.frombuffer(spec.read(), np.uint8)
        with _quiet():
            self._net = cv2.FaceDetectorYN.create(
                "onnx", content, np.empty(0, np.uint8), self._sides, self._doubt, self._overlap
            )

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces of an RGB picture uint8[rows, columns, 3]."""
        first, second = self._sides
        suspected = self._look(picture, first)
        found = [face for face in suspected if face.score >= self._score]
        longest, small = max(picture.shape), self._small * max(picture.shape) / first
        if longest >= second and any(_side(face) < small for face in suspected):
            closer = self._look(picture, second)
            found += [face for face in closer if face.score >= self._closer_score and _side(face) < small]
        kept: list[Detection] = []
        for face in sorted(found, key=_order):
            if all(_overlap(face.box, other.box) < self._overlap for other in kept):
                kept.append(face)
        return kept

    def _look(self, picture: NDArray[np.uint8], side: int) -> list[Detection]:
        """Every face that it suspects in the picture when that is at most `side` pixels long."""
        rows, columns, _ = picture.shape
        shrink = min(1.0, side / max(rows, columns))
        width, height = max(1, round(columns * shrink)), max(1, round(rows * shrink))
        small = _shrunk(picture, width, height)
        self._net.setInputSize((width, height))
        _, found = self._net.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        if found is None:  # OpenCV's types do not know of it
            return []
        return [_detection(row, (columns / width, rows / height)) for row in found]


def _shrunk(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """The picture at a smaller size, by exact halves and then by interpolation, ten times faster than by areas."""
    rows, columns, _ = picture.shape
    while columns >= 2 * width and rows >= 2 * height:
        columns, rows = columns // 2, rows // 2
        picture = cv2.resize(picture[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(picture, (width, height)) if (columns, rows) != (width, height) else picture


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV without its note that a target can't be chosen, which no caller can act on."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _detection(row: NDArray[np.float32], scale: tuple[float, float]) -> Detection:
    """A row float32[15] of YuNet: left, top, width, height, five points, score."""
    points = row[4:14].reshape(5, 2) * np.array(scale, np.float32)
    left, top, width, height = (row[:4] * np.array([*scale, *scale], np.float32)).tolist()
    return Detection(Box(left, top, left + width, top + height), points, float(row[14]))


def _side(face: Detection) -> float:
    return max(face.box.width, face.box.height)


def _order(face: Detection) -> tuple[float, float, float]:
    return -face.score, face.box.y1, face.box.x1


def _overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first.x2, second.x2) - max(first.x1, second.x1)
    height = min(first.y2, second.y2) - max(first.y1, second.y1)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (first.width * first.height + second.width * second.height - shared)
