"""A second look at what the first one doubts: a small cut-out from all pixels there are, turned step by step.

It tells faces from what only resembles them at a small size, and finds how a head is turned: YuNet takes a head that
lies or stands on its own head for an upright one with a low score, and places its points so.  A look costs a third
of a millisecond; ten are needed at most.
"""

import math

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from models.alignment import Pyramid, Transform, cut, upright_square
from models.shrink import shrunk
from models.yunet import SCORE, Pair, YuNet, moved

_SIZE = 96  # pixels of the cut-out; the face takes half of them
_SCALE = 2.0
_TURNS = ((0.0, (0, 90, -90, 180)), (0.2, (45, -45, 135, -135)), (0.5, (22, -22)))
"""When the best look so far scores so much, turn on from there by so many degrees clockwise."""
_LEAST = 0.2
_SHIFT = 0.15  # of the cut-out: how far off its centre the same face may be
_SIZES = (0.25, 1.0)  # of the cut-out: how large the same face may be

Found = NDArray[np.float32]
"""float32[15], as one row of yunet.Candidates."""


def look_again(net: YuNet, picture: NDArray[np.uint8], face: Found, *, enough: float) -> Found | None:
    """The face as it is best seen, in pixels of the RGB picture; None if nothing is there.

    One that scores `enough` is not turned any further.
    """
    part, scale, offset = _surroundings(picture, face)
    left, top, right, bottom = ((face[:4] - np.tile(offset, 2)) / np.tile(scale, 2)).tolist()
    box, pyramid = Box(left, top, right, bottom), Pyramid(part)
    best, score, upright = None, 0.0, 0
    for nearly, turns in _TURNS:
        if not nearly <= score < enough:
            break
        for turn in [upright + degrees for degrees in turns]:
            transform = upright_square(box, turn, scale=_SCALE, size=_SIZE)
            seen = _nearest(net.look(cut(pyramid, transform, _SIZE), (_SIZE, _SIZE), least=_LEAST))
            if seen is not None and seen[SCORE] > score:
                best, score, upright = _restored(seen, transform, turn), float(seen[SCORE]), turn
            if score >= enough:
                break
    return None if best is None else moved(best, scale, offset)


def _surroundings(picture: NDArray[np.uint8], face: Found) -> tuple[NDArray[np.uint8], Pair, Pair]:
    """What any turn of the cut-out shows, at no more pixels than that needs, its scale, and where it begins."""
    rows, columns, _ = picture.shape
    centre, reach = (face[:2] + face[2:4]) / 2, math.sqrt(0.5) * _SCALE * float(max(face[2:4] - face[:2]))
    left, top = np.clip(np.floor(centre - reach), 0, (columns - 1, rows - 1)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(centre + reach), (left + 1, top + 1), (columns, rows)).astype(int).tolist()
    part = picture[top:bottom, left:right]
    shrink = max(1.0, reach / _SIZE)
    width, height = max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink))
    return shrunk(part, width, height), ((right - left) / width, (bottom - top) / height), (left, top)


def _nearest(candidates: NDArray[np.float32]) -> Found | None:
    """The best of the candidates that can be the face at the centre."""
    for row in candidates:
        across, down = (row[:2] + row[2:4]) / 2 - _SIZE / 2
        side = max(row[2:4] - row[:2])
        if math.hypot(across, down) < _SHIFT * _SIZE and _SIZES[0] * _SIZE < side < _SIZES[1] * _SIZE:
            found: Found = row
            return found
    return None


def _restored(seen: Found, transform: Transform, turn: int) -> Found:
    """A face of the cut-out in pixels of the picture; its box stays upright and holds the turned oval of the face."""
    linear, shift = transform[:, :2], transform[:, 2]
    places = np.vstack([(seen[:2] + seen[2:4]) / 2, seen[4:SCORE].reshape(5, 2)])
    centre, *points = np.linalg.solve(linear, (places - shift).T).T
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    width, height = (seen[2:4] - seen[:2]) / math.sqrt(abs(np.linalg.det(linear)))
    half = np.array([math.hypot(width * cosine, height * sine), math.hypot(width * sine, height * cosine)]) / 2
    return np.concatenate([centre - half, centre + half, np.ravel(points), seen[SCORE:]]).astype(np.float32)
