"""A frame is called after its video and its second, and can be traced back to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.ids import family_id, frame_id, photo_id
from facealbum.domain.videos import frame_key, is_frame_key, video_key


@pytest.mark.parametrize(
    ("ms", "key"), [(0, "a.mp4#t=0"), (10_000, "a.mp4#t=10"), (12_500, "a.mp4#t=12.5"), (1, "a.mp4#t=0.001")]
)
def test_a_frame_is_called_after_its_second(ms: int, key: str) -> None:
    assert frame_key("a.mp4", ms) == key


@given(st.text(), st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_name_of_a_frame_is_its_own_and_leads_back_to_its_video(video: str, one: int, other: int) -> None:
    key = frame_key(video, one)
    assert is_frame_key(key)
    assert video_key(key) == video
    assert (key == frame_key(video, other)) == (one == other)


@pytest.mark.parametrize("key", ["a.mp4", "a#t=.mp4", "a.mp4#t=", "a.mp4#t=1 ", "#t=x", "a.mp4#t=1.5s"])
def test_other_names_are_no_frames(key: str) -> None:
    assert not is_frame_key(key)
    assert video_key(key) == key


def test_a_frame_has_an_id_of_its_own() -> None:
    video = photo_id(family_id("Mori"), "a.mp4")
    assert len({video, frame_id(video, 0), frame_id(video, 1)}) == 3
