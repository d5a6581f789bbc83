"""Bytes of an image file to an upright RGB picture, its size, format and the moment it was taken.

The header is checked before any pixel is decoded; a picture that can't be decoded whole is an error, never half a
picture.  Large pictures are decoded or shrunk to what analysis needs, so `pixels` may be smaller than the photo.
Only orientation, colour profile, the time of taking and the kind of camera are read from metadata, never a position.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from facealbum.errors import DamagedImageError, PhotoError
from models.decode.headers import check_header, check_size, format_of
from models.decode.metadata import read_camera, read_orientation, read_taken_at
from models.decode.pixels import read_pixels, shrink_factor
from models.limits import Limits

WORKING_SIDE = 1440

_LIMITS = Limits()
_SIDEWAYS, _MIRRORED = (5, 6, 7, 8), (2, 4, 5, 7)  # as stored; a mirrored picture is rotated after
_ROTATION = {
    3: cv2.ROTATE_180,
    4: cv2.ROTATE_180,
    5: cv2.ROTATE_90_COUNTERCLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_CLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_pillow = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """pixels: uint8[height / scale, width / scale, 3], RGB, upright; width and height: of the whole upright photo.

    camera: its make and model.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    taken_at: datetime | None
    camera: str | None = None

    @property
    def scale(self) -> tuple[float, float]:
        """Photo pixels per pixel of `pixels`, across and down."""
        rows, columns, _ = self.pixels.shape
        return self.width / columns, self.height / rows


def decode(data: bytes, *, limits: Limits = _LIMITS, working_side: int = WORKING_SIDE) -> Photo:
    """The photo in `data`, its longer side shrunk by 2, 4 or 8 as long as it stays above `working_side`.

    Raises EmptyFileError, UnknownFormatError, ImageSizeError or DamagedImageError.
    """
    form = format_of(data)
    with _damage(form):
        check_header(form, data, limits)
    with _only_pillow(form), _damage(form):
        image = Image.open(BytesIO(data), formats=[form])
        size = image.size
        check_size(size, limits)
        pixels = read_pixels(form, data, image, factor=shrink_factor(max(size), working_side))
        turn, taken_at = read_orientation(form, data, image), read_taken_at(image)
        camera = read_camera(image)
    width, height = reversed(size) if turn in _SIDEWAYS else size
    return Photo(_upright(pixels, turn), width, height, form.lower(), taken_at, camera)


def _upright(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """A copy or `pixels` itself, for an EXIF orientation of 1 to 8; any other means 1."""
    if turn in _MIRRORED:
        pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
    return np.asarray(cv2.rotate(pixels, _ROTATION[turn]), np.uint8) if turn in _ROTATION else pixels


@contextmanager
def _only_pillow(form: str) -> Iterator[None]:
    """Pillow without warnings, its size limit and its threads, which are all global; one of our threads at a time."""
    with _pillow, warnings.catch_warnings(action="ignore"):
        own = Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS
        Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS = None, 1
        if form == "HEIF" and form not in Image.OPEN:
            import pillow_heif  # noqa: PLC0415 - with libheif, which other photos need not pay

            pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS = own


@contextmanager
def _damage(form: str) -> Iterator[None]:
    """Whatever a codec raises on the bytes of a stranger, as one DamagedImageError."""
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:
        raise DamagedImageError(
            f"the file must be a whole {form} image, it can't be decoded ({type(error).__name__}); upload it again"
        ) from error
