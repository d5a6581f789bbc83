"""Pictures for a page: one face cut out of a photo, square, with some room around it, or the whole photo made small."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from facealbum.errors import InvalidValueError

ROOM = 1.45  # the square's side in units of the face's longer side
_QUALITY = 82


def crop_face(image: NDArray[np.uint8], box: Box, *, size: int = 112) -> bytes:
    """JPEG bytes, size x size, of the face at `box` in the upright photo, uint8[height, width, 3] RGB.

    A square that would pass the border is moved inside, and made smaller only if the photo is smaller than it.
    """
    height, width = image.shape[:2]
    numbers = (box.x1, box.y1, box.x2, box.y2)
    if not (height and width and np.isfinite(numbers).all()):
        raise InvalidValueError(f"a crop needs a picture with pixels and a finite box, got {width}x{height} and {box}")
    side = max(1, min(round(ROOM * max(box.width, box.height)), width, height))
    left = min(max(round((box.x1 + box.x2 - side) / 2), 0), width - side)
    top = min(max(round((box.y1 + box.y2 - side) / 2), 0), height - side)
    square = image[top : top + side, left : left + side, ::-1]
    shrink = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return _jpeg(cv2.resize(np.ascontiguousarray(square), (size, size), interpolation=shrink))


def shrink_photo(image: NDArray[np.uint8], *, size: int) -> bytes:
    """JPEG bytes of the photo, uint8[height, width, 3] RGB, its longer side at most `size`; it never grows."""
    height, width = image.shape[:2]
    ratio = min(1.0, size / max(height, width))
    small = max(1, round(width * ratio)), max(1, round(height * ratio))
    return _jpeg(cv2.resize(np.ascontiguousarray(image[:, :, ::-1]), small, interpolation=cv2.INTER_AREA))


def _jpeg(picture: MatLike) -> bytes:
    """uint8[height, width, 3], BGR."""
    _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return bytes(data)
