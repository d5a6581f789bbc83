"""Every kind of picture shows the same portrait, at every size that it is shrunk to."""

import struct
from io import BytesIO

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from facealbum.errors import DamagedImageError
from models.decode import decode
from models.decode.pixels import shrink_factor


def jpeg(picture: Image.Image, **options: object) -> bytes:
    return saved(picture, "JPEG", quality=95, **options)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def mean_difference(data: bytes, expected: Image.Image) -> float:
    return float(np.abs(decode(data).pixels.astype(int) - np.asarray(expected.convert("RGB"), int)).mean())


@pytest.fixture(scope="module")
def small(portrait: Image.Image) -> Image.Image:
    return portrait.resize((101, 131))


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"subsampling": "4:1:1"},
        {"progressive": True},
        {"restart_marker_blocks": 3},
        {"keep_rgb": True},
        {"optimize": True},
    ],
    ids=str,
)
def test_every_kind_of_colour_jpeg_is_read(small: Image.Image, options: dict[str, object]) -> None:
    assert mean_difference(jpeg(small, **options), small) < 3


def test_grey_and_inverted_cmyk_jpegs_are_read(small: Image.Image) -> None:
    assert mean_difference(jpeg(small.convert("L")), small.convert("L")) < 3
    assert mean_difference(jpeg(small.convert("CMYK")), small) < 3


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_gives_the_pixels_that_pillow_gives(small: Image.Image, mode: str) -> None:
    data = jpeg(small.convert(mode))
    assert np.array_equal(decode(data).pixels, np.asarray(Image.open(BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(small: Image.Image, mode: str) -> None:
    picture = (
        Image.fromarray(np.asarray(small.convert("L"), np.uint16) * 257) if mode == "I;16" else small.convert(mode)
    )
    expected = small.convert("L") if mode == "I;16" else picture
    assert mean_difference(saved(picture, "PNG"), expected) == 0


@pytest.mark.parametrize("form", [".png", ".tiff"])
def test_sixteen_bits_of_colour_keep_their_upper_eight(small: Image.Image, form: str) -> None:
    deep = np.asarray(small, np.uint16)[:, :, ::-1] * 256 + 200
    assert mean_difference(cv2.imencode(form, deep)[1].tobytes(), small) == 0


def test_ten_bits_of_a_heic_become_eight(small: Image.Image) -> None:
    deep = np.asarray(small, np.uint16) * 257
    buffer = BytesIO()
    pillow_heif.from_bytes("RGB;16", small.size, deep.tobytes()).save(buffer, quality=95)
    assert pillow_heif.open_heif(buffer.getvalue(), convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert mean_difference(buffer.getvalue(), small) < 3


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "jpeg"])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_every_kind_of_tiff_is_read(small: Image.Image, compression: str, mode: str) -> None:
    picture = small.convert(mode)
    assert mean_difference(saved(picture, "TIFF", compression=compression), picture) < 5


@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_tiff_may_count_from_white(small: Image.Image, bits: int) -> None:
    grey = small.convert("L")
    counted = (2**bits - 1) - np.asarray(grey).astype(np.uint16) * (1 if bits == 8 else 257)
    data = saved(Image.fromarray(counted.astype(np.uint8 if bits == 8 else np.uint16)), "TIFF")
    black, white = (struct.pack("<HHII", 262, 3, 1, number) for number in (1, 0))
    assert data.count(black) == 1
    assert mean_difference(data.replace(black, white), grey) == 0


def test_a_big_tiff_is_read(small: Image.Image) -> None:
    assert mean_difference(saved(small, "TIFF", big_tiff=True), small) == 0


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_of_many_frames_the_first_is_read(small: Image.Image, form: str) -> None:
    first = small.quantize(64) if form == "GIF" else small
    data = saved(first, form, save_all=True, append_images=[small.rotate(180)])
    assert mean_difference(data, first) < 8


@pytest.mark.parametrize("side", [1, 7, 64, 101])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_sides_are_divided_and_rounded_up(portrait: Image.Image, side: int, form: str) -> None:
    for working_side in (side, side // 2, side // 4, side // 8):
        factor = shrink_factor(side, working_side)
        photo = decode(saved(portrait.resize((side, side)), form), working_side=working_side)
        assert photo.pixels.shape == (-(-side // factor), -(-side // factor), 3)
        assert (photo.width, photo.height) == (side, side)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_shrunk_picture_is_the_mean_of_what_it_stands_for(portrait: Image.Image, form: str) -> None:
    wide = portrait.resize((400, 520))
    found = decode(saved(wide, form, **({"quality": 95} if form == "JPEG" else {})), working_side=260).pixels
    expected = np.asarray(wide.reduce(2), int)
    assert np.abs(found.astype(int) - expected).mean() < 2


def test_bands_of_a_tall_picture_join_without_a_seam() -> None:
    ramp: NDArray[np.uint8] = np.arange(2000, dtype=np.uint16).repeat(8).reshape(2000, 8).astype(np.uint8)
    photo = decode(saved(Image.fromarray(ramp), "PNG"), working_side=500)
    assert np.array_equal(photo.pixels, np.asarray(Image.fromarray(ramp).convert("RGB").reduce(4)))


def test_oddities_that_lose_no_pixels_are_let_pass(small: Image.Image) -> None:
    data = jpeg(small)
    scan = data.index(b"\xff\xda")
    some_phones = data[: scan + 11] + b"\1\x3f\0" + data[scan + 14 :]  # spectral selection of a progressive scan
    padded = data[:-2] + bytes(40) + data[-2:]
    followed = data + b"ftypmp42 a moving picture\xff\xd9"
    filled = data[:2] + b"\xff\xff" + data[2:]
    for odd in (some_phones, padded, followed, filled):
        assert np.array_equal(decode(odd).pixels, decode(data).pixels)


def test_lost_pixels_of_a_jpeg_are_an_error(small: Image.Image) -> None:
    data = jpeg(small)
    surplus = data[:-2] + b"abcdefgh" * 9 + data[-2:]
    restarts = jpeg(small, restart_marker_blocks=3)
    first, second = restarts.index(b"\xff\xd0"), restarts.index(b"\xff\xd1")
    gap = restarts[:first] + restarts[second:]
    for damaged in (data[:-2], surplus, gap):
        with pytest.raises(DamagedImageError, match="JPEG must be whole"):
            decode(damaged)
