"""Orientation, the time of taking and the kind of camera, all that is read of metadata; a position is never looked at.

Damaged metadata counts as none: the picture may still be whole.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from PIL import ExifTags, Image

from facealbum.domain.months import PHOTO_YEARS
from models.decode.headers import iso_boxes

# A camera that forgot its clock goes on from the first day that it can count.
RESET_DAYS = frozenset({(1904, 1, 1), (1970, 1, 1), (1980, 1, 1)})

_UPRIGHT = 1
_CAMERA_LENGTH = 64
_DAY = re.compile(r"(\d{4})[:/-](\d{1,2})[:/-](\d{1,2})(?!\d)")
_TIME = re.compile(r"[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?(?!\d)\s*(\S*)")
_NOON = ("12", "0", "0", None, "")
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)")
_TAKEN = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.SubsecTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.SubsecTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)
_XMP = [
    re.compile(name + rb"""\s*(?:=\s*["']|>)\s*([^"'<]{8,40})""")
    for name in (rb"exif:DateTimeOriginal", rb"photoshop:DateCreated", rb"exif:DateTimeDigitized", rb"xmp:CreateDate")
]


def read_orientation(form: str, data: bytes, image: Image.Image) -> int:
    """How the loaded `image` still lies, 1 to 8 as in EXIF; 1 where its codec has turned it already.

    HEIC and AVIF may carry a turn of their own, which then outranks EXIF; a file may state both or either.
    """
    if form == "TIFF":
        return _UPRIGHT
    try:
        return _ORIENTATION[form](data, image) if form in _ORIENTATION else _by_exif(image.getexif())
    except Exception:  # noqa: BLE001 - metadata of a stranger may fail in any way
        return _UPRIGHT


def read_taken_at(image: Image.Image) -> datetime | None:
    """DateTimeOriginal, else DateTimeDigitized, with its offset (UTC if it has none) and fraction of a second.

    XMP, which editors write, is asked where EXIF has neither or no likely moment; None if nobody has.  The date of the
    last change is not asked: it is that of an editor.
    """
    return _taken_by_exif(image) or _taken_by_xmp(image.info.get("xmp"))


def _taken_by_exif(image: Image.Image) -> datetime | None:
    try:
        exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
    except Exception:  # noqa: BLE001 - metadata of a stranger may fail in any way
        return None
    for taken, fraction, offset in _TAKEN:
        offsets = exif.get(offset) or exif.get(ExifTags.Base.OffsetTime)
        moment = parse_moment(exif.get(taken), exif.get(fraction), offsets)
        if moment is not None:
            return moment
    return None


def _taken_by_xmp(packet: object) -> datetime | None:
    """The first likely moment in an XMP packet (ISO 16684-1), as an attribute or as an element."""
    texts = (name.search(packet) for name in _XMP) if isinstance(packet, bytes) else ()
    moments = (parse_moment(found[1]) for found in texts if found)
    return next((moment for moment in moments if moment), None)


def read_camera(image: Image.Image) -> str | None:
    """Make and model of the camera, as "Apple iPhone 15"; None if it does not say.  No serial number, no owner."""
    try:
        exif = image.getexif()
        words = [str(exif.get(tag) or "").split() for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    except Exception:  # noqa: BLE001 - metadata of a stranger may fail in any way
        return None
    make, model = (" ".join("".join(filter(str.isprintable, word)) for word in some) for some in words)
    named = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return named.strip()[:_CAMERA_LENGTH] or None


def parse_moment(text: object, fraction: object = None, offset: object = None) -> datetime | None:
    """An aware moment from EXIF's three texts; None if there is no such moment or it is not a likely one.

    A day without a time, which EXIF allows, is its noon.  Some phones call the hour after midnight the 24th of its day.
    """
    text = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    day = _DAY.match(text := text.strip())
    if day is None:
        return None
    time = _TIME.match(text, day.end())
    hour, minute, second, parts, rest = time.groups() if time else _NOON
    clock = int(hour) % 24 if int(hour) <= 24 else int(hour), int(minute), min(int(second or 0), 59)  # noqa: PLR2004
    digits = re.match(r"\d{1,6}", str(fraction).strip() if parts is None else parts) if time else None
    try:
        moment = datetime(*map(int, day.groups()), *clock, tzinfo=_zone(offset or rest))  # type: ignore[arg-type,call-arg,misc]
    except ValueError:
        return None
    if moment.year not in PHOTO_YEARS or (moment.year, moment.month, moment.day) in RESET_DAYS:
        return None
    return moment.replace(microsecond=int(digits[0].ljust(6, "0"))) if digits else moment


def _zone(offset: object) -> timezone:
    """UTC if `offset` is not like +09:00."""
    text = offset.decode("latin-1") if isinstance(offset, bytes) else str(offset)
    found = _OFFSET.match(text.strip())
    if found is None:
        return UTC
    hours, minutes = int(found[2]), int(found[3])
    return timezone((1 if found[1] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _by_exif(exif: Image.Exif) -> int:
    return int(exif.get(ExifTags.Base.Orientation, _UPRIGHT))


def _of_heif(data: bytes, image: Image.Image) -> int:
    """The codec applies the file's own turn, and its plugin hides that of EXIF."""
    return _UPRIGHT if _has_turn(data) else image.info["original_orientation"] or _UPRIGHT


def _of_avif(data: bytes, image: Image.Image) -> int:
    """Pillow tells the file's own turn by rewriting EXIF; what stood there only its decoder still knows."""
    if _has_turn(data):
        return _by_exif(image.getexif())
    exif = Image.Exif()
    exif.load(image._decoder.get_info()[4])  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public has it
    return _by_exif(exif)


_ORIENTATION = {"HEIF": _of_heif, "AVIF": _of_avif}


def _has_turn(data: bytes) -> bool:
    """Whether the properties of the file's items (ISO 23008-12: irot, imir) turn or mirror it."""
    metas = (data[at : at + size] for kind, at, size in iso_boxes(data) if kind == b"meta")
    return any(re.search(b"irot|imir", meta) for meta in metas)
