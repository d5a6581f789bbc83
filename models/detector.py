"""Faces in a picture: a quick look at the whole, a second one at what is in doubt, closer ones where faces are small.

Most photos of a family pay for the first look alone.  A candidate that is not clearly an upright face is looked at
again from all pixels and turned (second_look), and the face mesh has the last word on it.  Where no face is large, some
may be too small to be seen: the picture's quarters are looked at; where none shows, heads may lie: the whole is
turned.  Beside a small face there may be smaller ones: `search` looks at all of the picture in up to 25 parts, and
finds most with all the pixels that a photo has.  Where no face shows, `glimpse` tells whether that is worth while.
Boxes and landmarks come back in pixels of the picture they were asked for.  The order is by falling score, then from
the top and from the left, so equal pixels give an equal list.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.alignment import Pyramid
from models.detection import Detection
from models.landmarks import is_face
from models.network import Network, open_network
from models.registry import FOLDER, ModelSpec, load_specs
from models.second_look import look_again
from models.shrink import shrunk
from models.yunet import SCORE, Candidates, YuNet, distinct, moved, turned_back

_MOST_DOUBTS = 100
"""Of `detect` and again of `search`, so that neither takes longer than a second; then the first look has to do."""
_GLIMPSED_DOUBTS = 20
"""Of `glimpse`: more than that before the first face are texture."""
_CLOSER = 1.5
"""So many times smaller than the picture must a look be for closer ones to show more."""
_TURNS = (1, 3, 2)
"""Quarter turns, as the first look at a head that lies often has no doubt, it sees nothing."""
_MISSED = 1.5
"""So many times as large as a small face may one be that the quarters did not show."""
_SHARED = 2 / 11
"""Of its width and height, what a part of a picture shares with the next one: more than a small face."""
_QUARTERS = 2
"""Parts a side."""
_GLIMPSED_PARTS = 4
"""Parts a side: all that 12 megapixels decoded at half size show."""
_MOST_PARTS = 5
"""Parts a side: 12 megapixels are looked at at about half their size."""


class Detector:
    """YuNet, ready to run; not to be shared between threads."""

    def __init__(self, spec: ModelSpec, landmarks: Network) -> None:
        """landmarks: the face mesh, which has the last word where YuNet is not sure."""
        constants = spec.constants
        self._long, self._short = (int(side) for side in constants["canvas"])
        self._doubt, self._sure = constants["first_score"]
        self._least, self._score = constants["score"]
        self._clearly, self._rather = constants["presence"]
        self._small, self._large = constants["small_and_large"]
        self._net, self._landmarks = YuNet(spec), landmarks

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """The packaged one; raises ModelError if it can't be used."""
        specs = load_specs(folder)
        return cls(specs["detector"], open_network(specs["landmarks"]))

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces of an RGB picture uint8[rows, columns, 3] but for the smallest."""
        scale, doubts = self._scale(picture), iter(range(_MOST_DOUBTS))
        found = self._look(picture, doubts)
        sides = _sides(found) / scale
        if scale >= _CLOSER and ((sides < self._small).any() or not (sides >= self._large).any()):
            found = np.concatenate([found, *self._parts(picture, _QUARTERS, doubts, largest=self._large * scale)])
        if not len(found):
            found = np.concatenate([self._look(picture, doubts, turns=turns) for turns in _TURNS])
        return _detections(found)

    def glimpse(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The first face, from the top, that is too small for `detect` in a picture where that found none.

        What counts is what `search` finds in as many pixels as such a face needs.
        """
        scale, doubts = self._scale(picture), iter(range(_GLIMPSED_DOUBTS))
        times, quarter = min(_GLIMPSED_PARTS, math.ceil(scale)), _share(_QUARTERS) * scale
        if quarter < _CLOSER:
            return []
        looks = self._parts(picture, times, doubts, largest=_MISSED * self._small * quarter)
        return next((_detections(seen[:1]) for seen in looks if len(seen)), [])

    def search(self, picture: NDArray[np.uint8], found: Sequence[Detection]) -> list[Detection]:
        """The faces found by `detect`, in pixels of this picture, and smaller ones if one of them is small.

        The picture may have more pixels than the one where they were found.  Where none was, all are searched for.
        """
        rows, scale = _rows(found), self._scale(picture)
        times, quarter = min(_MOST_PARTS, math.ceil(scale)), _share(_QUARTERS) * scale
        small = self._small * quarter
        if quarter < _CLOSER or (found and not (_sides(rows) < small).any()):
            return list(found)
        doubts = iter(range(_MOST_DOUBTS))
        return _detections(np.concatenate([rows, *self._parts(picture, times, doubts, largest=_MISSED * small)]))

    def _parts(
        self, picture: NDArray[np.uint8], times: int, doubts: Iterator[int], *, largest: float
    ) -> Iterator[Candidates]:
        """The faces up to `largest` that show when the picture's parts are looked at, `times` a side."""
        rows, columns, _ = picture.shape
        height, width = (max(1, round(side * _share(times))) for side in (rows, columns))
        for top in _spread(rows - height, times):
            for left in _spread(columns - width, times):
                part = picture[top : top + height, left : left + width]
                yield moved(self._look(part, doubts, largest=largest), (1, 1), (left, top))

    def _scale(self, picture: NDArray[np.uint8]) -> float:
        """How many times smaller the picture must be to fit the canvas."""
        rows, columns, _ = picture.shape
        scale: float = max(1.0, min(rows, columns) / self._short, max(rows, columns) / self._long)
        return scale

    def _look(
        self, picture: NDArray[np.uint8], doubts: Iterator[int], *, largest: float = math.inf, turns: int = 0
    ) -> Candidates:
        """The faces up to `largest` that show on the canvas; `doubts` are the second looks that are left."""
        rows, columns, _ = picture.shape
        scale = self._scale(picture)
        width, height = max(1, round(columns / scale)), max(1, round(rows / scale))
        small = np.rot90(shrunk(picture, width, height), turns)
        canvas = (self._short, self._long) if small.shape[1] >= small.shape[0] else (self._long, self._short)
        candidates = turned_back(self._net.look(small, canvas, least=self._doubt), turns, (height, width))
        placed = moved(candidates, (columns / width, rows / height), (0, 0))
        pyramid = Pyramid(picture)
        checked = (self._checked(pyramid, row, doubts) for row in placed[_sides(placed) < largest])
        return np.array([row for row in checked if row is not None], np.float32).reshape(-1, SCORE + 1)

    def _checked(
        self, pyramid: Pyramid, face: NDArray[np.float32], doubts: Iterator[int]
    ) -> NDArray[np.float32] | None:
        """The face as the better of two looks has it; None if neither they nor the mesh are certain enough."""
        if face[SCORE] >= self._sure:
            return face
        if next(doubts, None) is None:
            return face if face[SCORE] >= self._score else None
        again = look_again(self._net, pyramid.picture, face, enough=self._sure)
        if again is not None and again[SCORE] > face[SCORE]:
            face = again
        return face if face[SCORE] >= self._sure or self._is_present(pyramid, face) else None

    def _is_present(self, pyramid: Pyramid, face: NDArray[np.float32]) -> bool:
        """Whether the mesh sees a face there, and the more clearly the less the looks do."""
        if face[SCORE] < self._least:
            return False
        presence = self._rather if face[SCORE] >= self._score else self._clearly
        return is_face(self._landmarks, pyramid, _detection(face), presence=presence)


def _sides(faces: Candidates) -> NDArray[np.float32]:
    """The longer side of each box."""
    longer: NDArray[np.float32] = (faces[:, 2:4] - faces[:, :2]).max(1, initial=0)
    return longer


def _share(times: int) -> float:
    """Of width and height, each of so many parts a side."""
    return 1 / (times - (times - 1) * _SHARED)


def _spread(length: int, times: int) -> list[int]:
    """Where the parts begin whose last one begins at `length`."""
    return [round(length * number / (times - 1)) for number in range(times)]


def _detections(candidates: Candidates) -> list[Detection]:
    """Each face once."""
    return [_detection(row) for row in distinct(candidates)]


def _detection(row: NDArray[np.float32]) -> Detection:
    return Detection(Box(*row[:4].tolist()), row[4:SCORE].reshape(5, 2), float(row[SCORE]))


def _rows(faces: Sequence[Detection]) -> Candidates:
    """The same as rows."""
    rows = [[*astuple(face.box), *face.landmarks.ravel(), face.score] for face in faces]
    return np.array(rows, np.float32).reshape(-1, SCORE + 1)
