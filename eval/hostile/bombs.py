"""Small files that ask for much: memory, time, or both.  Each is built from its format's specification."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from math import isqrt

from PIL import Image

_HUGE = 65_535


def make_bombs(seeds: Mapping[str, bytes], pixels: int) -> dict[str, bytes]:
    """Bombs by what they do, made from `seeds`; those that stay below the limit are pictures of `pixels` pixels."""
    return _jpegs(seeds) | _pngs() | _gifs() | _tiffs() | _others(seeds) | _largest(isqrt(pixels))


def _jpegs(seeds: Mapping[str, bytes]) -> dict[str, bytes]:
    plain = seeds["JPEG"]
    frame = plain.index(b"\xff\xc0")
    exif = b"\xff\xe1" + struct.pack(">H", _HUGE) + b"Exif\0\0" + bytes(_HUGE - 8)
    return {
        "JPEG of 65,535 x 65,535": plain[: frame + 5] + b"\xff" * 4 + plain[frame + 9 :],
        "JPEG of height 0": plain[: frame + 5] + bytes(2) + plain[frame + 7 :],
        "JPEG of 100,000 scans": _with_scans(2000, 100_000),
        "JPEG of 500,000 segments": b"\xff\xd8" + b"\xff\xe0\0\2" * 500_000 + plain[2:],
        "JPEG with 2 MB of filling": b"\xff\xd8" + b"\xff" * 2_000_000 + plain[2:],
        "JPEG with 2 MB before its segments": b"\xff\xd8\xff" + bytes(2_000_000) + plain[2:],
        "JPEG with 500 EXIF segments": b"\xff\xd8" + exif * 500 + plain[2:],
        "JPEG with EXIF that points to itself": _with_exif(plain, _ifd([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)])),
        "JPEG with EXIF of overlapping values": _with_exif(plain, _ifd([(n, 1, 60_000, 8) for n in range(5000)])),
    }


def _with_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG of one colour whose last scan is there so many times."""
    data = _saved(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * scans + data[-2:]


def _with_exif(jpeg: bytes, tiff: bytes) -> bytes:
    block = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + len(block)) + block + jpeg[2:]


def _pngs() -> dict[str, bytes]:
    zeros = zlib.compress(bytes(100_000_000), 9)
    row, end = _chunk(b"IDAT", zlib.compress(bytes(4 * 8))), _chunk(b"IEND", b"")
    small = _png_head(8, 8)
    return {
        "PNG of 2^31 x 2^31": _png_head(2**31 - 1, 2**31 - 1) + row + end,
        "PNG of 65,535 x 65,535": _png_head(_HUGE, _HUGE) + _chunk(b"IDAT", zeros) + end,
        "PNG of width 0": _png_head(0, 8) + row + end,
        "PNG with 100 MB for 64 pixels": small + _chunk(b"IDAT", zeros) + end,
        "PNG with 100 MB of text": small + _chunk(b"zTXt", b"a\0\0" + zeros) + row + end,
        "PNG with 100 MB of profile": small + _chunk(b"iCCP", b"a\0\0" + zeros) + row + end,
        "PNG of 200,000 chunks": small + _chunk(b"IDAT", b"") * 200_000 + row + end,
        "PNG with a chunk of 4 GB": small + b"\xff\xff\xff\xffIDAT" + row,
    }


def _png_head(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _gifs() -> dict[str, bytes]:
    palette = bytes(6)
    frame = b",\0\0\0\0%b\0\2\2\x4c\x01\0;"
    small, whole = struct.pack("<HH", 1, 1), struct.pack("<HH", _HUGE, _HUGE)
    screen = b"GIF89a" + small + b"\x80\0\0" + palette
    comment = b"!\xfe" + (b"\xff" + b"a" * 255) * 40_000 + b"\0"
    return {
        "GIF of 65,535 x 65,535": b"GIF89a" + whole + b"\x80\0\0" + palette + frame % whole,
        "GIF with a frame beyond its screen": screen + frame % whole,
        "GIF with 10 MB of comment": screen + comment + frame % small,
        "GIF of 500,000 blocks": screen + b"!\xfe\1a\0" * 500_000 + frame % small,
    }


def _tiffs() -> dict[str, bytes]:
    def tiff(*changes: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
        usual = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
        strip = [(273, 4, 1, 8), (278, 4, 1, 8), (279, 4, 1, 64)]
        entries = {entry[0]: entry for entry in (*usual, *strip, *changes)}
        return _ifd(sorted(entries.values())) + bytes(64) + tail

    tile = [(322, 4, 1, 16), (323, 4, 1, 16), (324, 4, 1, 8), (325, 4, 1, 256)]
    many = 1_000_000
    return {
        "TIFF of 2^32 x 2^32": tiff((256, 4, 1, 2**32 - 1), (257, 4, 1, 2**32 - 1)),
        "TIFF with a tile of 2^31 x 2^31": tiff(*tile, (322, 4, 1, 2**31), (323, 4, 1, 2**31)),
        "TIFF of a million tiles": tiff(*tile, (324, 4, many, 200), (325, 4, many, 200), tail=bytes(4 * many)),
        "TIFF of a million strips": tiff((273, 4, many, 200), (279, 4, many, 200), tail=bytes(4 * many)),
        "TIFF that says twice how many strips it has": _ifd(
            [(273, 4, many, 200), (256, 4, 1, 8), (257, 4, 1, 8), (273, 4, 1, 8), (279, 4, 1, 64)]
        )
        + bytes(4 * many),
        "TIFF whose directory follows itself": tiff()[:-68] + struct.pack("<I", 8) + bytes(64),
        "TIFF whose EXIF is its directory": tiff((0x8769, 4, 1, 8), (330, 4, 1, 8)),
        "TIFF of 65,535 overlapping values": _ifd([(n, 1, 700_000, 8) for n in range(_HUGE)]),
        "TIFF with 65,535 samples": tiff((277, 3, 1, _HUGE)),
        "TIFF whose pixels are its header": tiff((273, 4, 1, 0), (279, 4, 1, 2**31)),
        "BigTIFF of 2^60 values": b"II+\0\x08\0\0\0" + struct.pack("<QQHHQQ", 16, 1, 256, 4, 2**60, 16) + bytes(64),
    }


def _ifd(entries: list[tuple[int, int, int, int]]) -> bytes:
    """A little-endian TIFF of one directory: tag, type, count and value of each entry (TIFF 6.0, section 2)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + bytes(4)


def _others(seeds: Mapping[str, bytes]) -> dict[str, bytes]:
    canvas = b"VP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6
    bombs = {
        "WebP of 2^24 x 2^24": b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas,
        "WebP that says 4 GB": seeds["WebP"][:4] + b"\xff" * 4 + seeds["WebP"][8:],
    }
    for name in ("HEIC", "HEIC tiled", "AVIF"):
        data = seeds[name]
        size = data.index(b"ispe") + 8
        meta = data.index(b"meta") - 4
        nested = b"".join(struct.pack(">I4s", 8 * depth, b"iprp") for depth in range(50_000, 0, -1))
        bombs |= {
            f"{name} that says 65,535 x 65,535": data[:size] + struct.pack(">II", _HUGE, _HUGE) + data[size + 8 :],
            f"{name} that says 1 x 1": data[:size] + struct.pack(">II", 1, 1) + data[size + 8 :],
            f"{name} with boxes in boxes": data[:meta] + nested + data[meta:],
            f"{name} with an endless box": data[:meta] + bytes(4) + data[meta + 4 :],
            f"{name} of 200,000 boxes": data[:meta] + b"\0\0\0\x08free" * 200_000 + data[meta:],
        }
    return bombs


def _largest(side: int) -> dict[str, bytes]:
    """What is still allowed: as many pixels in as few bytes as there can be."""
    flat: dict[str, tuple[str, Image.Image, dict[str, object]]] = {
        "PNG": ("PNG", Image.new("L", (side, side)), {}),
        "PNG, see-through": ("PNG", Image.new("RGBA", (side, side)), {"compress_level": 1}),
        "JPEG": ("JPEG", Image.new("L", (side, side)), {}),
        "TIFF": ("TIFF", Image.new("RGB", (side, side)), {"compression": "tiff_adobe_deflate"}),
        "GIF": ("GIF", Image.new("P", (side, side)), {}),
        "WebP": ("WEBP", Image.new("RGB", (side // 2, side // 2)), {"method": 0}),
    }
    largest = {
        f"{name} as large as may be": _saved(picture, form, **more) for name, (form, picture, more) in flat.items()
    }
    small = isqrt(side * side // 200)
    return largest | {"JPEG of as many scans as may be": _with_scans(small, 10 * 200 - 10)}


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
