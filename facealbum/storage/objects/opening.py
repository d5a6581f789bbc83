"""From the setting to the store."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from facealbum.errors import InvalidValueError
from facealbum.storage.objects.local import LocalObjectStore
from facealbum.storage.objects.protocol import ObjectStore


def open_object_store(url: str) -> ObjectStore:
    """The store at `s3://bucket/prefix`, `file:///folder` or a folder's path; raises InvalidValueError."""
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        # boto3 takes a third of a second to import, so only those who use it pay.
        from facealbum.storage.objects.s3 import S3ObjectStore  # noqa: PLC0415

        return S3ObjectStore(parts.netloc, unquote(parts.path))
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return LocalObjectStore(Path(unquote(parts.path)))
    if "://" in url or not url:
        raise InvalidValueError(f"FACEALBUM_OBJECT_STORE must be s3://bucket/prefix or a folder, got {url!r}")
    return LocalObjectStore(Path(url).expanduser())
