"""A folder as object store: one file an object, readable by its owner alone.

A put writes beside the target, syncs and renames, so a key shows the old bytes or the new, whatever is killed when.
Temporary names start with a dot that no key's file has, so a killed writer leaves nothing that a reader sees.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facealbum.errors import ObjectNotFoundError, StorageError
from facealbum.storage.objects.protocol import check_key, check_prefix

_PARTIAL = ".partial-"


class LocalObjectStore:
    """Objects as files below `root`, which is made when the first object is put."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes, in place of any that are there."""
        path = self._path(key)
        with _translated(key):
            while True:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # A deletion beside us may remove the folder again before the file is in it.
                with suppress(FileNotFoundError):
                    _write(path, data)
                    return

    def get(self, key: str) -> bytes:
        """The bytes; raises ObjectNotFoundError."""
        with _translated(key):
            return self._path(key).read_bytes()

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Delete the object if it is there, and the folders that it leaves empty."""
        path = self._path(key)
        with _translated(key):
            path.unlink(missing_ok=True)
        self._prune(path.parent)

    def delete_prefix(self, prefix: str) -> int:
        """Delete every object whose key starts with the prefix, and what killed writers left there."""
        top = self.root / check_prefix(prefix)
        count = 0
        with _translated(prefix):
            for folder, _, files in os.walk(top, topdown=False):
                for name in files:
                    (Path(folder) / name).unlink(missing_ok=True)
                    count += not name.startswith(_PARTIAL)
                with suppress(OSError):
                    Path(folder).rmdir()
        self._prune(top.parent)
        return count

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, sorted."""
        top = self.root / check_prefix(prefix)
        yield from sorted(
            (Path(folder) / name).relative_to(self.root).as_posix()
            for folder, _, files in os.walk(top)
            for name in files
            if not name.startswith(_PARTIAL)
        )

    def describe(self) -> str:
        """The folder."""
        return f"folder {self.root}"

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _prune(self, folder: Path) -> None:
        """Remove folders without content, up to the root."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=_PARTIAL, dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the folder's entries last through a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ObjectNotFoundError(f"there is no object {key!r}") from error
    except OSError as error:
        raise StorageError(f"object {key!r} can't be read or written: {error.strerror}") from error
