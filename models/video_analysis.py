"""From the bytes of a video to the people in it: sample, find the faces of each frame, follow them, keep the best.

Frames are analysed one at a time and dropped, so memory does not grow with the length of the video.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.videos import Track
from models.analyzer import Analyzer
from models.limits import Limits
from models.tracks import SampledFrame, track_faces
from models.video import Video

_BINS = 8
_LOOK_SIDE = 64
_CUT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class VideoAnalysis:
    """What `PhotoAnalysis` is for a photo; taken_at is of the first frame."""

    width: int
    height: int
    format: str
    taken_at: datetime | None
    tracks: tuple[Track, ...]
    seconds: dict[str, float]


def analyze_video(
    analyzer: Analyzer, data: bytes, *, every: float = 1.0, limits: Limits | None = None
) -> VideoAnalysis:
    """The people in a video, looked at about every so many seconds; raises a PhotoError if it can't be decoded."""
    video = Video(data, limits=limits)
    frames: list[SampledFrame] = []
    seconds: dict[str, float] = defaultdict(float)
    size, scene, look = (0, 0), 0, None
    start = perf_counter()
    for frame in video.sample(every):
        size = size if frames else (frame.photo.width, frame.photo.height)
        now = _look(frame.photo.pixels)
        scene += look is not None and _is_cut(look, now)
        look = now
        found = analyzer.analyze_picture(frame.photo)
        for phase, spent in found.seconds.items():
            seconds[phase] += spent
        frames.append(SampledFrame(frame.ms, scene, found.faces))
    seconds["decode"] = perf_counter() - start - sum(seconds.values())
    return VideoAnalysis(*size, video.format, video.taken_at, track_faces(frames), dict(seconds))


def _look(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The share of each colour: float32[512], whose sum is 1."""
    small = cv2.resize(pixels, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA)
    counts = cv2.calcHist([small], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
    return (counts / _LOOK_SIDE**2).ravel().astype(np.float32)


def _is_cut(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Whether two sampled frames share too few colours to be one scene."""
    return float(np.minimum(before, now).sum()) < _CUT
