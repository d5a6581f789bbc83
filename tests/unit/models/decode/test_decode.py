"""Any bytes become a whole upright picture or one typed error."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facealbum.errors import (
    DamagedImageError,
    EmptyFileError,
    ImageSizeError,
    PhotoError,
    UnknownFormatError,
)
from models.decode import decode
from models.limits import Limits

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "GIF")


def quadrants(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green, blue and white from the upper left to the lower right."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[: height // 2, : width // 2] = 255, 0, 0
    picture[: height // 2, width // 2 :] = 0, 255, 0
    picture[height // 2 :, : width // 2] = 0, 0, 255
    return Image.fromarray(picture)


def encoded(image: Image.Image, form: str, **options: Image.Exif) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png(width: int, height: int) -> bytes:
    """A header that states a size, and no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read(form: str) -> None:
    photo = decode(encoded(quadrants(), form))
    assert (photo.format, photo.width, photo.height, photo.pixels.shape) == (form.lower(), 64, 48, (48, 64, 3))
    assert np.abs(photo.pixels[5, 5].astype(int) - (255, 0, 0)).max() < 30


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(form: str, orientation: int) -> None:
    stored = quadrants()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # the Transpose that the camera applied
    if undo is not None:
        stored = stored.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode(encoded(stored, form, exif=exif))
    assert (photo.width, photo.height) == (64, 48)
    corners = photo.pixels[[5, 5, 40, 40], [5, 58, 5, 58]].astype(int)
    assert np.abs(corners - [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]).max() < 30


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_picture_is_shrunk_but_keeps_its_stated_size(form: str) -> None:
    photo = decode(encoded(quadrants(3001, 2003), form), working_side=700)
    assert (photo.width, photo.height) == (3001, 2003)
    assert photo.pixels.shape == (501, 751, 3)
    assert photo.scale == pytest.approx((3001 / 751, 2003 / 501))


def test_see_through_pixels_are_white_and_deep_pixels_keep_their_brightness() -> None:
    clear = decode(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"))
    assert clear.pixels.min() == 255
    deep = decode(encoded(Image.fromarray(np.full((8, 8), 0x8000, np.uint16)), "PNG"))
    assert deep.pixels.min() == deep.pixels.max() == 128


def test_no_bytes_and_other_files_are_told_apart() -> None:
    with pytest.raises(EmptyFileError):
        decode(b"")
    with pytest.raises(UnknownFormatError):
        decode(b"Dear diary, this is no picture.")


@pytest.mark.parametrize("size", [(30_000, 30_000), (0, 0), (0, 100), (2**31 - 1, 2**31 - 1)])
def test_impossible_sizes_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(ImageSizeError):
        decode(png(*size))


def test_the_limit_is_ours_and_not_that_of_pillow() -> None:
    image = encoded(Image.new("L", (14_000, 13_000)), "PNG")  # 182 megapixels, which Pillow alone would refuse
    assert decode(image).width == 14_000
    with pytest.raises(ImageSizeError):
        decode(encoded(quadrants(), "PNG"), limits=Limits(pixels=64 * 48 - 1))


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_picture_is_an_error(form: str, portrait: Image.Image) -> None:
    whole = encoded(portrait.resize((96, 96)), form)
    for length in range(16, len(whole) - 16, len(whole) // 20):
        with pytest.raises(DamagedImageError):
            decode(whole[:length])


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_give_a_picture_or_a_photo_error(form: str, flips: list[tuple[int, int]]) -> None:
    content = bytearray(encoded(quadrants(), form))
    for position, value in flips:
        content[position % len(content)] = value
    try:
        photo = decode(bytes(content), limits=Limits(pixels=10**6))
    except PhotoError:
        return
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.shape[2] == 3


@settings(max_examples=100, deadline=None)
@given(head=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\x00", b""]), tail=st.binary())
def test_noise_is_a_photo_error(head: bytes, tail: bytes) -> None:
    with pytest.raises(PhotoError):
        decode(head + tail)


def test_a_flipped_byte_in_the_pixels_of_a_png_is_an_error() -> None:
    content = bytearray(encoded(quadrants(), "PNG"))
    content[content.index(b"IDAT") + 10] ^= 1
    with pytest.raises(DamagedImageError, match="IDAT"):
        decode(bytes(content))
