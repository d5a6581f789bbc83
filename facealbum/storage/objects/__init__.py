"""Where the bytes of photos lie: a local folder or any S3, behind one protocol and one suite of contract tests."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from facealbum.errors import InvalidValueError
from facealbum.storage.objects.local import LocalObjectStore
from facealbum.storage.objects.protocol import ObjectState, ObjectStore, SignedPut
from facealbum.storage.objects.s3 import S3ObjectStore

__all__ = ["LocalObjectStore", "ObjectState", "ObjectStore", "S3ObjectStore", "SignedPut", "open_object_store"]


def open_object_store(url: str, *, patient: bool = True) -> ObjectStore:
    """The store at `s3://bucket/prefix`, `file:///folder` or the path of a folder.

    patient: tries again where a server does not answer, for minutes; without, it gives up after some seconds.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        return S3ObjectStore(parts.netloc, parts.path.strip("/"), patient=patient)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return LocalObjectStore(Path(unquote(parts.path)))
    if url and "://" not in url:
        return LocalObjectStore(Path(url))
    raise InvalidValueError(
        f"An object store is s3://bucket/prefix, file:///folder or the path of a folder, not {url!r}."
    )
