"""Faces in a picture: YuNet on the picture at one moderate size, and again closer where that pays.

Boxes and landmarks come back in pixels of the picture they were asked for.  The order is by falling score, then
from the top and from the left, so equal pixels give an equal list.
"""

from dataclasses import dataclass

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
        self._side = int(spec.constants["side"][0])
        content = np.frombuffer(spec.read(), np.uint8)
        (score,), (overlap,) = spec.constants["score"], spec.constants["overlap"]
        self._net = cv2.FaceDetectorYN.create("onnx", content, np.empty(0, np.uint8), (320, 320), score, overlap)

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces of an RGB picture uint8[rows, columns, 3]."""
        rows, columns, _ = picture.shape
        shrink = min(1.0, self._side / max(rows, columns))
        size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if shrink < 1 else picture
        return [_detection(row, (columns / size[0], rows / size[1])) for row in self._raw(small)]

    def _raw(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32[faces, 15]: left, top, width, height, five points, score."""
        rows, columns, _ = picture.shape
        self._net.setInputSize((columns, rows))
        _, found = self._net.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return np.empty((0, 15), np.float32) if found is None else found


def _detection(row: NDArray[np.float32], scale: tuple[float, float]) -> Detection:
    points = row[4:14].reshape(5, 2) * np.float32(scale)
    (left, top), (width, height) = row[:2] * scale, row[2:4] * scale
    return Detection(Box(float(left), float(top), float(left + width), float(top + height)), points, float(row[14]))
