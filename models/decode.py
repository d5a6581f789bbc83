"""Bytes of an image file to an upright RGB picture, its size, format and the moment it was taken.

The header is checked before any pixel is decoded; a picture that can't be decoded whole is an error, never half a
picture.  Large pictures are decoded or shrunk to what analysis needs, so `pixels` may be smaller than the photo.
Only orientation and the time of taking are read from metadata, never a position.
"""

import math
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import numpy as np
import pillow_heif
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
    ("AVIF", re.compile(rb"....ftyp(avi[fs]|m(if|sf)1....(....){0,8}?avif)", re.DOTALL)),
    ("HEIF", re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)),
)
_SIDEWAYS = (5, 6, 7, 8)
_TURNED_BY_CODEC = ("HEIF", "TIFF")
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
    if form == "PNG":
        _check_png(data, max_pixels)
    elif form == "GIF":
        _check_size(struct.unpack_from("<HH", data.ljust(10, b"\1"), 6), max_pixels)
    if form == "HEIF" and form not in Image.OPEN:
        pillow_heif.register_heif_opener()
    with _pillow_quiet(), _damage(form):
        image = Image.open(BytesIO(data), formats=[form])
        size = image.size
    _check_size(size, max_pixels)
    with _pillow_quiet():
        turn, taken_at = _metadata(image)
        if form in _TURNED_BY_CODEC:
            turn = 1
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


def _check_png(data: bytes, max_pixels: int) -> None:
    """Refuse a PNG of a wrong size, or with a chunk that differs from its checksum, which Pillow lets pass."""
    rest, kind = memoryview(data)[8:], b""
    while kind != b"IEND":
        end = 8 + int.from_bytes(rest[:4], "big")
        kind = bytes(rest[4:8])
        if zlib.crc32(rest[4:end]) != int.from_bytes(bytes(rest[end : end + 4]).ljust(4), "big"):
            raise DamagedImageError(f"a PNG must be whole, its chunk {kind!r} is damaged; upload it again")
        if kind == b"IHDR":
            _check_size(struct.unpack_from(">II", rest, 8), max_pixels)
        rest = rest[end + 4 :]


def _check_size(size: tuple[int, ...], max_pixels: int) -> None:
    if not 0 < math.prod(size) <= max_pixels:
        width, height = size
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
    return image if image.mode == "RGB" else image.convert("RGB")


def _metadata(image: Image.Image) -> tuple[int, datetime | None]:
    """EXIF orientation and the time of taking; damaged metadata counts as none, the picture may still be whole."""
    try:
        exif = image.getexif()
        return exif.get(_ORIENTATION, 1), _taken_at(exif.get_ifd(_EXIF))
    except Exception:  # noqa: BLE001 - metadata of a stranger may fail in any way
        return 1, None


def _taken_at(exif: dict[int, object]) -> datetime | None:
    """DateTimeOriginal with its offset, UTC if it has none; None if it is not there or not a likely moment."""
    text = str(exif.get(_TAKEN, ""))[:19].replace("T", " ")
    offset = next((str(exif[tag]).strip("\0 ") for tag in _OFFSETS if tag in exif), "")
    moment = _parsed(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z") or _parsed(f"{text} +0000", "%Y:%m:%d %H:%M:%S %z")
    return moment if moment and moment.year in YEARS else None


def _parsed(text: str, layout: str) -> datetime | None:
    try:
        return datetime.strptime(text, layout)  # noqa: DTZ007 - the layout has the offset
    except ValueError:
        return None
