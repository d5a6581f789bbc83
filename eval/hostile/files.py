"""Files to throw at the decoder: portraits in every format, damaged at random, joined with others, or no picture."""

import gzip
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

from eval.hostile.bombs import make_bombs
from facealbum.demo.portraits import load_pixels, load_portraits

_SIDE = 160
_TEXTS = {
    "text": b"Dear diary, today the whole family went to the lake.\n" * 20,
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>',
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "html": b"<!doctype html><script>alert(1)</script>",
    "json": b'{"photo": null}',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "program": b"\x7fELF\x02\x01\x01" + bytes(200),
    "script": b"#!/bin/sh\nrm -rf /tmp/nothing\n",
    "bitmap": b"BM" + bytes(200),
    "photoshop": b"8BPS\0\1" + bytes(200),
    "sound": b"ID3\x03" + bytes(200),
    "video": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(200),
    "zeros": bytes(1000),
    "one byte": b"\xff",
    "empty": b"",
}


@dataclass(frozen=True, slots=True)
class HostileFile:
    """name says how it was made, so that a finding can be repeated."""

    kind: str
    name: str
    data: bytes


def make_files(count: int, *, seed: int = 0, pixels: int = 200_000_000) -> Iterator[HostileFile]:
    """`count` files: everything that is no picture, every bomb for this limit of pixels, the rest damaged at random."""
    seeds = make_seeds()
    fixed = [*_strangers(), *_joined(seeds)]
    fixed += [HostileFile("bomb", name, data) for name, data in make_bombs(seeds, pixels).items()]
    yield from fixed[:count]
    yield from damage(seeds, count - len(fixed), seed=seed)


def damage(seeds: Mapping[str, bytes], count: int, *, seed: int) -> Iterator[HostileFile]:
    """`count` of the seeds in turn, damaged in every way in turn, at places drawn by `seed`."""
    draw, names = np.random.default_rng(seed), sorted(seeds)
    for number in range(count):
        name = names[number % len(names)]
        kind = list(_DAMAGES)[number // len(names) % len(_DAMAGES)]
        yield HostileFile(kind, f"{number} {name}", _DAMAGES[kind](seeds[name], draw))


def make_seeds() -> dict[str, bytes]:
    """A bundled portrait in every format and variant that is read, with EXIF where the format has it."""
    pillow_heif.register_heif_opener()
    picture = Image.fromarray(load_pixels(load_portraits()[0].key)).resize((_SIDE, _SIDE))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0x9003: "2019:04:02 10:30:00", 0x9011: "+09:00"})
    grey = picture.convert("L")
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    return {
        "JPEG": _saved(picture, "JPEG", exif=exif),
        "JPEG progressive": _saved(picture, "JPEG", progressive=True, exif=exif),
        "JPEG grey": _saved(grey, "JPEG"),
        "JPEG CMYK": _saved(picture.convert("CMYK"), "JPEG"),
        "PNG": _saved(picture, "PNG", exif=exif),
        "PNG 16 bit": _saved(deep, "PNG"),
        "PNG palette": _saved(picture.quantize(64), "PNG"),
        "PNG alpha": _saved(picture.convert("RGBA"), "PNG"),
        "WebP": _saved(picture, "WEBP", exif=exif),
        "WebP lossless": _saved(picture.convert("RGBA"), "WEBP", lossless=True),
        "WebP animated": _saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)]),
        "HEIC": _saved(picture, "HEIF", exif=exif),
        "HEIC tiled": _saved(picture, "HEIF", tile_size=64),
        "AVIF": _saved(picture, "AVIF", exif=exif),
        "TIFF": _saved(picture, "TIFF"),
        "TIFF LZW": _saved(picture, "TIFF", compression="tiff_lzw", exif=exif),
        "TIFF JPEG": _saved(picture, "TIFF", compression="jpeg"),
        "TIFF 16 bit": _saved(deep, "TIFF", compression="tiff_adobe_deflate"),
        "GIF": _saved(picture.quantize(64), "GIF"),
        "GIF animated": _saved(
            picture.quantize(64), "GIF", save_all=True, append_images=[picture.rotate(90).quantize(64)]
        ),
    }


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _strangers() -> Iterator[HostileFile]:
    for name, data in (_TEXTS | _archives()).items():
        yield HostileFile("no picture", name, data)


def _archives() -> dict[str, bytes]:
    zipped, tarred = BytesIO(), BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("zeros"), bytes(10**6), zipfile.ZIP_DEFLATED)
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../photo.jpg"))
    return {"zip": zipped.getvalue(), "tar": tarred.getvalue(), "gzip": gzip.compress(bytes(10**6), mtime=0)}


def _joined(seeds: dict[str, bytes]) -> Iterator[HostileFile]:
    """Polyglots: a picture that goes on as something else, and something else that goes on as a picture."""
    rest = {"zip": _archives()["zip"], "html": _TEXTS["html"], "pdf": _TEXTS["pdf"], "PNG": seeds["PNG"]}
    for name, data in seeds.items():
        for other, more in rest.items():
            yield HostileFile("polyglot", f"{name} + {other}", data + more)
        yield HostileFile("polyglot", f"PDF + {name}", _TEXTS["pdf"] + data)


def _cut(data: bytes, draw: np.random.Generator) -> bytes:
    return data[: draw.integers(len(data))]


def _flip_bits(data: bytes, draw: np.random.Generator) -> bytes:
    content = bytearray(data)
    for at in draw.integers(len(data), size=draw.integers(1, 20)):
        content[at] ^= 1 << int(draw.integers(8))
    return bytes(content)


def _flip_header(data: bytes, draw: np.random.Generator) -> bytes:
    """Where sizes, counts and offsets stand, also at values that overflow."""
    content = bytearray(data)
    for at in draw.integers(min(len(data), 600), size=draw.integers(1, 5)):
        content[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, int(draw.integers(256))])
    return bytes(content)


def _overwrite(data: bytes, draw: np.random.Generator) -> bytes:
    start, length = draw.integers(len(data)), draw.integers(1, 400)
    return data[:start] + draw.bytes(int(length)) + data[start + length :]


def _lose(data: bytes, draw: np.random.Generator) -> bytes:
    start = draw.integers(len(data))
    return data[:start] + data[start + draw.integers(1, 400) :]


def _repeat(data: bytes, draw: np.random.Generator) -> bytes:
    start, length = draw.integers(len(data)), draw.integers(1, 2000)
    return data[:start] + data[start : start + length] * int(draw.integers(2, 50)) + data[start + length :]


_DAMAGES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "cut short": _cut,
    "bits flipped": _flip_bits,
    "header changed": _flip_header,
    "part overwritten": _overwrite,
    "part lost": _lose,
    "part repeated": _repeat,
}
