"""The packets of a video's pictures: found whole before any is decoded, then decoded only as far as is needed."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facealbum.errors import DamagedVideoError, NoPictureError, VideoLengthError
from models.limits import Limits

_MISSING_SECONDS = 1.5  # of the length in the header, before a file counts as cut short
_MANY = 8  # pictures for each that is wanted, from which the next one is as good
_FASTEST = 1000  # frames a second; slow motion has 240


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """All packets of the pictures, in the order of decoding.

    times: int64[packets], when each is shown, in units of `unit` seconds; keys: intp, which of them decode alone.
    start: the time of the first that is shown: what an edit cut off stays in the file, for those behind it to decode.
    """

    unit: Fraction
    times: NDArray[np.int64]
    keys: NDArray[np.intp]
    start: int


def read_index(container: InputContainer, stream: VideoStream, limits: Limits) -> PacketIndex:
    """Read all packets.

    Raises DamagedVideoError if there are fewer than the header says or broken ones, NoPictureError, VideoLengthError.
    """
    times: list[int] = []
    keys: list[int] = []
    shown: list[int] = []
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
            if not packet.is_discard:
                shown.append(time)
            check_length(len(times) / _FASTEST, limits)
            if packet.is_corrupt:
                raise DamagedVideoError("a video must be whole, a packet of this one is cut off; upload it again")
    if not shown or stream.time_base is None:
        raise NoPictureError("a video must have pictures, this one has none; upload it again")
    check_length(float((max(shown) - min(shown)) * stream.time_base), limits)
    late = 0 if "matroska" in container.format.name else container.start_time or 0  # which counts from 0 in any case
    promised = (late + (container.duration or 0)) / av.time_base
    if promised - end > _MISSING_SECONDS:
        raise DamagedVideoError(
            f"a video must be whole, this one ends at {end:.1f} of {promised:.1f} seconds; upload it again"
        )
    return PacketIndex(stream.time_base, np.array(times, np.int64), np.array(keys, np.intp), min(shown))


def decode_at(
    container: InputContainer, stream: VideoStream, index: PacketIndex, times: Sequence[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """The pictures at these sorted times, each with its own time; one that does not decode is left out.

    Decoding starts at the last keyframe before each.  Where many pictures lie between those that are wanted, those that
    no other needs are not decoded on the way, so in the place of one of them comes the next.
    """
    codec = stream.codec_context
    if len(index.times) >= _MANY * len(times):
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


def _grouped(index: PacketIndex, times: Sequence[int]) -> Iterator[tuple[int, deque[int]]]:
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


def check_length(seconds: float, limits: Limits) -> None:
    """Raises VideoLengthError if so many seconds are too many."""
    if seconds > limits.video_seconds:
        raise VideoLengthError(
            f"a video must be at most {limits.video_seconds:g} seconds long, this one has {seconds:.0f}; upload a part"
        )
