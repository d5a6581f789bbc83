"""Frames of a video, one at a time: upright RGB pictures about every N seconds, each with the moment it shows.

The header is held against the limits first, then every packet is read once without decoding, so a file cut short is
refused.  Keyframes are preferred, since a keyframe decodes alone: at a frame each second that costs a tenth of decoding
everything.  One picture is in memory at a time.  Only orientation and time are read from metadata, never a position.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facealbum.errors import (
    DamagedVideoError,
    ImageSizeError,
    NoPictureError,
    PhotoError,
    UnknownFormatError,
)
from models.containers import demuxer_of, format_of
from models.decode import WORKING_SIDE, Photo
from models.frames import upright
from models.limits import PASSED, Limits
from models.packets import check_length, decode_at, read_index

_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "h263", "mjpeg", "mpeg1video", "mpeg2video"}) | {
    "prores",  # of phones that film for editing
    "dvvideo",  # of tape cameras
}
_TAKEN = ("com.apple.quicktime.creationdate", "creation_time")  # only the first one knows its offset from UTC
_FLATTEST = 4
_YEARS = range(1991, 2100)  # clocks that were never set say 1904 or 1970, and no video is older than QuickTime


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video, `ms` milliseconds after its first one; `photo.taken_at` is that moment."""

    ms: int
    photo: Photo


class Video:
    """A whole video: MP4, MOV, 3GP, WebM, Matroska or AVI.

    format: the container's name; seconds: from the first picture to the last; taken_at: of the first picture, aware,
    None if the file does not say.  Raises UnknownFormatError, NoPictureError, ImageSizeError, VideoLengthError or
    DamagedVideoError; the last also while frames are read.
    """

    def __init__(self, data: bytes, *, limits: Limits | None = None, working_side: int = WORKING_SIDE) -> None:
        form = demuxer_of(data)
        if form is None:
            raise UnknownFormatError("the file must be MP4, MOV, WebM, MKV or AVI, its first bytes are of none of them")
        self._data, self._form = data, form
        self._limits, self._working_side = limits or Limits(), working_side
        with self._opened() as (container, stream):
            self.format = format_of(data)
            self.taken_at = _taken_at(container.metadata) or _taken_at(stream.metadata)
            self._index = read_index(container, stream, self._limits)
        self._first = self._index.start
        self.seconds = float((int(self._index.times.max()) - self._first) * self._index.unit)

    def sample(self, every: float) -> Iterator[Frame]:
        """A frame about every so many seconds, the first one included; longer steps where the limit is on frames."""
        most = self._limits.video_frames
        step = max(every, self.seconds / max(most - 1, 1)) / self._index.unit
        shown = np.flatnonzero(self._index.times >= self._first)
        keys = np.flatnonzero(np.isin(shown, self._index.keys))
        return self._frames(plan_samples(self._index.times[shown], keys, step=float(step))[:most])

    def frames_at(self, moments: Iterable[int]) -> Iterator[Frame]:
        """The frames nearest to these milliseconds from the first one, in the order of time."""
        since = (self._index.times - self._first) * float(self._index.unit * 1000)
        return self._frames(sorted({int(self._index.times[np.abs(since - ms).argmin()]) for ms in moments}))

    def _frames(self, times: Sequence[int]) -> Iterator[Frame]:
        """Each frame as soon as it is decoded; raises DamagedVideoError if there comes none."""
        scaler = VideoReformatter()
        found = False
        with self._opened() as (container, stream), _damage():
            for time, picture in decode_at(container, stream, self._index, times):
                found = True
                ms = round((time - self._first) * self._index.unit * 1000)
                taken_at = self.taken_at + timedelta(milliseconds=ms) if self.taken_at else None
                shape = _pixel_shape(stream)
                pixels, (width, height) = upright(picture, scaler, shape=shape, working_side=self._working_side)
                yield Frame(ms, Photo(pixels, width, height, self.format, taken_at))
        if not found:
            raise DamagedVideoError("a video must have pictures that decode, none of this one does; upload it again")

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The container at its start, and its pictures, held against the limits before any is decoded."""
        with _damage():
            options = {"max_pixels": str(self._limits.pixels)}
            container = av.open(
                BytesIO(self._data), "r", self._form, options, metadata_errors="replace", buffer_size=1 << 20
            )
            with container:
                stream = _picture_stream(container)
                _check(container, stream, self._limits)
                stream.codec_context.thread_count = 1  # workers run one process per core
                stream.codec_context.options = options
                yield container, stream


def read_frames(data: bytes, moments: Iterable[int]) -> Iterator[tuple[int, Photo]]:
    """The frames, at milliseconds that sampling gave before, of a video that passed its limits then."""
    return ((frame.ms, frame.photo) for frame in Video(data, limits=PASSED).frames_at(moments))


def plan_samples(times: NDArray[np.int64], keys: NDArray[np.intp], *, step: float) -> list[int]:
    """The times to sample, sorted: for every `step` from the first on a keyframe, or the nearest frame if none is near.

    times: int64[frames]; keys: intp, the keyframes among them.  "Near" is half a step.
    """
    since = times - times.min()
    cell = np.floor(since / step + 0.5)
    inner = np.ones(len(times), np.bool_)
    inner[keys] = False
    order = np.lexsort((since, np.abs(since - cell * step), inner, cell))
    _, best = np.unique(cell[order], return_index=True)
    return sorted(int(time) for time in times[order[best]])


@contextmanager
def _damage() -> Iterator[None]:
    """Whatever the bytes of a stranger make a demuxer or codec raise, as one DamagedVideoError."""
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:
        raise DamagedVideoError(
            f"the file must be a whole video, it can't be read ({type(error).__name__}); upload it again"
        ) from error


def _picture_stream(container: InputContainer) -> VideoStream:
    """The first moving picture; a cover is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec.canonical_name not in _CODECS:
                break
            return stream
    raise NoPictureError("a video must have pictures of a codec such as H.264, HEVC, VP9 or AV1, this file has none")


def _check(container: InputContainer, stream: VideoStream, limits: Limits) -> None:
    """Hold what the header says against the limits."""
    width, height = stream.width, stream.height
    if not 0 < width * height <= limits.pixels:
        raise ImageSizeError(
            f"a video's pictures must have 1 to {limits.pixels:,} pixels, "
            f"these are {width} x {height}; upload a smaller one"
        )
    check_length((container.duration or 0) / av.time_base, limits)


def _pixel_shape(stream: VideoStream) -> Fraction:
    """Width of a pixel over its height; what no camera or disc has (more than 4 to 1) is damage, and counts as 1."""
    shape = stream.sample_aspect_ratio or Fraction(1)
    return shape if 1 <= _FLATTEST * shape <= _FLATTEST**2 else Fraction(1)


def _taken_at(metadata: dict[str, str]) -> datetime | None:
    """The first likely moment; UTC where there is no offset, as the containers' own field has it."""
    for name in _TAKEN:
        try:
            moment = datetime.fromisoformat(metadata.get(name, ""))
        except ValueError:
            continue
        if moment.year in _YEARS:
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
