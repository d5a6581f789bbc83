"""Objects as files of one folder, private to its owner.

A file is written beside its place, synced and renamed over it.  A writer holds a lock on its unfinished file, so
what a killed writer left is known by its free lock: it is no key and goes with the next `delete_prefix` that
passes.  The price: two or more fsyncs for each object.
"""

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from facealbum.errors import ObjectNotFoundError, ObjectStoreUnavailableError, StorageError
from facealbum.storage.objects.protocol import (
    CHUNK_BYTES,
    ObjectState,
    SignedPut,
    check_deletion,
    check_key,
    check_prefix,
)

_UNFINISHED = ".put-"  # no key has a part that starts with a dot
_ATTEMPTS = 20
_FULL = (errno.ENOSPC, errno.EDQUOT)  # passes, once somebody has made room
_NO_OBJECT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class LocalObjectStore:
    """The objects below the folder `root`, which is made with the first of them."""

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().resolve()

    def put(self, key: str, data: bytes) -> None:
        """Store the object, over an earlier one of this key."""
        self._put(key, BytesIO(data))

    def put_file(self, key: str, file: BinaryIO, *, sha256: bytes) -> None:
        """The same from a file, a chunk at a time; bytes of another SHA-256 are a StorageError."""
        self._put(key, file, sha256)

    def _put(self, key: str, file: BinaryIO, sha256: bytes | None = None) -> None:
        path = self._root / check_key(key)
        with _explained(key):
            for _ in range(_ATTEMPTS):
                # A concurrent delete may remove the folder before our file is in it.
                with suppress(FileNotFoundError):
                    _make_folders(path.parent)
                    file.seek(0)
                    _write(path, file, sha256)
                    return
        raise StorageError(f"Object {key!r} can't be stored in {self.describe()}: its folder keeps disappearing.")

    def presign_put(self, key: str, *, sha256: bytes, size: int, seconds: int) -> SignedPut | None:  # noqa: ARG002 - as the protocol
        """None: nobody else can write into the folder."""
        check_key(key)
        return None

    def get(self, key: str) -> bytes:
        """The object's bytes, or `ObjectNotFoundError`."""
        path = self._root / check_key(key)
        with _explained(key), suppress(*_NO_OBJECT):
            return path.read_bytes()
        raise ObjectNotFoundError(f"There is no object {key!r} in {self.describe()}.")

    def chunks(self, key: str) -> Generator[bytes, None, None]:
        """The object's bytes in parts, or `ObjectNotFoundError`."""
        path = self._root / check_key(key)
        with _explained(key):
            try:
                file = path.open("rb")
            except _NO_OBJECT:
                raise ObjectNotFoundError(f"There is no object {key!r} in {self.describe()}.") from None
            with file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk

    def head(self, key: str) -> ObjectState | None:
        """The object's state, None if it isn't there."""
        path = self._root / check_key(key)
        with _explained(key), suppress(*_NO_OBJECT):
            if path.is_file():
                return _state(path)
        return None

    def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        with _explained(key):
            return (self._root / check_key(key)).is_file()

    def delete(self, key: str, *, mark: str | None = None) -> None:
        """Remove the object if it is there and still has the mark, with the folders that it leaves empty."""
        path = self._root / check_key(key)
        with _explained(key):
            with suppress(*_NO_OBJECT):
                if mark is None or mark == _state(path).mark:
                    path.unlink()
            self._remove_empty(path.parent)

    def delete_prefix(self, prefix: str) -> int:
        """Remove every object whose key starts with the prefix, which is not empty, and give their number."""
        check_deletion(prefix)
        number = 0
        folders = set()
        with _explained(prefix):
            for path in self._files(prefix):
                if path.name.startswith(_UNFINISHED):
                    _remove_abandoned(path)
                else:
                    path.unlink(missing_ok=True)
                    number += 1
                folders.add(path.parent)
            for folder in folders:
                self._remove_empty(folder)
        return number

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, in no promised order; the empty prefix means all."""
        check_prefix(prefix)
        with _explained(prefix):
            for path in self._files(prefix):
                if not path.name.startswith(_UNFINISHED):
                    yield path.relative_to(self._root).as_posix()

    def describe(self) -> str:
        """The folder."""
        return f"folder {self._root}"

    def _files(self, prefix: str) -> Iterator[Path]:
        """The files whose key starts with the prefix, and the unfinished ones in the folders passed."""
        folder, _, start = prefix.rpartition("/")
        yield from _walk(self._root / folder, start)

    def _remove_empty(self, folder: Path) -> None:
        """Remove the folder and those above it as far as they are empty, and make what is gone durable."""
        while folder != self._root:
            with suppress(FileNotFoundError):
                try:
                    folder.rmdir()
                except OSError as error:
                    if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                        raise
                    break
            folder = folder.parent
        with suppress(FileNotFoundError, NotADirectoryError):
            _sync(folder)


def _walk(folder: Path, start: str) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith((start, _UNFINISHED)):
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(folder / entry.name, "")
                else:
                    yield folder / entry.name


def _make_folders(folder: Path) -> None:
    """Make the folder and those above it, each private and durable."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _state(path: Path) -> ObjectState:
    found = path.stat()
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return ObjectState(found.st_size, modified, f"{found.st_ino}-{found.st_mtime_ns}", None)


def _write(path: Path, source: BinaryIO, sha256: bytes | None) -> None:
    """Put a whole, durable file of mode 0600 in place."""
    descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            fcntl.flock(file, fcntl.LOCK_EX)
            _copy(source, file, path=path, sha256=sha256)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _copy(source: BinaryIO, file: BinaryIO, *, path: Path, sha256: bytes | None) -> None:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        file.write(chunk)
    if sha256 not in (None, digest.digest()):
        raise StorageError(f"The bytes for {path} changed while they were stored; store them again.")


def _remove_abandoned(unfinished: Path) -> None:
    """Remove an unfinished file unless its writer lives."""
    with suppress(FileNotFoundError, BlockingIOError), unfinished.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unfinished.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = ObjectStoreUnavailableError if error.errno in _FULL else StorageError
        raise kind(
            f"The folder of objects can't be used for {key!r} ({error}). It has to be a folder that this user "
            "can read and write, with free space; and no key may be a folder of another."
        ) from error
