"""Small videos for tests: bundled portraits that move through a plain room, in any container and codec of PyAV."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import BytesIO

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facealbum.demo.portraits import load_pixels, load_portraits

Picture = NDArray[np.uint8]

_AROUND = 1.7  # sides of what is cut out of a portrait, over the sides of the face
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "threads": "1"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "16", "threads": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "threads": "1"},
    "libsvtav1": {"preset": "12"},
}


@dataclass(frozen=True, slots=True)
class Actor:
    """A portrait; at: where the middle of its face is at a second, in shares of the frame, None while it is away."""

    portrait: str
    at: Callable[[float], tuple[float, float] | None]
    height: float = 0.3


def still(x: float, y: float = 0.5) -> Callable[[float], tuple[float, float]]:
    """Always at one place."""
    return lambda _: (x, y)


@dataclass(frozen=True, slots=True)
class Clip:
    """How a video is made; times: when each frame is shown, in seconds; room: which room it shows at a second."""

    actors: Sequence[Actor] = ()
    times: Sequence[float] = tuple(number / 10 for number in range(40))
    size: tuple[int, int] = (640, 360)
    codec: str = "libx264"
    container: str = "mp4"
    keyframes: int = 10
    rotation: int = 0
    mirrored: bool = False
    shape: Fraction = Fraction(1)
    room: Callable[[float], int] = lambda _: 0
    metadata: Sequence[tuple[str, str]] = ()

    def frame(self, second: float) -> Picture:
        """The picture at a second: uint8[height, width, 3], RGB, as it looks on a screen."""
        width, height = self.size
        picture = _room(self.room(second), (width, height))
        for actor in self.actors:
            place = actor.at(second)
            if place is not None:
                _paste(picture, _head(actor.portrait, round(actor.height * height * _AROUND)), place)
        return picture


def frames(seconds: float, *, rate: int = 10) -> tuple[float, ...]:
    """The times of frames at a steady rate."""
    return tuple(number / rate for number in range(round(seconds * rate)))


def film(clip: Clip) -> bytes:
    """The video's bytes; what the metadata turn is filmed turned the other way, what they mirror is filmed as it is."""
    # SVT-AV1 gives the thread that calls it real-time priority, which every later child process would inherit: a thread
    # that ends with the film takes that along.
    with ThreadPoolExecutor(1) as cutting_room:
        return cutting_room.submit(_encode, clip).result()


def _encode(clip: Clip) -> bytes:
    content = BytesIO()
    with av.open(content, "w", format=clip.container, options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(dict(clip.metadata))
        stream = _stream(container, clip)
        for second in clip.times:
            pixels = np.rot90(clip.frame(second), -clip.rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = round(second * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return content.getvalue()


def _stream(container: av.container.OutputContainer, clip: Clip) -> VideoStream:
    stream = container.add_stream(clip.codec, rate=10, options=_OPTIONS.get(clip.codec, {}))
    stream.width, stream.height = clip.size if clip.rotation % 180 == 0 else clip.size[::-1]
    stream.pix_fmt = "yuv422p10le" if clip.codec == "prores_ks" else "yuv420p"
    stream.gop_size = clip.keyframes
    if clip.container != "avi":  # which knows no times, only a rate
        stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.sample_aspect_ratio = clip.shape
    if clip.rotation or clip.mirrored:
        stream.set_display_rotation(clip.rotation, hflip=clip.mirrored)
    return stream


@cache
def _head(key: str, side: int) -> Picture:
    face = next(portrait.face for portrait in load_portraits() if portrait.key == key)
    pixels = load_pixels(key)
    half = _AROUND * face.height / 2
    x, y = (face.x1 + face.x2) / 2, (face.y1 + face.y2) / 2
    top, bottom = max(0, round(y - half)), min(pixels.shape[0], round(y + half))
    left, right = max(0, round(x - half)), min(pixels.shape[1], round(x + half))
    part = pixels[top:bottom, left:right]
    return np.asarray(cv2.resize(part, (part.shape[1] * side // part.shape[0], side), interpolation=cv2.INTER_AREA))


def _room(number: int, size: tuple[int, int]) -> Picture:
    """A wall of few colours that has nothing of another room's."""
    width, height = size
    light = np.linspace(0.6, 1, width)[None, :, None] * np.linspace(1, 0.8, height)[:, None, None]
    colour = np.array([(200, 190, 170), (60, 110, 90), (120, 60, 150)][number % 3])
    return (light * colour).astype(np.uint8)


def _paste(picture: Picture, head: Picture, place: tuple[float, float]) -> None:
    """Put the head with its middle at the place, as far as it is inside."""
    rows, columns = picture.shape[:2]
    left, top = round(place[0] * columns - head.shape[1] / 2), round(place[1] * rows - head.shape[0] / 2)
    x1, x2, y1, y2 = max(0, left), min(columns, left + head.shape[1]), max(0, top), min(rows, top + head.shape[0])
    if x1 < x2 and y1 < y2:
        picture[y1:y2, x1:x2] = head[y1 - top : y2 - top, x1 - left : x2 - left]
