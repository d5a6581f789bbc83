"""A decoded frame of a video as an upright RGB picture of eight bits a channel, whatever the camera recorded."""

from fractions import Fraction

import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from models.decode.light import as_srgb, is_srgb
from models.decode.pixels import shrink_factor

_MATRIX_BYTES = 36
_FAST = Interpolation.AREA  # a level and a half too dark, of which curves of HDR make three
_EXACT = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


def upright(
    frame: VideoFrame, scaler: VideoReformatter, *, shape: Fraction, working_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """uint8[rows, columns, 3], reduced as by `models.decode`, and width and height of the whole picture.

    shape: width of a pixel of the frame over its height; pixels of the picture are square.
    """
    width, height = max(1, round(frame.width * shape)), frame.height
    factor = shrink_factor(max(width, height), working_side)
    small = max(1, width // factor), max(1, height // factor)
    codes = int(frame.color_primaries), int(frame.color_trc)
    way = _FAST if is_srgb(*codes) else _EXACT
    rgb = scaler.reformat(frame, *small, "rgb24", interpolation=way, threads=1)
    pixels = as_srgb(np.asarray(rgb.to_ndarray(), np.uint8), *codes)
    matrix = frame.side_data.get("DISPLAYMATRIX")
    across, down, turned = _orientation(bytes(matrix) if isinstance(matrix, Buffer) else b"")
    if turned:
        pixels, width, height = pixels.transpose(1, 0, 2), height, width
    return np.ascontiguousarray(pixels[::down, ::across]), (width, height)


def _orientation(matrix: bytes) -> tuple[int, int, bool]:
    """How to read the picture across and down (1 or -1), after swapping rows and columns or not.

    Note: display matrix: nine int32, a, b, u, c, d, ...; the point (x, y) is shown at (a x + c y, b x + d y).
    """
    if len(matrix) < _MATRIX_BYTES:
        return 1, 1, False
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    turned = abs(b) > abs(a)
    x, y = (c, b) if turned else (a, d)
    return (-1 if x < 0 else 1), (-1 if y < 0 else 1), turned
