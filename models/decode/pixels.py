"""The pixels of an opened image: whole, eight bits a channel, RGB as sRGB means it, and no larger than wanted."""

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from facealbum.errors import DamagedImageError
from models.decode.colour import in_srgb
from models.decode.light import as_srgb, read_codes

_PHOTOMETRIC = 0x0106  # of a TIFF
_BAND = 256  # rows, a multiple of every factor
# What libjpeg says of pixels that are lost.  Its other complaints are of oddities that Pillow reads well.
_LOST = re.compile(r"Premature end|Corrupt JPEG data: (?!bad ICC)")
_PADDING = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")


def shrink_factor(side: int, working_side: int) -> int:
    """The largest of 1, 2, 4 and 8 that leaves `working_side` pixels."""
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or side // factor >= working_side)


def read_pixels(form: str, data: bytes, image: Image.Image, *, factor: int) -> NDArray[np.uint8]:
    """uint8[rows, columns, 3], the first frame in RGB, both sides divided by `factor` and rounded up.

    Raises DamagedImageError, or what the codec raises.  JPEG shrinks while it decodes.
    """
    pixels = _jpeg(data, image, factor=factor) if form == "JPEG" else None
    if pixels is None:
        pixels = np.array(_any(image, factor=factor))
    if image.mode.startswith("I;16") and form == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == 0:  # type: ignore[attr-defined]
        pixels = ~pixels  # its 0 is white, which Pillow knows of eight bits alone
    profile = image.info.get("icc_profile") or b""
    codes = read_codes(form, data) if form == "PNG" or not profile else None  # which outrank a profile in PNG alone
    return in_srgb(pixels, profile) if codes is None else as_srgb(pixels, *codes)


def _jpeg(data: bytes, image: Image.Image, *, factor: int) -> NDArray[np.uint8] | None:
    """By libjpeg-turbo alone, a fifth faster than through Pillow; None for a kind that it leaves to Pillow."""
    space = "CMYK" if image.mode == "CMYK" else "RGB"
    columns, rows = (-(-side // factor) for side in image.size)
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, space, min_height=rows, min_width=columns, min_factor=factor
        )
    except ValueError as error:
        if _LOST.match(str(error)) and not _is_padded(data, str(error)):
            raise DamagedImageError(f"a JPEG must be whole: {error}; upload it again") from error
        return None
    return pixels if space == "RGB" else np.array(Image.fromarray(~pixels, "CMYK").convert("RGB"))


def _is_padded(data: bytes, complaint: str) -> bool:
    """Whether the surplus is the zeros that some cameras write before the end of the picture."""
    surplus = _PADDING.match(complaint)
    return surplus is not None and bytes(int(surplus[1])) + b"\xff\xd9" in data


def _any(image: Image.Image, *, factor: int) -> Image.Image:
    """By Pillow, then band by band, so that no second copy of a large picture is held."""
    whole = image.size
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (whole[0] // factor, whole[1] // factor))
    image.load()
    if image.size != whole:  # it has shrunk while decoding
        factor = 1
    if image.mode == "RGB" and not image.has_transparency_data:
        return image.reduce(factor) if factor > 1 else image
    width, height = image.size
    picture = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _BAND):
        band = _rgb(image.crop((0, top, width, min(top + _BAND, height))))
        picture.paste(band.reduce(factor), (0, top // factor))
    return picture


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits a channel; what is see-through becomes white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return image.convert("RGB")
