"""A frame of any depth and light becomes a picture of eight bits that a common screen would show."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorTrc, VideoReformatter

from facealbum.demo.portraits import load_pixels
from models.frames import upright
from models.video import Video
from tests.coded_light import CODED, film_coded


def grey(trc: ColorTrc, *, value: int) -> int:
    """What a frame of ten bits, all of this luma (64 to 940), looks like."""
    frame = av.VideoFrame.from_ndarray(np.full((48, 64), value, np.uint16), format="gray10le")
    frame = frame.reformat(format="yuv420p10le", dst_color_range="MPEG")
    frame.color_trc = trc
    pixels, size = upright(frame, VideoReformatter(), shape=Fraction(1), working_side=1440)
    assert (pixels.shape, pixels.dtype, size) == ((48, 64, 3), np.uint8, (64, 48))
    assert np.ptp(pixels) <= 2, "grey stays grey"
    return int(pixels[24, 32, 0])


@pytest.mark.parametrize("trc", [ColorTrc.BT709, ColorTrc.ARIB_STD_B67, ColorTrc.SMPTE2084])
def test_ten_bits_become_eight_from_black_to_white(trc: ColorTrc) -> None:
    shown = [grey(trc, value=value) for value in range(0, 1024, 93)]
    assert shown == sorted(shown)
    assert shown[0] <= 2
    assert shown[-1] >= 253


def test_paper_white_of_hdr10_is_white_and_mid_grey_is_not_dim() -> None:
    paper, skin = round(0.58 * 1023), round(0.44 * 1023)  # 203 and about 50 cd/m2
    assert grey(ColorTrc.SMPTE2084, value=paper) >= 240
    assert 110 <= grey(ColorTrc.SMPTE2084, value=skin) <= 160


@pytest.mark.parametrize(("transfer", "primaries"), CODED)
def test_colours_come_back_from_ten_bits_of_a_video(transfer: int, primaries: int) -> None:
    portrait = load_pixels("obama-2012")[:192, :256]
    shown = next(Video(film_coded(portrait, transfer, primaries)).sample(1.0)).photo.pixels
    wrong = np.abs(shown.astype(int) - portrait)
    assert wrong.mean() < 2.5
    assert np.percentile(wrong, 99) <= 8
