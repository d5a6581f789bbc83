"""Pictures whose colours are coded by ITU-T H.273 (CICP), as videos, HEIC, AVIF and PNG say it, as sRGB shows them.

HDR10 (PQ) and hybrid log-gamma, which phones film in, are shown with the white of paper at 203 cd/m2, which is 75 % of
the signal of hybrid log-gamma (ITU-R BT.2408); what is brighter becomes white, and hardly ever is a face.
"""

import re
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.decode.headers import iso_boxes

Values = NDArray[np.float64]

_PQ, _HLG = 16, 18  # transfer characteristics
_UNSAID, _BT2020, _DISPLAY_P3 = 2, 9, 12  # colour primaries
_IN_BOX = re.compile(rb"colrnclx(..)(..)", re.DOTALL)
_IN_CHUNK = re.compile(rb"\0\0\0\x04cICP(.)(.)", re.DOTALL)
_BAND = 64  # rows; what is worked on stays in the processor's cache
_BRIGHTEST = 1.5  # square root of the light that is told apart
_TO_SRGB = {
    _BT2020: [[1.6605, -0.5877, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1188]],
    _DISPLAY_P3: [[1.2249, -0.2249, 0.0], [-0.0420, 1.0420, 0.0], [-0.0197, -0.0786, 1.0983]],
}
_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]] * 3, np.float32)  # of BT.2020, once for each channel


def as_srgb(pixels: NDArray[np.uint8], primaries: int, transfer: int) -> NDArray[np.uint8]:
    """uint8[rows, columns, 3] of these codes of H.273 as sRGB; `pixels` itself where they say nothing else.

    HDR without primaries has those of BT.2020.  Costs 8 to 13 ms for two megapixels.
    """
    if is_srgb(primaries, transfer):
        return pixels
    light = _LIGHT.get(transfer, _SDR)
    matrix = _MATRICES.get(_BT2020 if primaries == _UNSAID else primaries)
    shown = np.empty_like(pixels)
    for top in range(0, len(pixels), _BAND):
        part = cv2.LUT(pixels[top : top + _BAND], light)
        if transfer == _HLG:
            bright = cv2.convertScaleAbs(cv2.sqrt(cv2.transform(part, _LUMINANCE)), alpha=255 / _BRIGHTEST)
            part = cv2.multiply(part, cv2.LUT(bright, _SYSTEM_GAMMA))
        if matrix is not None:
            part = cv2.max(cv2.transform(part, matrix), 0)  # type: ignore[call-overload]
        shown[top : top + _BAND] = cv2.LUT(cv2.convertScaleAbs(cv2.sqrt(part), alpha=255), _FROM_ROOT)
    return shown


def is_srgb(primaries: int, transfer: int) -> bool:
    """Whether these codes are of what is shown as it is: sRGB, BT.709, older television, or nothing that is known."""
    return transfer not in _LIGHT and primaries not in _MATRICES


def read_codes(form: str, data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer that a PNG, HEIC or AVIF states by H.273; None if it states none.

    Nor does one whose parts differ, as a picture and the gain map beside it do.
    """
    if form == "PNG":
        found = set(_IN_CHUNK.findall(data, 0, max(0, data.find(b"IDAT"))))
    else:
        found = set()
        for kind, at, size in iso_boxes(data) if form in ("HEIF", "AVIF") else ():
            found.update(_IN_BOX.findall(data, at, at + size) if kind == b"meta" else ())
    if len(found) != 1:
        return None
    primaries, transfer = found.pop()
    return int.from_bytes(primaries), int.from_bytes(transfer)


def _table(curve: Callable[[Values], Values]) -> NDArray[np.float32]:
    """float32[256]: the light of each code, of which white has 1."""
    return curve(np.linspace(0, 1, 256)).astype(np.float32)


def _sdr(code: Values) -> Values:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - IEC 61966-2-1


def _pq(code: Values) -> Values:
    """SMPTE ST 2084."""
    root = code ** (1 / 78.84375)
    light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return 10_000 / 203 * light


def _hlg(code: Values) -> Values:
    """ITU-R BT.2100: light of the scene, the system gamma comes after."""
    light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)  # noqa: PLR2004
    return light / 0.26496256  # of 75 %


_LIGHT = {_PQ: _table(_pq), _HLG: _table(_hlg)}
_SDR = _table(_sdr)
_MATRICES = {primaries: np.array(matrix, np.float32) for primaries, matrix in _TO_SRGB.items()}
_SYSTEM_GAMMA = _table(lambda root: (_BRIGHTEST * np.maximum(root, 1 / 510)) ** (2 * 0.2))
_FROM_ROOT = np.searchsorted(_sdr((np.arange(255) + 0.5) / 255), np.linspace(0, 1, 256) ** 2).astype(np.uint8)
"""uint8[256]: the code of sRGB for the square root of a light; the root is fast to take, and near to that curve."""
