"""A header that asks for too much is refused before a codec sees it, with the reason that fits."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from facealbum.errors import DamagedImageError, ImageSizeError, PhotoError, UnknownFormatError
from models.decode.headers import check_header, format_of
from models.limits import Limits


def saved(form: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, form, **options)
    return buffer.getvalue()


def test_formats_are_told_by_content() -> None:
    heif = b"\0\0\0\x1cftyp"
    assert format_of(heif + b"heic\0\0\0\0mif1heic") == "HEIF"
    assert format_of(heif + b"mif1\0\0\0\0mif1heic") == "HEIF"
    assert format_of(heif + b"mif1\0\0\0\0mif1avif") == "AVIF"
    assert format_of(b"MM\0+\0\x08\0\0") == "TIFF"
    assert format_of(b"RIFF\0\0\0\0WEBPVP8 ") == "WEBP"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_the_limit_of_pixels_is_inclusive(form: str) -> None:
    data = saved(form)
    room = 4 if form == "WEBP" else 1  # its codec holds four canvases at a time
    check_header(form, data, Limits(64 * 48 * room))
    with pytest.raises(ImageSizeError, match="64 x 48"):
        check_header(form, data, Limits((64 * 48 - 1) * room))


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("extended", [False, True])
def test_every_kind_of_webp_states_its_size(*, lossless: bool, extended: bool) -> None:
    data = saved("WEBP", lossless=lossless, **({"icc_profile": b"none"} if extended else {}))
    with pytest.raises(ImageSizeError, match="64 x 48"):
        check_header("WEBP", data, Limits(1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_every_kind_of_tiff_states_its_size(order: str, *, big: bool) -> None:
    mark, step, head = (43, "Q", "HHQ") if big else (42, "I", "HHI")
    entries = [(256, 3, 1, 640), (257, 4, 1, 480)]
    start = struct.pack(order + "H" + ("HHQQ" if big else "IH"), mark, *((8, 0, 16, 2) if big else (8, 2)))
    body = b"".join(
        struct.pack(order + head, *entry[:3])
        + struct.pack(order + ("H" if entry[1] == 3 else step), entry[3]).ljust(struct.calcsize("<" + step), b"\0")
        for entry in entries
    )
    with pytest.raises(ImageSizeError, match="640 x 480"):
        check_header("TIFF", (b"II" if order == "<" else b"MM") + start + body, Limits(1))


@pytest.mark.parametrize("raw", [{254: 1}, {50706: (1, 4, 0, 0)}, None])
def test_the_preview_in_a_raw_file_is_not_taken_for_the_photo(raw: dict[int, object] | None) -> None:
    data = saved("TIFF", tiffinfo=raw or {})
    canon = b"II*\0" + struct.pack("<I", 16) + b"CR\2\0".ljust(8, b"\0") + data[8:]
    with pytest.raises(UnknownFormatError, match="raw file"):
        check_header("TIFF", data if raw else canon, Limits())
    check_header("TIFF", saved("TIFF", tiffinfo={254: 0}), Limits())


def test_a_progressive_jpeg_may_have_many_scans_only_if_it_is_small() -> None:
    data = saved("JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    many = data[:scan] + data[scan:-2] * 100 + data[-2:]
    check_header("JPEG", many, Limits())
    with pytest.raises(ImageSizeError, match="scans"):
        check_header("JPEG", many, Limits(64 * 48 * 5))


def test_scans_of_what_follows_a_progressive_jpeg_are_not_its_own() -> None:
    moving = b"\xff\xda\0\2" * 1000  # a motion photo's video holds such bytes by chance
    check_header("JPEG", saved("JPEG", progressive=True) + moving, Limits(64 * 48 * 2))


@pytest.mark.parametrize(("kind", "bits"), [(0xC3, 8), (0xC1, 12), (0xF7, 8)], ids=["lossless", "12 bits", "JPEG-LS"])
def test_a_jpeg_of_a_rare_kind_is_not_called_damaged(kind: int, bits: int) -> None:
    data = saved("JPEG").replace(b"\xff\xc0\0\x11\x08", bytes([0xFF, kind, 0, 0x11, bits]))
    with pytest.raises(UnknownFormatError, match="rare kind"):
        check_header("JPEG", data, Limits())


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_tiff_with_more_than_16_bits_is_refused_and_not_shown_white(mode: str) -> None:
    buffer = BytesIO()
    Image.new(mode, (64, 48)).save(buffer, "TIFF")
    with pytest.raises(UnknownFormatError, match="32 bits"):
        check_header("TIFF", buffer.getvalue(), Limits())


def test_the_depth_of_each_colour_is_found_where_it_stands() -> None:
    data = saved("TIFF")
    depths = struct.pack("<HHH", 8, 8, 8)
    assert data.count(depths) == 1
    with pytest.raises(UnknownFormatError, match="12 bits"):
        check_header("TIFF", data.replace(depths, struct.pack("<HHH", 12, 12, 12)), Limits())


def test_segments_chunks_blocks_and_tiles_are_counted() -> None:
    jpeg, png, gif, tiff = saved("JPEG"), saved("PNG"), saved("GIF"), saved("TIFF")
    start = 13 + (3 << 1 + (gif[10] & 7))
    place = tiff.index(struct.pack("<HH", 273, 4)) + 4
    too_many = {
        "JPEG": jpeg[:2] + b"\xff\xe0\0\2" * 600 + jpeg[2:],
        "PNG": png[:33]
        + png[-12:-8]
        + b"IDAT"
        + b"\x35\xaf\x06\x1e"
        + b"\0\0\0\0IDAT\x35\xaf\x06\x1e" * 100_001
        + png[33:],
        "GIF": gif[:start] + b"!\xfe\1a\0" * 30_000 + gif[start:],
        "TIFF": tiff[:place] + struct.pack("<I", 70_000) + tiff[place + 4 :],
    }
    for form, data in too_many.items():
        with pytest.raises(DamagedImageError):
            check_header(form, data, Limits())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_a_header_cut_short_is_an_error(form: str) -> None:
    data = saved(form)
    for length in range(len(data) if form == "PNG" else 24):
        with pytest.raises((PhotoError, struct.error, LookupError)):
            check_header(form, data[:length], Limits())


def test_a_jpeg_with_junk_between_its_segments_is_an_error() -> None:
    data = saved("JPEG")
    with pytest.raises(DamagedImageError):
        check_header("JPEG", data[:2] + bytes(1) + data[2:], Limits())
