"""Wide colour to sRGB, which the networks were trained on.

A matrix profile's primaries are moved to those of sRGB without undoing the tone curve: exact for grey, near for skin,
and a few milliseconds for a photo where a colour engine takes 40.  Phones save Display P3, so it is no rare case.
"""

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

# The primaries of sRGB as columns of CIE XYZ under D50 (ICC.1, the profile connection space).
_SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
_NOTICEABLE = 0.02
_WHITE = 0.5  # primaries that add up to less than half of white are damaged
_MAX_TAGS = 100


def in_srgb(pixels: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """uint8[rows, columns, 3] of this ICC profile as sRGB; `pixels` itself if that makes no difference."""
    matrix = to_srgb(profile)
    return pixels if matrix is None else np.asarray(cv2.transform(pixels, matrix), np.uint8)


def to_srgb(profile: bytes) -> NDArray[np.float32] | None:
    """float32[3, 3] that takes RGB of `profile` to RGB of sRGB; None if it has no primaries or those of sRGB."""
    primaries = _primaries(profile)
    if primaries is None:
        return None
    matrix = np.linalg.solve(_SRGB, primaries)
    if matrix.sum(axis=1).min() < _WHITE:
        return None
    matrix /= matrix.sum(axis=1, keepdims=True)  # grey stays grey
    return matrix.astype(np.float32) if np.abs(matrix - np.eye(3)).max() > _NOTICEABLE else None


def _primaries(profile: bytes) -> NDArray[np.float64] | None:
    """float64[3, 3], XYZ of red, green and blue as columns; None if the profile is damaged or of another kind."""
    found = {}
    try:
        (tags,) = struct.unpack_from(">I", profile, 128)
        for tag in range(min(tags, _MAX_TAGS)):
            name, offset = struct.unpack_from(">4sI", profile, 132 + 12 * tag)
            if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
                found[name] = struct.unpack_from(">iii", profile, offset + 8)
    except struct.error:
        return None
    if profile[16:20] != b"RGB " or len(found) < 3:  # noqa: PLR2004 - three primaries
        return None
    return np.array([found[b"rXYZ"], found[b"gXYZ"], found[b"bXYZ"]]).T / 2**16
