"""A decoded frame of a video as an upright RGB picture of eight bits a channel, whatever the camera recorded."""

from fractions import Fraction

import cv2
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from models.decode.pixels import shrink_factor

_MATRIX_BYTES = 36


def upright(
    frame: VideoFrame, scaler: VideoReformatter, *, shape: Fraction, working_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """uint8[rows, columns, 3], reduced as by `models.decode`, and width and height of the whole picture.

    shape: width of a pixel of the frame over its height; pixels of the picture are square.
    """
    width, height = max(1, round(frame.width * shape)), frame.height
    factor = shrink_factor(max(width, height), working_side)
    small = max(1, width // factor), max(1, height // factor)
    rgb = scaler.reformat(frame, *small, "rgb24", interpolation=Interpolation.AREA, threads=1)
    pixels = np.asarray(rgb.to_ndarray(), np.uint8)
    if frame.color_trc == ColorTrc.SMPTE2084:
        pixels = np.asarray(cv2.LUT(pixels, _PQ_AS_SDR), np.uint8)
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


def _pq_as_sdr() -> NDArray[np.uint8]:
    """uint8[256]: values of SMPTE ST 2084 (HDR10) as a common screen shows them.

    The white of paper is 203 cd/m2 (ITU-R BT.2408); what is brighter becomes white, and hardly ever is a face.
    Hybrid log-gamma, which phones record, was made to be shown as it is.
    """
    coded = np.linspace(0, 1, 256) ** (1 / 78.84375)
    light = 10_000 * (np.maximum(coded - 0.8359375, 0) / (18.8515625 - 18.6875 * coded)) ** (1 / 0.1593017578125)
    shown: NDArray[np.uint8] = np.rint(255 * np.minimum(light / 203, 1) ** (1 / 2.2)).astype(np.uint8)
    return shown


_PQ_AS_SDR = _pq_as_sdr()
