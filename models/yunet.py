"""YuNet by LiteRT: what looks like a face in a picture of a few fixed sizes.

Wu, Peng, Yu: YuNet, A Tiny Millisecond-level Face Detector (2023).  LiteRT takes 40 % of the time that OpenCV's
runtime took for the same outputs.  A new size costs 20 ms and 20 MB, so there are few of them; a smaller picture is
padded with black.
"""

from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.network import LITERT_GREETING
from models.quiet import without_line
from models.registry import ModelSpec

Candidates: TypeAlias = NDArray[np.float32]
"""float32[n, 15]: left, top, right, bottom, x and y of five points, score; by falling score."""

Pair: TypeAlias = tuple[float, float]
"""Across and down."""

SCORE = 14
_STRIDES = (8, 16, 32)
_CLASS, _OBJECT, _CENTRE, _SIZE, _POINTS = 0, 1, slice(2, 4), slice(4, 6), slice(6, 16)


class YuNet:
    """The network, ready to run; not to be shared between threads."""

    def __init__(self, spec: ModelSpec) -> None:
        self._content = spec.read()
        self._interpreters: dict[tuple[int, int], Any] = {}

    def look(self, picture: NDArray[np.uint8], canvas: tuple[int, int], *, least: float) -> Candidates:
        """What scores at least `least` in an RGB picture that fits the canvas (rows, columns; multiples of 32).

        Of those that overlap by more than OVERLAP only the best is kept.
        """
        interpreter = self._interpreter(canvas)
        _fill(interpreter, picture)
        interpreter.invoke()
        outputs = [interpreter.get_tensor(output["index"])[0] for output in interpreter.get_output_details()]
        outputs.sort(key=len, reverse=True)
        values = np.concatenate([output.reshape(-1, output.shape[-1]) for output in outputs])
        scores = np.sqrt(values[:, _CLASS] * values[:, _OBJECT])
        likely = np.flatnonzero(scores >= least)
        return distinct(_decoded(values[likely], scores[likely], _cells(canvas)[likely]))

    def _interpreter(self, canvas: tuple[int, int]) -> Any:  # noqa: ANN401 - LiteRT ships no types
        if canvas not in self._interpreters:
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - kept out of import time

            with without_line(LITERT_GREETING):
                interpreter = Interpreter(model_content=self._content, num_threads=1)
                interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, *canvas, 3))
                interpreter.allocate_tensors()
            self._interpreters[canvas] = interpreter
        return self._interpreters[canvas]


def _fill(interpreter: Any, picture: NDArray[np.uint8]) -> None:  # noqa: ANN401 - LiteRT ships no types
    """The picture into the input's upper left corner as BGR, black beside it."""
    rows, columns, _ = picture.shape
    target = interpreter.tensor(interpreter.get_input_details()[0]["index"])()[0]
    target[rows:] = 0
    target[:rows, columns:] = 0
    target[:rows, :columns] = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)


@cache
def _cells(canvas: tuple[int, int]) -> NDArray[np.float32]:
    """float32[n, 3]: column, row and pixels of a side of every cell of the three maps, in the order of the outputs."""
    grids = [np.mgrid[: canvas[0] // stride, : canvas[1] // stride].reshape(2, -1) for stride in _STRIDES]
    cells = [
        np.vstack([grid[::-1], np.full(grid.shape[1], stride)]) for grid, stride in zip(grids, _STRIDES, strict=True)
    ]
    return np.hstack(cells).T.astype(np.float32)


def _decoded(values: NDArray[np.float32], scores: NDArray[np.float32], cells: NDArray[np.float32]) -> Candidates:
    """The candidates of cells, given their outputs float32[n, 16]; unordered."""
    corners, strides = cells[:, :2], cells[:, 2:]
    centres, halves = (corners + values[:, _CENTRE]) * strides, np.exp(values[:, _SIZE]) * strides / 2
    points = (np.tile(corners, 5) + values[:, _POINTS]) * strides
    return np.column_stack([centres - halves, centres + halves, points, scores])


def moved(candidates: Candidates, scale: Pair, offset: Pair) -> Candidates:
    """The candidates, or one row of them, in pixels of a picture that is `scale` times larger and begins elsewhere."""
    result = candidates.copy()
    scales, offsets = (np.tile(np.array(pair, np.float32), SCORE // 2) for pair in (scale, offset))
    result[..., :SCORE] = result[..., :SCORE] * scales + offsets
    return result


def turned_back(candidates: Candidates, turns: int, shape: tuple[int, int]) -> Candidates:
    """The candidates of a picture of `shape` (rows, columns) turned by np.rot90, in pixels of the picture unturned."""
    result = candidates
    for turn in reversed(range(turns)):
        before, result = result, result.copy()
        result[:, :SCORE:2], result[:, 1:SCORE:2] = shape[1 - turn % 2] - before[:, 1:SCORE:2], before[:, :SCORE:2]
        result[:, [0, 2]] = result[:, [2, 0]]
    return result


OVERLAP = 0.3
"""Two boxes that share more than this of their union are one face."""


def distinct(candidates: Candidates) -> Candidates:
    """The best of each face, by falling score, then from the top and from the left."""
    left, top = candidates[:, 0], candidates[:, 1]
    rest = candidates[np.lexsort((left, top, -candidates[:, SCORE]))]
    kept = []
    while len(rest):
        kept.append(rest[0])
        rest = rest[1:][_overlaps(rest[0], rest[1:]) <= OVERLAP]
    return np.array(kept, np.float32).reshape(-1, SCORE + 1)


def _overlaps(one: NDArray[np.float32], others: Candidates) -> NDArray[np.float32]:
    """Intersection over union of one box with each of the others."""
    shared = np.clip(np.minimum(one[2:4], others[:, 2:4]) - np.maximum(one[:2], others[:, :2]), 0, None).prod(1)
    areas = (others[:, 2:4] - others[:, :2]).prod(1)
    result: NDArray[np.float32] = shared / (areas + (one[2:4] - one[:2]).prod() - shared)
    return result
