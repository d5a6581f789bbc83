"""What a file says of itself, checked before a codec sees it.

Guarantee: what passes costs a codec no more than its pixels and bytes do.  A file may state a size, or hold so many
segments, chunks, scans or tiles, that a codec spends minutes or gigabytes before its first pixel; those are refused.
"""

import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from facealbum.errors import DamagedImageError, EmptyFileError, ImageSizeError, UnknownFormatError
from models.limits import Limits

_SIGNATURES = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("TIFF", re.compile(rb"II[*+]\x00|MM\x00[*+]")),
    ("AVIF", re.compile(rb"....ftyp(avi[fs]|m(if|sf)1....(....){0,8}?avif)", re.DOTALL)),
    ("HEIF", re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)),
)
_MARKER, _SCAN = 0xFF, 0xDA  # of a JPEG (ITU T.81, table B.1)
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_UNUSUAL = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})  # lossless, in layers, JPEG-LS
_BITS = 8
_AFTER_SCAN = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_END = b"\xff\xd9"
_WIDTH, _HEIGHT, _STRIPS = 0x0100, 0x0101, 0x0111  # of a TIFF (TIFF 6.0, sections 8 and 15)
_KIND, _DNG_VERSION = 0x00FE, 0xC612
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 0x0142, 0x0143, 0x0144
_DEPTH, _NUMBERS = 0x0102, 0x0153
_DEPTHS = frozenset({1, 2, 4, 8, 16})
_WHOLE = frozenset({1, 4})  # kinds of numbers: from 0 on, and not said
_SHORT = 3
_WEBP_COPIES = 4  # of its canvas, that its decoder holds at the same time
_MAX_SEGMENTS = 512  # of a JPEG before its pixels; a depth map in XMP takes about a hundred
_MAX_SCANS = 10  # of a JPEG that has the most pixels; a usual progressive one has as many
_MAX_CHUNKS = 100_000  # of a PNG; encoders write 8 KB or more in each
_MAX_BLOCKS = 50_000  # of a GIF before its first frame, 255 bytes each at most
_MAX_BOXES = 100  # of HEIC and AVIF that are looked at; three are usual
_MAX_ENTRIES = 2**16  # of a TIFF's directory
_MAX_PIECES = 2**16  # strips or tiles of a TIFF; one row a strip gives the most


def format_of(data: bytes) -> str:
    """The format as Pillow names it, by content; raises EmptyFileError or UnknownFormatError."""
    if not data:
        raise EmptyFileError("the file must hold an image, it has no bytes; upload it again")
    form = next((name for name, signature in _SIGNATURES if signature.match(data)), None)
    if form is None:
        raise UnknownFormatError(
            "the file must be JPEG, PNG, WebP, HEIC, AVIF, TIFF or GIF, or a video (MP4, MOV, WebM, MKV, AVI, 3GP);"
            " its first bytes are of none of them"
        )
    return form


def check_header(form: str, data: bytes, limits: Limits) -> None:
    """Raises a PhotoError that fits, and struct.error where the header ends too early."""
    if form in _CHECKS:
        _CHECKS[form](data, limits)


def check_size(size: Sequence[int], limits: Limits) -> None:
    """Raises ImageSizeError if the picture is empty or larger than the limit."""
    if not 0 < math.prod(size) <= limits.pixels:
        width, height = size
        raise ImageSizeError(
            f"a picture must have 1 to {limits.pixels:,} pixels, this one is {width} x {height}; upload a smaller one"
        )


def _check_jpeg(data: bytes, limits: Limits) -> None:
    """The size, and how often a progressive file paints its pixels anew."""
    size, progressive, scan = (0, 0), False, 0
    for kind, scan in _segments(data):
        if kind in _FRAMES:
            bits, height, width = struct.unpack_from(">BHH", data, scan + 4)
            if kind in _UNUSUAL or bits != _BITS:
                raise UnknownFormatError(
                    f"a JPEG must be baseline or progressive with 8 bits a colour, this one is of a rare kind "
                    f"(0x{kind:X}, {bits} bits) that few programs show; save it anew"
                )
            check_size((width, height), limits)
            size, progressive = (width, height), kind in _PROGRESSIVE
    if progressive and _count_scans(data, scan) * math.prod(size) > _MAX_SCANS * limits.pixels:
        raise ImageSizeError("a progressive JPEG must have few scans for its size, this one has too many; save it anew")


def _count_scans(data: bytes, at: int) -> int:
    """How many scans a JPEG has whose first is at `at`; a video, or other pictures, behind its end are not asked."""
    scans = 0
    while True:
        scans += data[at + 1] == _SCAN
        (length,) = struct.unpack_from(">H", data, at + 2)
        following = _AFTER_SCAN.search(data, at + 2 + length)
        if following is None or following[0] == _END:
            return scans
        at = following.start()


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Kind and place of every segment of a JPEG up to its first scan."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, kind, length = struct.unpack_from(">BBH", data, at)
        if marker != _MARKER:
            break
        if kind == _MARKER:  # a byte of filling
            at += 1
            continue
        yield kind, at
        if kind == _SCAN:
            return
        at += 2 + length
    raise DamagedImageError(f"a JPEG must begin with up to {_MAX_SEGMENTS} whole segments, this one does not")


def _check_png(data: bytes, limits: Limits) -> None:
    """Its size, and every chunk's checksum, which Pillow lets pass."""
    rest, kind = memoryview(data)[8:], b""
    for chunks in count():
        end = 8 + int.from_bytes(rest[:4], "big")
        kind = bytes(rest[4:8])
        if chunks > _MAX_CHUNKS or zlib.crc32(rest[4:end]) != int.from_bytes(rest[end : end + 4].tobytes().ljust(4)):
            raise DamagedImageError(f"a PNG must be whole, its chunk {kind!r} is damaged; upload it again")
        if kind == b"IHDR":
            check_size(struct.unpack_from(">II", rest, 8), limits)
        if kind == b"IEND":
            return
        rest = rest[end + 4 :]


def _check_gif(data: bytes, limits: Limits) -> None:
    """The size, and how much stands before the first frame."""
    check_size(struct.unpack_from("<HH", data, 6), limits)
    palette = data[10]
    at, inside = 13 + (3 << 1 + (palette & 7) if palette & 0x80 else 0), False
    for _ in range(_MAX_BLOCKS):
        head = data[at : at + 1]
        if inside:
            at, inside = at + 1 + head[0], head[0] > 0
        elif head == b"!":
            at, inside = at + 2, True
        elif head == b",":
            return
        else:
            break
    raise DamagedImageError(f"a GIF must have a frame within {_MAX_BLOCKS:,} blocks, this one has not; upload it again")


def _check_webp(data: bytes, limits: Limits) -> None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    check_size((width, height), replace(limits, pixels=-(-limits.pixels // _WEBP_COPIES)))


def _check_tiff(data: bytes, limits: Limits) -> None:
    """The first picture's size, its tiles' size and how many pieces it comes in; of a repeated entry the largest."""
    values: dict[int, int] = {}
    for tag, many, value in _tiff_entries(data):
        if tag in (_STRIPS, _TILES) and many > _MAX_PIECES:
            raise DamagedImageError(f"a TIFF must have up to {_MAX_PIECES:,} strips or tiles, this one has {many:,}")
        values[tag] = max(value, values.get(tag, 0))
    if values.get(_KIND, 0) & 1 or _DNG_VERSION in values or data[8:10] == b"CR":
        raise UnknownFormatError(
            "a TIFF must begin with its picture, this one begins with the preview of a raw file (DNG, NEF, CR2, ARW); "
            "save it as JPEG and upload that"
        )
    check_size((values[_WIDTH], values[_HEIGHT]), limits)
    if values.get(_DEPTH, 1) not in _DEPTHS or values.get(_NUMBERS, 1) not in _WHOLE:
        raise UnknownFormatError(
            "a TIFF must have 1, 2, 4, 8 or 16 bits a colour that count from 0 on, this one has "
            f"{values.get(_DEPTH, 1)} bits of another kind; save it with 8 or 16"
        )
    if _TILE_WIDTH in values:
        check_size((values[_TILE_WIDTH], values[_TILE_HEIGHT]), limits)


def _tiff_entries(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Tag, count and first value of the first directory's entries; a value that stands elsewhere is its place.

    Of the depth and the kind of numbers it is the value in any case.
    """
    order, big = "<" if data[:1] == b"I" else ">", b"+" in data[2:4]
    word, first, head, step = ("Q", 8, "HHQ", 20) if big else ("I", 4, "HHI", 12)
    (at,) = struct.unpack_from(order + word, data, first)
    (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    start = at + (8 if big else 2)
    for entry in range(start, start + step * min(entries, _MAX_ENTRIES), step):
        tag, kind, many = struct.unpack_from(order + head, data, entry)
        place = entry + struct.calcsize(order + head)
        if tag in (_DEPTH, _NUMBERS) and many * 2 > struct.calcsize(order + word):
            (place,) = struct.unpack_from(order + word, data, place)
        (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else word), data, place)
        yield tag, many, value


def _check_boxes(data: bytes, _limits: Limits) -> None:
    """Whether all of the pixels are there: of a picture in tiles, libheif leaves out those that are not.

    Its size is for the codec to say, which holds it against its own limits first.
    """
    for kind, at, size in iso_boxes(data):
        if kind in (b"meta", b"mdat") and at + size > len(data):
            raise DamagedImageError("a HEIC or AVIF file must be whole, this one is cut short; upload it again")


def iso_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and length of the outermost boxes (ISO 14496-12, 4.2); nothing after the first few."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        size = size or len(data) - at
        yield kind, at, size
        at += size


_CHECKS: dict[str, Callable[[bytes, Limits], None]] = {
    "JPEG": _check_jpeg,
    "PNG": _check_png,
    "GIF": _check_gif,
    "WEBP": _check_webp,
    "TIFF": _check_tiff,
    "HEIF": _check_boxes,
    "AVIF": _check_boxes,
}
