"""Frames of a video, one at a time: upright RGB pictures about every N seconds, each with the moment it shows.

The header is held against the limits first, then every packet is read once without decoding, so a file cut short is
refused.  Keyframes are preferred, since a keyframe decodes alone: at a frame each second that costs a tenth of decoding
everything.  One picture is in memory at a time.  Only orientation and time are read from metadata, never a position.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facealbum.errors import (
    DamagedVideoError,
    ImageSizeError,
    NoPictureError,
    PhotoError,
    UnknownFormatError,
    VideoLengthError,
)
from models.containers import demuxer_of, format_of
from models.decode import WORKING_SIDE, Photo
from models.frames import upright
from models.limits import Limits

_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "h263", "mjpeg", "mpeg1video", "mpeg2video"})
_TAKEN = ("com.apple.quicktime.creationdate", "creation_time")  # only the first one knows its offset from UTC
_YEARS = range(1991, 2100)  # clocks that were never set say 1904 or 1970, and no video is older than QuickTime
_MISSING_SECONDS = 1.5  # of the length in the header, before a file counts as cut short


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video, `ms` milliseconds after its first one; `photo.taken_at` is that moment."""

    ms: int
    photo: Photo


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """All packets of the pictures, in the order of decoding.

    times: int64[packets], when each is shown, in units of `unit` seconds; keys: intp, which of them decode alone.
    """

    unit: Fraction
    times: NDArray[np.int64]
    keys: NDArray[np.intp]


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
            self._index = _read_index(container, stream, self._limits)
        first, last = self._index.times.min(), self._index.times.max()
        self._first = int(first)
        self.seconds = float((int(last) - int(first)) * self._index.unit)

    def sample(self, every: float) -> Iterator[Frame]:
        """A frame about every so many seconds, the first one included; longer steps where the limit is on frames."""
        most = self._limits.video_frames
        step = max(every, self.seconds / max(most - 1, 1))
        return self._frames(
            plan_samples(self._index.times, self._index.keys, step=float(step / self._index.unit))[:most]
        )

    def frames_at(self, moments: Iterable[int]) -> Iterator[Frame]:
        """The frames nearest to these milliseconds from the first one, in the order of time."""
        wanted = [self._first + ms / 1000 / self._index.unit for ms in sorted(set(moments))]
        nearest = {int(self._index.times[np.abs(self._index.times - float(time)).argmin()]) for time in wanted}
        return self._frames(sorted(nearest))

    def _frames(self, times: Sequence[int]) -> Iterator[Frame]:
        """Each frame as soon as it is decoded; raises DamagedVideoError if there comes none."""
        scaler = VideoReformatter()
        found = False
        with self._opened() as (container, stream), _damage():
            for time, picture in _decoded(container, stream, self._index, times):
                found = True
                ms = round((time - self._first) * self._index.unit * 1000)
                taken_at = self.taken_at + timedelta(milliseconds=ms) if self.taken_at else None
                shape = stream.sample_aspect_ratio or Fraction(1)
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
    """The frames of a video at these milliseconds, which sampling gave before."""
    return ((frame.ms, frame.photo) for frame in Video(data).frames_at(moments))


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
    _check_length((container.duration or 0) / av.time_base, limits)


def _check_length(seconds: float, limits: Limits) -> None:
    if seconds > limits.video_seconds:
        raise VideoLengthError(
            f"a video must be at most {limits.video_seconds:g} seconds long, this one has {seconds:.0f}; upload a part"
        )


def _read_index(container: InputContainer, stream: VideoStream, limits: Limits) -> _Index:
    """Read all packets; raises DamagedVideoError if there are fewer than the header says, or broken ones."""
    times: list[int] = []
    keys: list[int] = []
    end = 0.0
    for packet in container.demux():
        time = _time(packet)
        if not packet.size or time is None or packet.time_base is None:
            continue
        end = max(end, float((time + (packet.duration or 0)) * packet.time_base))
        if packet.stream.index == stream.index:
            if packet.is_keyframe:
                keys.append(len(times))
            times.append(time)
            if packet.is_corrupt:
                raise DamagedVideoError("a video must be whole, a packet of this one is cut off; upload it again")
    if not times or stream.time_base is None:
        raise NoPictureError("a video must have pictures, this one has none; upload it again")
    _check_length(float((max(times) - min(times)) * stream.time_base), limits)
    promised = ((container.duration or 0) + min(0, container.start_time or 0)) / av.time_base
    if promised - end > _MISSING_SECONDS:
        raise DamagedVideoError(
            f"a video must be whole, of {promised:.0f} seconds this one holds {end:.0f}; upload it again"
        )
    return _Index(stream.time_base, np.array(times, np.int64), np.array(keys, np.intp))


def _decoded(
    container: InputContainer, stream: VideoStream, index: _Index, times: Sequence[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """The pictures at these sorted times.

    Decoding starts at the last keyframe before each; pictures that no other needs are not decoded on the way there, so
    one of them is replaced by the next.
    """
    codec = stream.codec_context
    codec.skip_frame = "NONREF"
    groups = deque(_grouped(index, times))
    due: deque[int] = deque()
    packets = (packet for packet in container.demux(stream) if packet.size and _time(packet) is not None)
    for number, packet in enumerate(packets):
        if groups and number >= groups[0][0]:
            yield from _shown(codec, None, due)
            codec.flush_buffers()
            due = groups.popleft()[1]
        if due:
            alone = len(due) == 1 and due[0] == _time(packet)
            yield from _shown(codec, packet, due)
            if alone:
                yield from _shown(codec, None, due)
                due.clear()
        elif not groups:
            return
    yield from _shown(codec, None, due)


def _grouped(index: _Index, times: Sequence[int]) -> Iterator[tuple[int, deque[int]]]:
    """The times by the packet at which decoding has to start for them."""
    keys = index.keys if len(index.keys) else np.zeros(1, np.intp)
    groups: dict[int, deque[int]] = {}
    for time in times:
        before = keys[index.times[keys] <= time]
        groups.setdefault(int(before.max(initial=keys[0])), deque()).append(time)
    return iter(sorted(groups.items()))


def _shown(
    codec: VideoCodecContext, packet: "Packet[VideoStream] | None", due: deque[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode one packet, or the rest if it is None; of what comes out, the pictures that are due."""
    if not due:
        return
    for picture in codec.decode(packet):
        time = _time(picture)
        if due and (time is None or time >= due[0]) and not picture.is_corrupt:
            first = due.popleft()
            while due and time is not None and time >= due[0]:
                due.popleft()
            yield (first if time is None else time), picture


def _time(part: "Packet[Any] | VideoFrame") -> int | None:
    return part.dts if part.pts is None else part.pts


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
