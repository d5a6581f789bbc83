"""What the steps of pipelines left behind, each folder under the key of all that went into it.

A folder is written apart and renamed to its place once it is whole, with the SHA-256 of each of its files beside it,
which is checked before it is handed out again: a reader sees all of it or nothing, however its writer ended.  Whoever
makes a key holds its lock, so nothing is made twice at once, and the kernel drops the lock of who is killed.  Each
output names the data sets that it comes from, so that it goes when a family of theirs does.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from facealbum.storage.embedded.locks import exclusive, try_exclusive

_FILES, _RECORD, _DATA = "files", "output.json", "data.json"
_ABSENT = (FileNotFoundError, NotADirectoryError)
_DAMAGED = (*_ABSENT, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class Output:
    """A step's files.  data: digests of the data sets that it comes from.  failures: of the attempts before.

    files: the SHA-256 of each in hex, by its path below `folder`.
    """

    key: str
    folder: Path
    step: str
    files: Mapping[str, str]
    data: tuple[str, ...]
    seconds: float
    failures: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 of its files' names and contents."""
        return digest_of(self.files)


@dataclass(frozen=True, slots=True)
class Draft:
    """An output in the making: `out` is empty at first, `scratch` holds what an unfinished attempt left."""

    out: Path
    scratch: Path


class OutputStore:
    """The outputs below the folder `root`, which is made with the first of them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def load(self, key: str) -> Output | None:
        """The output, each file checked; None if it isn't there whole."""
        with suppress(*_DAMAGED):
            output = _read(self._place(key))
            if file_digests(output.folder) == output.files:
                os.utime(self._place(key) / _RECORD)  # when it was last used
                return output
        return None

    @contextmanager
    def making(self, key: str, data: Collection[str] = ()) -> Iterator[Draft]:
        """Hold the key's lock, once whoever holds it is done; data: of what goes into it."""
        for folder in ("locks", "store", "trash", "work"):
            (self._root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self._lock(key)):
            work = self._root / "work" / key
            draft = Draft(work / "new" / _FILES, work / "scratch")
            draft.scratch.mkdir(parents=True, exist_ok=True)
            (work / _DATA).write_text(json.dumps(sorted(data)), encoding="utf-8")
            clear(draft)
            yield draft

    def keep(
        self, draft: Draft, key: str, *, step: str, data: Collection[str], seconds: float, failures: tuple[str, ...]
    ) -> Output:
        """Put the draft in its place, which its lock's holder may do, unless that is there whole.

        What is made of no data set is one itself.
        """
        files = file_digests(draft.out)
        sources = tuple(sorted(data)) or (digest_of(files),)
        output = Output(key, self._place(key) / _FILES, step, files, sources, seconds, failures)
        _write(draft.out.parent / _RECORD, output)
        if self.load(key) is None:
            self.discard(key)
            draft.out.parent.rename(self._place(key))
        self.drop(draft)
        return output

    def drop(self, draft: Draft) -> None:
        """Remove all that is unfinished of it."""
        shutil.rmtree(draft.scratch.parent)

    def all(self) -> Iterator[Output]:
        """Every output, unchecked, by key."""
        for place in sorted(self._root.glob("store/*")):
            with suppress(*_DAMAGED):
                yield _read(place)

    def discard(self, key: str) -> None:
        """Remove the output: out of sight at once, then for good."""
        self._throw_away(self._place(key))
        self.empty_trash()

    def forget(self, data: Collection[str]) -> int:
        """Remove every output that comes from one of these data sets, and unfinished work that may; tells how many.

        What somebody is making right now stays: it is theirs to look whether its data are still allowed.
        """
        doomed = [output.key for output in self.all() if not set(data).isdisjoint(output.data)]
        for key in doomed:
            self._throw_away(self._place(key))
        for work in self._root.glob("work/*"):
            known = _data_of(work)
            if not known or not known.isdisjoint(data):
                self._drop_unfinished(work)
        self.empty_trash()
        return len(doomed)

    def prune(self, before: datetime) -> int:
        """Remove what was last used before then, finished or not; tells how many outputs went."""
        doomed = [output.key for output in self.all() if _used(self._place(output.key) / _RECORD) < before.timestamp()]
        for key in doomed:
            self._throw_away(self._place(key))
        for work in self._root.glob("work/*"):
            if _used(work) < before.timestamp():
                self._drop_unfinished(work)
        self.empty_trash()
        return len(doomed)

    def empty_trash(self) -> None:
        """Remove for good what was thrown away, by us or by somebody who was killed over it."""
        for place in self._root.glob("trash/*"):
            shutil.rmtree(place, ignore_errors=True)

    def _throw_away(self, place: Path) -> None:
        with suppress(*_ABSENT):
            self.empty_trash()
            place.rename(self._root / "trash" / place.name)

    def _drop_unfinished(self, work: Path) -> None:
        lock = try_exclusive(self._lock(work.name))
        if lock is not None:
            self._throw_away(work)
            os.close(lock)

    def _place(self, key: str) -> Path:
        return self._root / "store" / key

    def _lock(self, key: str) -> Path:
        return self._root / "locks" / key


def clear(draft: Draft) -> None:
    """Empty the draft's `out`."""
    shutil.rmtree(draft.out.parent, ignore_errors=True)
    draft.out.mkdir(parents=True)


def file_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below the folder in hex, by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def digest_of(files: Mapping[str, str]) -> str:
    """One SHA-256 in hex for files given by path and SHA-256."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _read(place: Path) -> Output:
    stored = json.loads((place / _RECORD).read_bytes())
    return Output(
        place.name,
        place / _FILES,
        stored["step"],
        stored["files"],
        tuple(stored["data"]),
        stored["seconds"],
        tuple(stored["failures"]),
    )


def _write(path: Path, output: Output) -> None:
    record = {name: value for name, value in asdict(output).items() if name not in ("key", "folder")}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _data_of(work: Path) -> set[str]:
    """The data sets that go into unfinished work; none where that isn't known."""
    try:
        return set(json.loads((work / _DATA).read_bytes()))
    except _DAMAGED:
        return set()


def _used(path: Path) -> float:
    """When the file was last used, in seconds of the epoch; now if it went meanwhile."""
    try:
        return path.stat().st_mtime
    except _ABSENT:
        return float("inf")
