"""Bytes of an image file to an upright RGB picture, its size, format and the moment it was taken.

The header is checked before any pixel is decoded; a picture that can't be decoded whole is an error, never half a
picture.  Large pictures are decoded or shrunk to what analysis needs, so `pixels` may be smaller than the photo.
Only orientation and the time of taking are read from metadata, never a position.
"""

import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facealbum.errors import DamagedImageError, EmptyFileError, ImageSizeError, UnknownFormatError

MAX_PIXELS = 200_000_000
WORKING_SIDE = 1440
YEARS = range(1900, 2100)

_ORIENTATION, _EXIF, _TAKEN, _OFFSETS = 0x0112, 0x8769, 0x9003, (0x9011, 0x9010)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIGNATURES = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("TIFF", re.compile(rb"II[*+]\x00|MM\x00[*+]")),
    ("AVIF", re.compile(rb"....ftyp(avif|avis)", re.DOTALL)),
    ("HEIF", re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)),
)
_SIDEWAYS = (5, 6, 7, 8)
_pillow = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """pixels: uint8[height / scale, width / scale, 3], RGB, upright; width and height: of the whole upright photo."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    taken_at: datetime | None

    @property
    def scale(self) -> tuple[float, float]:
        """Photo pixels per pixel of `pixels`, across and down."""
        rows, columns, _ = self.pixels.shape
        return self.width / columns, self.height / rows


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, working_side: int = WORKING_SIDE) -> Photo:
    """The photo in `data`, its longer side shrunk by 2, 4 or 8 as long as it stays above `working_side`.

    Raises EmptyFileError, UnknownFormatError, ImageSizeError or DamagedImageError.
    """
    if not data:
        raise EmptyFileError("the file must hold an image, it has no bytes; upload it again")
    form = next((name for name, signature in _SIGNATURES if signature.match(data)), None)
    if form is None:
        raise UnknownFormatError(
            "the file must be JPEG, PNG, WebP, HEIC, AVIF, TIFF or GIF, its first bytes are of none of them"
        )
    _check_stated_size(form, data)
    with _pillow_quiet(), _damage(form):
        image = Image.open(BytesIO(data), formats=[form])
        size = image.size
    _check_size(*size, max_pixels)
    with _pillow_quiet():
        turn, taken_at = _metadata(image)
        with _damage(form):
            pixels = _upright(image, turn, factor=_factor(max(size), working_side))
    width, height = reversed(size) if turn in _SIDEWAYS else size
    return Photo(pixels, width, height, form.lower(), taken_at)


@contextmanager
def _pillow_quiet() -> Iterator[None]:
    """Pillow without its warnings and with our size limit in place of its own; one thread at a time."""
    with _pillow, warnings.catch_warnings(action="ignore"):
        own, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = own


@contextmanager
def _damage(form: str) -> Iterator[None]:
    """Whatever a codec raises on the bytes of a stranger, as one DamagedImageError."""
    try:
        yield
    except Exception as error:
        raise DamagedImageError(
            f"the file must be a whole {form} image, it can't be decoded ({type(error).__name__}); upload it again"
        ) from error


def _check_stated_size(form: str, data: bytes) -> None:
    """Refuse a picture without pixels, which Pillow would only call unknown."""
    layout, start = {"PNG": (">II", 16), "GIF": ("<HH", 6)}.get(form, ("", 0))
    if layout and len(data) >= start + struct.calcsize(layout):
        _check_size(*struct.unpack_from(layout, data, start), MAX_PIXELS**2)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if not 0 < width * height <= max_pixels:
        raise ImageSizeError(
            f"a picture must have 1 to {max_pixels:,} pixels, this one is {width} x {height}; upload a smaller one"
        )


def _factor(side: int, working_side: int) -> int:
    """The largest of 1, 2, 4 and 8 that leaves `working_side` pixels."""
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or side // factor >= working_side)


def _upright(image: Image.Image, turn: int, *, factor: int) -> NDArray[np.uint8]:
    """uint8[rows, columns, 3] of the first frame; JPEG shrinks while it decodes, which is four times faster."""
    width, height = image.size
    image.draft("RGB", (width // factor, height // factor))
    image.load()
    picture = _rgb(image)
    if picture.width == width and factor > 1:
        picture = picture.reduce(factor)
    if turn in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[turn])
    return np.array(picture)


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits a channel; what is see-through becomes white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return image.convert("RGB")


def _metadata(image: Image.Image) -> tuple[int, datetime | None]:
    """EXIF orientation and the time of taking; damaged metadata counts as none, the picture may still be whole."""
    try:
        exif = image.getexif()
        return exif.get(_ORIENTATION, 1), _taken_at(exif.get_ifd(_EXIF))
    except Exception:  # noqa: BLE001 - metadata of a stranger may fail in any way
        return 1, None


def _taken_at(exif: dict[int, object]) -> datetime | None:
    """DateTimeOriginal with its offset, UTC if it has none; None if it is not there or not a likely moment."""
    found = re.match(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)", str(exif.get(_TAKEN, "")))
    numbers = [int(number) for number in found.groups()] if found else [0]
    if numbers[0] not in YEARS:
        return None
    try:
        return datetime(*numbers, tzinfo=_offset(exif))  # type: ignore[arg-type] # noqa: DTZ001
    except ValueError:
        return None


def _offset(exif: dict[int, object]) -> timezone:
    text = next((str(exif[tag]) for tag in _OFFSETS if tag in exif), "")
    found = re.match(r"([+-])(\d\d):(\d\d)", text)
    if not found:
        return UTC
    hours, minutes = int(found[2]), int(found[3])
    if hours > 14 or minutes > 59:
        return UTC
    return timezone((1 if found[1] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
