"""Pictures of sRGB coded as others record them: HDR10, hybrid log-gamma, BT.2020, Display P3, by their standards."""

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

Values = NDArray[np.float64]

SDR, PQ, HLG = 13, 16, 18
BT709, UNSAID, BT2020, DISPLAY_P3 = 1, 2, 9, 12
CODED = [(SDR, BT2020), (SDR, DISPLAY_P3), (PQ, BT2020), (PQ, UNSAID), (HLG, BT2020), (HLG, UNSAID), (HLG, BT709)]
"""Transfer characteristics and primaries by their numbers in ITU-T H.273."""

_XYZ = {  # of red, green and blue, as columns, of light with the white of D65
    BT709: [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    BT2020: [[0.6370, 0.1446, 0.1689], [0.2627, 0.6780, 0.0593], [0.0000, 0.0281, 1.0610]],
    DISPLAY_P3: [[0.4866, 0.2657, 0.1982], [0.2290, 0.6917, 0.0793], [0.0000, 0.0451, 1.0439]],
}
_SYSTEM_GAMMA = 1.2


def coded(pixels: NDArray[np.uint8], transfer: int, primaries: int) -> Values:
    """float64[..., 3], 0 to 1: the signal that shows these pixels of sRGB, whose white has 203 cd/m2."""
    shown = np.where(pixels <= 10, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    own = _XYZ[BT2020 if primaries == UNSAID else primaries]
    light = np.clip(shown @ np.linalg.solve(own, _XYZ[BT709]).T, 0, 1)
    return _SIGNALS[transfer](light)


def film_coded(pixels: NDArray[np.uint8], transfer: int, primaries: int) -> bytes:
    """An MP4 in HEVC of three such pictures with ten bits a channel, tagged as what it is."""
    signal = np.rint(65535 * coded(pixels, transfer, primaries)).astype(np.uint16)
    content = BytesIO()
    with av.open(content, "w", format="mp4") as container:
        options = {"x265-params": "log-level=none:pools=none:frame-threads=1", "crf": "8"}
        stream = container.add_stream("libx265", rate=10, options=options)
        stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, primaries, 9, 1
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(signal, format="rgb48le")
            frame = frame.reformat(
                format="yuv420p10le", dst_colorspace=Colorspace.BT2020, src_color_range="JPEG", dst_color_range="MPEG"
            )
            frame.color_trc, frame.color_primaries = transfer, primaries
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return content.getvalue()


def _sdr(light: Values) -> Values:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _pq(light: Values) -> Values:
    power = (203 / 10_000 * light) ** 0.1593017578125
    coded: Values = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return coded


def _hlg(light: Values) -> Values:
    """By way of the scene's light, since a screen of 1,000 cd/m2 shows a scene by a power of its luminance."""
    shown = 203 / 1000 * light
    luminance = np.maximum(shown @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)[..., None]
    scene = shown * luminance ** ((1 - _SYSTEM_GAMMA) / _SYSTEM_GAMMA)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


_SIGNALS: dict[int, Callable[[Values], Values]] = {SDR: _sdr, PQ: _pq, HLG: _hlg}
