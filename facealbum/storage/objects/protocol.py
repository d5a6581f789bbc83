"""What every object store does, and what a key may be."""

from collections.abc import Iterator
from typing import Protocol

from facealbum.errors import InvalidValueError

_LONGEST_KEY = 512
_LONGEST_SEGMENT = 200


class ObjectStore(Protocol):
    """Bytes under keys such as `families/1/originals/2`; a put is whole or not there at all."""

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes, in place of any that are there."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes; raises ObjectNotFoundError."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        ...

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Delete every object whose key starts with the prefix, `a/b/`; tells how many there were."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, sorted."""
        ...

    def describe(self) -> str:
        """Where the objects are, for people."""
        ...


def check_key(key: str) -> str:
    """The key, if it can be one in every store; raises InvalidValueError otherwise."""
    segments = key.split("/")
    sound = all(
        0 < len(segment.encode()) <= _LONGEST_SEGMENT and segment not in {".", ".."} and segment.isprintable()
        for segment in segments
    )
    if not sound or "\\" in key or len(key.encode()) > _LONGEST_KEY:
        raise InvalidValueError(
            f"a key must be printable segments of 1 to {_LONGEST_SEGMENT} bytes joined by /, none of them . or .., "
            f"at most {_LONGEST_KEY} bytes; got {key!r}"
        )
    return key


def check_prefix(prefix: str) -> str:
    """The prefix, which is a key that ends in a slash; raises InvalidValueError otherwise."""
    if not prefix.endswith("/"):
        raise InvalidValueError(f"a prefix must end in /, got {prefix!r}")
    check_key(prefix[:-1])
    return prefix
