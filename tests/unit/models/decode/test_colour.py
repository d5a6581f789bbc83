"""Colours of a wide profile come out as sRGB shows them; no profile, or a damaged one, changes nothing."""

import struct
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from models.decode import decode
from models.decode.colour import to_srgb

# XYZ of red, green and blue under D50, as the profiles of the phones' and cameras' makers state them.
DISPLAY_P3 = [[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]]
ADOBE_RGB = [[0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457]]


def profile(primaries: list[list[float]], space: bytes = b"RGB ") -> bytes:
    """The parts of a matrix profile that matter (ICC.1:2022, clause 7)."""
    tags, values = b"", b""
    for name, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True):
        tags += struct.pack(">4sII", name, 132 + 36 + len(values), 20)
        values += b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in primary))
    return bytes(16) + space + bytes(108) + struct.pack(">I", 3) + tags + values


def converted(colour: NDArray[np.uint8], icc: bytes) -> NDArray[np.uint8]:
    buffer = BytesIO()
    Image.fromarray(np.tile(colour, (8, 8, 1))).save(buffer, "PNG", icc_profile=icc)
    return decode(buffer.getvalue()).pixels[0, 0]


@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB])
def test_grey_stays_grey_and_skin_becomes_more_vivid(primaries: list[list[float]]) -> None:
    icc = profile(primaries)
    assert converted(np.uint8([128, 128, 128]), icc).tolist() == [128, 128, 128]
    red, green, blue = converted(np.uint8([200, 150, 130]), icc).astype(int)
    assert red > 200
    assert abs(green - 150) < 8
    assert blue < 130


def test_skin_of_display_p3_comes_near_to_its_exact_conversion() -> None:
    assert converted(np.uint8([200, 150, 130]), profile(DISPLAY_P3)).tolist() == pytest.approx([208, 148, 127], abs=4)


def test_srgb_other_kinds_and_damaged_profiles_change_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = profile(DISPLAY_P3)
    assert to_srgb(whole) is not None
    for icc in (b"", srgb, profile(DISPLAY_P3, b"CMYK"), whole[:140], b"\xff" * 200, profile([[0.0] * 3] * 3)):
        assert to_srgb(icc) is None
