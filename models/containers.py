"""Which files are videos, by their first bytes alone, whatever they are called."""

import re

_SIGNATURES = (
    ("mov", re.compile(rb"....(ftyp(?!hei[cxms]|hev[cxms]|avi[fs]|mif1|msf1)|moov|mdat|wide|free|skip)", re.DOTALL)),
    ("matroska", re.compile(rb"\x1a\x45\xdf\xa3")),
    ("avi", re.compile(rb"RIFF....AVI ", re.DOTALL)),
)
_HEAD_BYTES = 64


def is_video(data: bytes) -> bool:
    """Whether the bytes, of which the first 64 are enough, begin like a video that `models.video` may read."""
    return demuxer_of(data) is not None


def demuxer_of(data: bytes) -> str | None:
    """FFmpeg's name of the container's family; None if this is no video."""
    return next((name for name, signature in _SIGNATURES if signature.match(data)), None)


def format_of(data: bytes) -> str:
    """What a video's container is called: mp4, mov, webm, mkv or avi."""
    head = data[:_HEAD_BYTES]
    match demuxer_of(head):
        case "mov":
            return "mp4" if head[4:8] == b"ftyp" and head[8:12] != b"qt  " else "mov"
        case "matroska":
            return "webm" if b"webm" in head else "mkv"
        case _:
            return "avi"
