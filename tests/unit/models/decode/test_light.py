"""Colours that are coded for other screens come out as sRGB shows them."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from facealbum.demo.portraits import load_pixels
from models.decode import decode
from models.decode.light import as_srgb
from tests.coded_light import BT709, BT2020, CODED, HLG, PQ, SDR, UNSAID, coded


def eight_bits(pixels: NDArray[np.uint8], transfer: int, primaries: int) -> NDArray[np.uint8]:
    return np.rint(255 * coded(pixels, transfer, primaries)).astype(np.uint8)


@pytest.mark.parametrize(("transfer", "primaries"), CODED)
def test_the_colours_of_a_portrait_come_back(transfer: int, primaries: int) -> None:
    portrait = load_pixels("collins-1998")
    shown = as_srgb(eight_bits(portrait, transfer, primaries), primaries, transfer)
    wrong = np.abs(shown.astype(int) - portrait)
    assert (shown.shape, shown.dtype) == (portrait.shape, np.uint8)
    assert wrong.mean() < 2
    assert np.percentile(wrong, 99) <= 8


@pytest.mark.parametrize(("transfer", "primaries"), CODED)
def test_grey_stays_grey_from_black_to_white(transfer: int, primaries: int) -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    shown = as_srgb(eight_bits(grey, transfer, primaries), primaries, transfer).astype(int)
    assert np.abs(shown - grey).max() <= 2
    assert np.ptp(shown, axis=2).max() <= 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_brighter_than_paper_is_white(transfer: int) -> None:
    code = round(255 * float(coded(np.uint8([[[255] * 3]]), transfer, BT2020)[0, 0, 0]))
    bright = np.repeat(np.arange(code, 256, dtype=np.uint8), 3).reshape(1, -1, 3)
    assert as_srgb(bright, BT2020, transfer).min() >= 253


@pytest.mark.parametrize("transfer", [PQ, HLG, SDR])
def test_every_colour_there_can_be_is_shown_alike_in_every_row(transfer: int) -> None:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    alone = as_srgb(colours, BT2020, transfer)
    assert np.array_equal(as_srgb(np.repeat(colours, 131, axis=0), BT2020, transfer), np.repeat(alone, 131, axis=0))


@pytest.mark.parametrize("primaries", [BT709, UNSAID, 0, 255])
@pytest.mark.parametrize("transfer", [1, 2, 6, SDR, 14, 255])
def test_what_screens_show_anyhow_is_left_alone(primaries: int, transfer: int) -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    assert as_srgb(pixels, primaries, transfer) is pixels


def still(form: str, pixels: NDArray[np.uint8], transfer: int, primaries: int) -> bytes:
    """The bytes of a picture that states these codes."""
    pillow_heif.register_heif_opener()
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, form, quality=100, subsampling="4:4:4", chroma=444)
    data = buffer.getvalue()
    if form == "PNG":
        chunk = struct.pack(">4s4B", b"cICP", primaries, transfer, 0, 1)
        return data[:33] + struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    box = data.index(b"colrnclx") + 8
    return data[:box] + struct.pack(">HH", primaries, transfer) + data[box + 4 :]


@pytest.mark.parametrize("form", ["PNG", "AVIF", "HEIF"])
@pytest.mark.parametrize(("transfer", "primaries"), CODED)
def test_the_colours_of_a_still_picture_come_back(form: str, transfer: int, primaries: int) -> None:
    portrait = load_pixels("obama-2012")[:192, :256]
    shown = decode(still(form, eight_bits(portrait, transfer, primaries), transfer, primaries)).pixels
    wrong = np.abs(shown.astype(int) - portrait)
    assert wrong.mean() < 3
    assert np.percentile(wrong, 99) <= 12


@pytest.mark.parametrize("form", ["PNG", "AVIF", "HEIF"])
def test_a_still_picture_of_srgb_is_left_as_it_is(form: str) -> None:
    portrait = load_pixels("obama-2012")[:192, :256]
    plain, unsaid = (decode(still(form, portrait, transfer, 1)).pixels for transfer in (SDR, UNSAID))
    assert np.array_equal(plain, unsaid)


def test_a_picture_whose_parts_differ_is_left_as_it_is() -> None:
    portrait = load_pixels("obama-2012")[:192, :256]
    plain, coded = (
        still("AVIF", portrait, transfer, primaries) for transfer, primaries in ((SDR, BT709), (PQ, BT2020))
    )
    gain_map = coded[coded.index(b"colrnclx") :][:15]
    both = coded + struct.pack(">I4s", 8 + len(gain_map), b"meta") + gain_map.replace(b"\0\x09\0\x10", b"\0\x01\0\x0d")
    assert np.array_equal(decode(both).pixels, decode(plain).pixels)
