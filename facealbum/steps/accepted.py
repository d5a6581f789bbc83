"""Which files are looked at: what pictures and videos are called, and how many bytes they may have."""

from facealbum.errors import EmptyFileError, ImageSizeError
from facealbum.settings import Settings

PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".gif"}
)
VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".3gp"})
UNREAD = frozenset(
    {".dng", ".nef", ".cr2", ".cr3", ".crw", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".raw"}
    | {".bmp", ".jp2", ".jxl", ".psd", ".mpg", ".mpeg", ".mts", ".m2ts", ".wmv", ".flv", ".vob"}
)
"""What pictures and videos that can't be read are called."""


def check_length(size: int, settings: Settings, name: str, *, video: bool) -> None:
    """Raises ImageSizeError or EmptyFileError, which name the file, if it may not have so many bytes."""
    most = settings.max_video_bytes if video else settings.max_photo_bytes
    if size > most:
        setting = "FACEALBUM_MAX_VIDEO_BYTES" if video else "FACEALBUM_MAX_PHOTO_BYTES"
        raise ImageSizeError(f"{name} has {size} bytes; {setting} allows {most}")
    if size == 0:
        raise EmptyFileError(f"{name} has no bytes")
