"""A video gives upright pictures about every N seconds, or one typed reason why not, whatever made the file."""

import os
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.errors import (
    DamagedVideoError,
    ImageSizeError,
    NoPictureError,
    PhotoError,
    UnknownFormatError,
    VideoLengthError,
)
from models.containers import format_of, is_video
from models.limits import Limits
from models.video import Frame, Video, plan_samples
from tests.clips import Clip, film, frames

ROOMS = Clip(times=frames(5), room=int, size=(320, 180))
"""Every second in another of three rooms."""

CODECS = [
    ("libx264", "mp4", "mp4"),
    ("libx264", "mov", "mov"),
    ("libx264", "matroska", "mkv"),
    ("libx264", "avi", "avi"),
    ("libx265", "mp4", "mp4"),
    ("libx265", "mov", "mov"),
    ("libvpx", "webm", "webm"),
    ("libvpx-vp9", "webm", "webm"),
    ("libsvtav1", "webm", "webm"),
    ("libsvtav1", "mp4", "mp4"),
    ("mpeg4", "avi", "avi"),
    ("mpeg4", "3gp", "mp4"),
    ("prores_ks", "mov", "mov"),
]


def sampled(clip: Clip, every: float = 1.0) -> list[Frame]:
    return list(Video(film(clip)).sample(every))


def colour(frame: Frame) -> list[int]:
    return frame.photo.pixels.reshape(-1, 3).mean(axis=0).astype(int).tolist()


def nearest_room(frame: Frame) -> int:
    rooms = [Clip(room=lambda _, n=number: n).frame(0).reshape(-1, 3).mean(axis=0) for number in range(3)]
    return int(np.argmin([np.abs(room - colour(frame)).sum() for room in rooms]))


@pytest.mark.parametrize(("codec", "container", "name"), CODECS)
def test_every_container_and_codec_gives_a_frame_a_second(codec: str, container: str, name: str) -> None:
    data = film(replace(ROOMS, codec=codec, container=container))
    assert is_video(data)
    video = Video(data)
    found = list(video.sample(1.0))
    assert (video.format, format_of(data)) == (name, name)
    assert [frame.ms for frame in found[:-1]] == [0, 1000, 2000, 3000, 4000]
    assert [nearest_room(frame) for frame in found[:-1]] == [0, 1, 2, 0, 1]
    assert all(frame.photo.pixels.shape == (180, 320, 3) for frame in found)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="the system tells no scheduling policy")
def test_making_a_video_leaves_the_tests_and_their_children_the_usual_priority() -> None:
    before = os.sched_getscheduler(0)
    film(replace(ROOMS, codec="libsvtav1", container="webm"))
    assert os.sched_getscheduler(0) == before


def test_a_frame_is_found_again_by_its_time() -> None:
    data = film(replace(ROOMS, keyframes=17))
    first = {frame.ms: frame.photo.pixels for frame in Video(data).sample(0.7)}
    again = {frame.ms: frame.photo.pixels for frame in Video(data).frames_at([*first, *first])}
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[ms], again[ms]) for ms in first)


def test_frames_between_far_keyframes_are_decoded_from_the_one_before() -> None:
    found = sampled(replace(ROOMS, keyframes=1000))
    assert [nearest_room(frame) for frame in found[:-1]] == [0, 1, 2, 0, 1]


def test_frames_at_uneven_times_show_what_was_there_at_their_time() -> None:
    uneven = (0.0, 0.04, 0.9, 1.4, 1.45, 1.5, 3.1, 3.2, 4.6)
    found = sampled(replace(ROOMS, times=uneven))
    assert [frame.ms for frame in found] == [0, 900, 1500, 3100, 4600]
    assert [nearest_room(frame) for frame in found] == [0, 0, 1, 0, 1]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_video_is_shown_upright(rotation: int) -> None:
    upright, turned = (sampled(replace(ROOMS, rotation=degrees))[0].photo for degrees in (0, rotation))
    assert (turned.width, turned.height, turned.pixels.shape) == (320, 180, (180, 320, 3))
    assert np.abs(turned.pixels.astype(int) - upright.pixels).mean() < 3


def test_a_mirrored_video_is_mirrored_back() -> None:
    mirrored = film(replace(ROOMS, mirrored=True))
    shown, filmed = next(Video(mirrored).sample(1.0)).photo.pixels, ROOMS.frame(0)
    assert np.abs(shown[:, ::-1].astype(int) - filmed).mean() < 3


def test_pixels_become_square() -> None:
    photo = sampled(replace(ROOMS, shape=Fraction(4, 3)))[0].photo
    assert (photo.width, photo.height, photo.pixels.shape) == (427, 180, (180, 427, 3))


def test_pixels_of_no_camera_are_taken_for_square() -> None:
    data = film(replace(ROOMS, shape=Fraction(4, 3)))
    place = data.index(b"pasp") + 4
    for across, down in ((1_000_000, 1), (1, 1_000_000), (5, 1)):
        photo = next(Video(data[:place] + struct.pack(">II", across, down) + data[place + 8 :]).sample(1.0)).photo
        assert (photo.width, photo.height) == (320, 180)


def copied(data: bytes, container: str, *, late: float) -> bytes:
    """The same packets so many seconds later; what comes to lie before 0 is cut off by an edit list."""
    content = BytesIO()
    with av.open(BytesIO(data), "r") as source, av.open(content, "w", format=container) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts is not None:
                shift = round(late / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                target.mux(packet)
    return content.getvalue()


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "webm"])
def test_a_video_may_begin_late(container: str) -> None:
    codec = "libvpx" if container == "webm" else "libx264"
    video = Video(copied(film(replace(ROOMS, codec=codec, container=container)), container, late=5))
    found = list(video.sample(1.0))
    assert [frame.ms for frame in found[:-1]] == [0, 1000, 2000, 3000, 4000]
    assert [nearest_room(frame) for frame in found[:-1]] == [0, 1, 2, 0, 1]


def test_what_an_edit_cut_off_is_neither_shown_nor_counted() -> None:
    whole = film(replace(ROOMS, keyframes=1000, metadata=(("creation_time", "2020-05-06T07:08:09Z"),)))
    video = Video(copied(whole, "mp4", late=-1.5))
    found = list(video.sample(1.0))
    assert video.seconds == pytest.approx(3.4)
    assert [frame.ms for frame in found] == [0, 1000, 2000, 3000]
    assert [nearest_room(frame) for frame in found] == [1, 2, 0, 1]


def test_every_frame_of_a_slow_video_is_looked_at() -> None:
    slow = replace(ROOMS, times=tuple(map(float, range(12))), keyframes=1000)
    assert [frame.ms for frame in sampled(slow)] == [1000 * second for second in range(12)]


def test_a_large_frame_is_reduced_and_knows_its_size() -> None:
    video = Video(film(replace(ROOMS, times=frames(0.3))), working_side=100)
    photo = next(video.sample(1.0)).photo
    assert (photo.width, photo.height, photo.pixels.shape) == (320, 180, (90, 160, 3))


UTC_9 = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("metadata", "taken_at"),
    [
        ({"creation_time": "2020-05-06T07:08:09Z"}, datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)),
        (
            {
                "creation_time": "2020-05-07T07:08:09Z",
                "com.apple.quicktime.creationdate": "2020-05-06T07:08:09+0900",
                "com.apple.quicktime.location.ISO6709": "+35.6586+139.7454/",
            },
            datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC_9),
        ),
        ({"creation_time": "1904-01-01T00:00:00Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00Z"}, None),
        ({"com.apple.quicktime.creationdate": "soon"}, None),
        ({}, None),
    ],
)
def test_each_frame_was_taken_when_its_video_says(metadata: dict[str, str], taken_at: datetime | None) -> None:
    found = sampled(replace(ROOMS, container="mov", metadata=tuple(metadata.items())))
    expected = [taken_at and taken_at + timedelta(milliseconds=frame.ms) for frame in found]
    assert [frame.photo.taken_at for frame in found] == expected


def test_more_seconds_or_pixels_than_allowed_are_refused_and_frames_lie_farther_apart() -> None:
    data = film(ROOMS)
    with pytest.raises(VideoLengthError, match="at most 3 seconds"):
        Video(data, limits=Limits(video_seconds=3))
    with pytest.raises(ImageSizeError, match="320 x 180"):
        Video(data, limits=Limits(pixels=320 * 180 - 1))
    few = [frame.ms for frame in Video(data, limits=Limits(video_frames=3)).sample(0.1)]
    assert few == [0, 2000, 4000]


@pytest.mark.parametrize(("codec", "container"), [(codec, container) for codec, container, _ in CODECS])
def test_a_video_cut_short_is_refused(codec: str, container: str) -> None:
    data = film(replace(ROOMS, codec=codec, container=container))
    with pytest.raises(DamagedVideoError):
        list(Video(data[: len(data) // 2]).sample(1.0))


def test_sound_alone_is_no_video() -> None:
    content = BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(NoPictureError):
        Video(content.getvalue())


@pytest.mark.parametrize("data", [b"", b"no video at all", b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypheic" + bytes(12)])
def test_what_is_no_video_is_not_taken_for_one(data: bytes) -> None:
    assert not is_video(data)
    with pytest.raises(UnknownFormatError):
        Video(data)


@pytest.mark.parametrize(
    "data", [b"\0\0\0\x18ftypisom" + bytes(12), b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI ", b"\0\0\0\x08moov"]
)
def test_a_head_without_a_video_has_its_reason(data: bytes) -> None:
    with pytest.raises((DamagedVideoError, NoPictureError)):
        Video(data)


def test_changed_bytes_give_frames_or_a_typed_reason() -> None:
    chance = np.random.default_rng(3)
    whole = [film(replace(ROOMS, times=frames(1), container=one)) for one in ("mp4", "matroska", "avi")]
    reasons = 0
    for number in range(60):
        data = bytearray(whole[number % len(whole)])
        for place in chance.integers(0, len(data) if number % 2 else 2000, 8).tolist():
            data[place] = int(chance.integers(256))
        try:
            assert list(Video(bytes(data), limits=Limits(pixels=10**6)).sample(1.0))
        except PhotoError:
            reasons += 1
    assert 0 < reasons < 60


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True),
    st.data(),
    st.integers(1, 4000),
)
def test_no_two_samples_share_a_step_and_no_step_with_frames_is_left_out(
    times: list[int], data: st.DataObject, step: int
) -> None:
    times.sort()
    keys = data.draw(st.lists(st.sampled_from(range(len(times))), unique=True))
    chosen = plan_samples(np.array(times, np.int64), np.array(sorted(keys), np.intp), step=step)
    cells = [int((time - times[0]) / step + 0.5) for time in times]
    assert [int((time - times[0]) / step + 0.5) for time in chosen] == sorted(set(cells))
    for time in chosen:
        cell = int((time - times[0]) / step + 0.5)
        has_key = any(cells[key] == cell for key in keys)
        assert not has_key or times.index(time) in keys
