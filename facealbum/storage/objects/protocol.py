"""What every object store does, and the keys that all of them accept alike."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from facealbum.errors import InvalidValueError

_KEY_BYTES = 900  # S3 takes 1024, of which a store's own prefix may need some
_SEGMENT_BYTES = 255


CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What a store knows of an object; `mark` changes with every put, `sha256` is None if the store doesn't know it."""

    size: int
    modified: datetime
    mark: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class SignedPut:
    """A URL that takes one object with PUT and exactly these headers, from anybody, for a while."""

    url: str
    headers: Mapping[str, str]


class ObjectStore(Protocol):
    """Whole objects of bytes under keys such as `family/photo.jpg`.

    A put object is durable when `put` returns, and a reader sees the old object or the new, never a part.  No key
    may be a folder of another.  Failures are `StorageError`s that name the key.
    """

    def put(self, key: str, data: bytes) -> None:
        """Store the object, over an earlier one of this key."""
        ...

    def put_file(self, key: str, file: BinaryIO, *, sha256: bytes) -> None:
        """The same from a file that can be read again from its start, never whole in memory.

        Bytes of another SHA-256 are refused with a StorageError, and what was there stays.
        """
        ...

    def presign_put(self, key: str, *, sha256: bytes, size: int, seconds: int) -> SignedPut | None:
        """Let somebody put this object, with exactly this content; None where objects come through us alone."""
        ...

    def get(self, key: str) -> bytes:
        """The object's bytes, or `ObjectNotFoundError`."""
        ...

    def chunks(self, key: str) -> Generator[bytes, None, None]:
        """The same in parts, for what shouldn't be in memory whole."""
        ...

    def head(self, key: str) -> ObjectState | None:
        """The object's state, None if it isn't there; a store that isn't there itself is an error."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        ...

    def delete(self, key: str, *, mark: str | None = None) -> None:
        """Remove the object if it is there, and still has this mark if one is given."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Remove every object whose key starts with the prefix, which is not empty, and give their number."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, in no promised order; the empty prefix means all."""
        ...

    def describe(self) -> str:
        """Where the objects lie, in words for an operator; holds no credentials."""
        ...


def check_key(key: str) -> str:
    """The key itself if it can name an object in every store."""
    segments = key.split("/")
    fits = len(key.encode(errors="replace")) <= _KEY_BYTES and all(map(_is_segment, segments))
    if not fits or not _is_plain(key):
        raise InvalidValueError(
            f"An object's key is at most {_KEY_BYTES} bytes of printable characters without backslash, in parts "
            f"of 1 to {_SEGMENT_BYTES} bytes between single slashes, none starting with a dot; found {key!r}."
        )
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself if a key can start with it."""
    if prefix:
        check_key(f"{prefix}x" if prefix.endswith("/") else prefix)
    return prefix


def check_deletion(prefix: str) -> str:
    """The prefix itself if it may be deleted: the empty one would delete everything."""
    if not prefix:
        raise InvalidValueError("Deleting by prefix needs a prefix that is not empty, such as 'family/'.")
    return check_prefix(prefix)


def _is_segment(segment: str) -> bool:
    return 0 < len(segment.encode(errors="replace")) <= _SEGMENT_BYTES and not segment.startswith(".")


def _is_plain(key: str) -> bool:
    return key.isprintable() and "\\" not in key
