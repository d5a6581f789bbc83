"""What analysis says of a video: who was seen in which of its frames."""

import re
from dataclasses import dataclass

from facealbum.domain.faces import Face

_FRAME_KEY = re.compile(r"#t=[0-9]+(\.[0-9]+)?\Z")


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """Face `number`, counted from 0, of the frame `ms` milliseconds after the video's first one."""

    ms: int
    number: int
    face: Face


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person followed from frame to frame.

    seen: the milliseconds of every sampled frame that shows the person, sorted.  best: the few faces that are kept.
    """

    seen: tuple[int, ...]
    best: tuple[Sighting, ...]


def frame_key(video: str, ms: int) -> str:
    """What the frame of a video is called: `clip.mp4#t=12.5`, as in W3C's Media Fragments."""
    return f"{video}#t={ms / 1000:.3f}".rstrip("0").rstrip(".")


def video_key(frame: str) -> str:
    """The key of the video that a frame of this key is from."""
    return _FRAME_KEY.sub("", frame)


def is_frame_key(key: str) -> bool:
    """Whether the key has the form that is kept for frames."""
    return _FRAME_KEY.search(key) is not None
