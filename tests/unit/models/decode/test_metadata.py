"""A photo lies as its file says, once, and its moment is aware and likely or missing."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from models.decode import decode
from models.decode.metadata import parse_moment

ORIENTATION, TAKEN, DIGITIZED, OFFSET, FRACTION = 0x0112, 0x9003, 0x9004, 0x9011, 0x9291
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
SIDEWAYS = 6  # as EXIF counts: the camera lay on its left side


def upright() -> Image.Image:
    """Black above, white below; of a size that HEIC needs no padding for."""
    return Image.fromarray(np.repeat(np.uint8([[0], [255]]), 64, axis=0).repeat(64, axis=1)).convert("RGB")


def saved(form: str, exif: Image.Exif, picture: Image.Image | None = None) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = BytesIO()
    (picture or upright()).save(buffer, form, exif=exif.tobytes())
    return buffer.getvalue()


def oriented(form: str, *, exif: bool, container: bool) -> bytes:
    """A picture stored sideways, and what says so, patched in where its encoder would not write it."""
    tags = Image.Exif()
    if form == "AVIF":
        tags[ORIENTATION] = SIDEWAYS if container else 1
        tags[0x0106] = SIDEWAYS  # becomes the orientation, which its encoder leaves out of EXIF
        data = saved(form, tags, upright().transpose(Image.Transpose.ROTATE_90))
        return data.replace(b"\x01\x06\0\3", b"\x01\x12\0\3") if exif else data
    tags[ORIENTATION] = 1
    data = saved(form, tags, upright().transpose(Image.Transpose.ROTATE_90))
    if exif:
        data = data.replace(b"\x01\x12\0\3\0\0\0\1\0\1", b"\x01\x12\0\3\0\0\0\1\0\6")
    if container:
        place = data.index(b"pixi")  # a property of sufficient length that nothing needs
        data = data[:place] + b"irot\3" + data[place + 5 :]
    return data


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
@pytest.mark.parametrize(("exif", "container"), [(True, False), (False, True), (True, True)])
def test_a_turn_in_exif_or_in_the_container_or_in_both_is_done_once(form: str, *, exif: bool, container: bool) -> None:
    data = oriented(form, exif=exif, container=container)
    assert (b"irot" in data) == container
    photo = decode(data)
    assert (photo.width, photo.height) == (64, 128)
    assert photo.pixels[:60].max() < 30
    assert photo.pixels[68:].min() > 225


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_every_format_with_exif_says_when_it_was_taken(form: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD).update({TAKEN: "2019:04:02 10:30:00", OFFSET: "+09:00", FRACTION: "25"})
    assert decode(saved(form, exif)).taken_at == datetime(
        2019, 4, 2, 10, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=9))
    )


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmp:CreateDate="2024-01-01T00:00:00" {}'
    "<exif:GPSLatitude>1,2N</exif:GPSLatitude></rdf:Description></x:xmpmeta>"
)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@pytest.mark.parametrize(
    "stated",
    [
        'exif:DateTimeOriginal="2019-04-02T10:30:00+09:00">',
        "><exif:DateTimeOriginal>2019-04-02T10:30:00+09:00</exif:DateTimeOriginal>",
    ],
)
def test_xmp_tells_the_moment_where_exif_does_not(form: str, stated: str) -> None:
    pillow_heif.register_heif_opener()
    buffer, packet = BytesIO(), XMP.format(stated).encode()
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    kept = {"PNG": {"pnginfo": text}, "TIFF": {"tiffinfo": {700: packet}}}.get(form, {"xmp": packet})
    upright().save(buffer, form, **kept)
    assert decode(buffer.getvalue()).taken_at == datetime(2019, 4, 2, 10, 30, tzinfo=timezone(timedelta(hours=9)))


def test_the_moment_of_scanning_stands_in_for_a_missing_moment_of_taking() -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:01:02 03:04:05"  # the last change, by an editor
    assert decode(saved("JPEG", exif)).taken_at is None
    exif.get_ifd(EXIF_IFD)[DIGITIZED] = "2018:04:02 10:30:00"
    assert decode(saved("JPEG", exif)).taken_at == datetime(2018, 4, 2, 10, 30, tzinfo=UTC)
    exif.get_ifd(EXIF_IFD)[TAKEN] = "0000:00:00 00:00:00"
    assert decode(saved("JPEG", exif)).taken_at == datetime(2018, 4, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("  NIKON   CORPORATION ", "Z 6\x07", "NIKON CORPORATION Z 6"),
        ("", "X" * 200, "X" * 64),
        ("", " ", None),
    ],
)
def test_a_photo_tells_the_kind_of_its_camera(make: str, model: str, camera: str | None) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = make, model
    assert decode(saved("JPEG", exif)).camera == camera


def test_a_position_is_not_looked_at() -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[TAKEN] = "2019:04:02 10:30:00"
    exif.get_ifd(GPS_IFD)[1] = "N"
    pointer = struct.pack(">HHI", GPS_IFD, 4, 1)
    before, after = saved("JPEG", exif).split(pointer)
    lost = before + pointer + b"\xff" * 4 + after[4:]  # whoever follows this pointer falls off the file
    assert decode(lost).taken_at == datetime(2019, 4, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fraction", "offset", "moment"),
    [
        ("2019:04:02 10:30:00", None, "+09:00", datetime(2019, 4, 2, 10, 30, tzinfo=timezone(timedelta(hours=9)))),
        ("2019:04:02 10:30:00", None, "-0330", datetime(2019, 4, 2, 10, 30, tzinfo=timezone(-timedelta(hours=3.5)))),
        ("2019-04-02T10:30:00", None, "Z", datetime(2019, 4, 2, 10, 30, tzinfo=UTC)),
        ("2019:04:02 10:30:00\0", "007 ", None, datetime(2019, 4, 2, 10, 30, 0, 7_000, tzinfo=UTC)),
        ("2019:04:02 10:30:00", "1234567890", "nonsense", datetime(2019, 4, 2, 10, 30, 0, 123_456, tzinfo=UTC)),
        ("2019:04:02 10:30:00", "", "+99:00", datetime(2019, 4, 2, 10, 30, tzinfo=UTC)),
        ("0000:00:00 00:00:00", None, None, None),
        ("2019:13:02 10:30:00", None, None, None),
        ("2019:02:30 10:30:00", None, None, None),
        ("1066:10:14 09:00:00", None, None, None),
        ("9999:01:01 00:00:00", None, None, None),
        ("1904:01:01 00:00:00", None, None, None),
        ("1970:01:01 00:03:20", None, None, None),
        ("1980:01:01 12:00:00", None, None, None),
        ("1980:01:02 12:00:00", None, None, datetime(1980, 1, 2, 12, tzinfo=UTC)),
        ("    :  :     :  :  ", None, None, None),
        ("2019:04:02", None, None, datetime(2019, 4, 2, 12, tzinfo=UTC)),
        ("2019:04:02   :  :  ", "25", "+09:00", datetime(2019, 4, 2, 12, tzinfo=timezone(timedelta(hours=9)))),
        ("2019:04:02 \u4e0b\u534810:30:00", None, None, datetime(2019, 4, 2, 12, tzinfo=UTC)),
        ("2019:4:2  9:05", None, None, datetime(2019, 4, 2, 9, 5, tzinfo=UTC)),
        ("2019:04:02 24:10:00", None, None, datetime(2019, 4, 2, 0, 10, tzinfo=UTC)),
        ("2019:04:02 25:10:00", None, None, None),
        ("2019:04:02 23:59:60", None, None, datetime(2019, 4, 2, 23, 59, 59, tzinfo=UTC)),
        (
            "2019-04-02T10:30:00.5+09:00",
            None,
            None,
            datetime(2019, 4, 2, 10, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=9))),
        ),
        (b"2019:04:02 10:30:00\0", None, b"+09:00", datetime(2019, 4, 2, 10, 30, tzinfo=timezone(timedelta(hours=9)))),
        (None, None, None, None),
        (b"\xff\xfe", 3.5, (1, 2), None),
    ],
)
def test_a_moment_is_aware_and_likely_or_none(
    text: object, fraction: object, offset: object, moment: datetime | None
) -> None:
    found = parse_moment(text, fraction, offset)
    assert found == moment
    assert found is None or found.utcoffset() == moment.utcoffset()  # type: ignore[union-attr]


def test_damaged_metadata_counts_as_none() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    data = saved("JPEG", exif)
    place = data.index(b"Exif\0\0") + 10
    photo = decode(data[:place] + b"\xff" * 4 + data[place + 4 :])
    assert (photo.width, photo.height, photo.taken_at) == (64, 128, None)
