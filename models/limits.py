"""What one upload may cost: its header is held against these bounds before anything of it is decoded."""

from dataclasses import dataclass

from facealbum.domain.bounds import check_bounds


@dataclass(frozen=True, slots=True)
class Limits:
    """pixels: of a photo, or of one frame of a video; video_frames: sampled of one video; video_seconds: its length."""

    pixels: int = 200_000_000
    video_frames: int = 3600
    video_seconds: float = 3600.0

    def __post_init__(self) -> None:
        """Raises InvalidValueError."""
        check_bounds(self, {"pixels": (1, 10**9), "video_frames": (1, 10**6), "video_seconds": (0.001, 10**6)})


PASSED = Limits(pixels=10**9, video_frames=10**6, video_seconds=10**6)
"""For what was held against its installation's own limits when it was analysed: the widest there can be."""
