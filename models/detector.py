"""Faces in a picture: a quick look at the whole, a second one at what is in doubt, a closer one where faces are small.

Most photos of a family pay for the first look alone.  A candidate that is not clearly an upright face is looked at
again from all pixels and turned (second_look).  Where no face is large, some may be too small to be seen: the
picture's quarters are looked at, and theirs in turn where that shows small ones.  A photo decoded at half size is
enough: no more is found at 4,000 pixels than at 2,000.  Boxes and landmarks come back in pixels of the picture they
were asked for.  The order is by falling score, then from the top and from the left, so equal pixels give an equal list.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.alignment import Points
from models.registry import ModelSpec
from models.second_look import look_again
from models.shrink import shrunk
from models.yunet import SCORE, Candidates, YuNet, distinct, moved

_MOST_DOUBTS = 100
"""Of one picture, so that no picture costs more than about a second; then the first look's score has to do."""
_CLOSER = 1.5
"""So many times smaller than the picture must a look be for closer ones to show more."""
_PART = 0.55
"""Of width and height: a quarter of a picture; they overlap by more than a small face."""


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
        self._long, self._short = (int(side) for side in constants["canvas"])
        self._doubt, self._sure = constants["first_score"]
        (self._score,) = constants["score"]
        self._small, self._large = constants["small_and_large"]
        self._net = YuNet(spec)

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces of an RGB picture uint8[rows, columns, 3]."""
        looks = self._looks(picture, iter(range(_MOST_DOUBTS)))
        return [_detection(row) for row in distinct(np.concatenate(list(looks)))]

    def _looks(
        self, picture: NDArray[np.uint8], doubts: Iterator[int], *, largest: float = math.inf
    ) -> Iterator[Candidates]:
        """The faces up to `largest` of the picture, then of its parts; `doubts` are the second looks that are left."""
        rows, columns, _ = picture.shape
        scale = max(1.0, min(rows, columns) / self._short, max(rows, columns) / self._long)
        found = self._look(picture, scale, doubts, largest=largest)
        yield found
        sides, whole = _sides(found) / scale, largest == math.inf
        if scale >= _CLOSER and ((sides < self._small).any() or (whole and not (sides >= self._large).any())):
            for part, offset in _quarters(picture):
                for faces in self._looks(part, doubts, largest=self._large * scale):
                    yield moved(faces, (1, 1), offset)

    def _look(self, picture: NDArray[np.uint8], scale: float, doubts: Iterator[int], *, largest: float) -> Candidates:
        """The faces that show when the whole picture is `scale` times smaller, which fits the canvas."""
        rows, columns, _ = picture.shape
        canvas = (self._short, self._long) if columns >= rows else (self._long, self._short)
        width, height = max(1, round(columns / scale)), max(1, round(rows / scale))
        candidates = self._net.look(shrunk(picture, width, height), canvas, least=self._doubt)
        placed = moved(candidates, (columns / width, rows / height), (0, 0))
        checked = (self._checked(picture, row, doubts) for row in placed[_sides(placed) < largest])
        return np.array([row for row in checked if row is not None], np.float32).reshape(-1, SCORE + 1)

    def _checked(
        self, picture: NDArray[np.uint8], face: NDArray[np.float32], doubts: Iterator[int]
    ) -> NDArray[np.float32] | None:
        """The face as the better of two looks has it; None if neither is certain enough."""
        if face[SCORE] < self._sure and next(doubts, None) is not None:
            again = look_again(self._net, picture, face, enough=self._sure)
            if again is not None and again[SCORE] > face[SCORE]:
                face = again
        return face if face[SCORE] >= self._score else None


def _sides(faces: Candidates) -> NDArray[np.float32]:
    """The longer side of each box."""
    longer: NDArray[np.float32] = (faces[:, 2:4] - faces[:, :2]).max(1, initial=0)
    return longer


def _quarters(picture: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
    """Its four overlapping parts, each with the column and row where it begins."""
    rows, columns, _ = picture.shape
    height, width = round(rows * _PART), round(columns * _PART)
    for top in (0, rows - height):
        for left in (0, columns - width):
            yield picture[top : top + height, left : left + width], (left, top)


def _detection(row: NDArray[np.float32]) -> Detection:
    return Detection(Box(*row[:4].tolist()), row[4:SCORE].reshape(5, 2), float(row[SCORE]))
