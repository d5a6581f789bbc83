"""What every step is given: settings, database, objects and clock, built once by an entry point."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from facealbum.clock import Clock, system_clock
from facealbum.settings import Settings
from facealbum.storage.database import Database, open_database
from facealbum.storage.objects import ObjectStore, open_object_store

OPERATOR = "operator"
"""How records name whoever uses the command line."""


class Progress(Protocol):
    """Told how far a step is."""

    def begin(self, task: str, total: int) -> None:
        """A task of `total` parts starts; it takes the place of the one before."""
        ...

    def advance(self, parts: int = 1) -> None:
        """So many more parts are done."""
        ...


class NoProgress:
    """For callers that show nothing."""

    def begin(self, task: str, total: int) -> None:
        """Nothing to show."""

    def advance(self, parts: int = 1) -> None:
        """Nothing to show."""


@dataclass(frozen=True, slots=True)
class Context:
    """The world as the steps see it."""

    settings: Settings
    database: Database
    objects: ObjectStore
    clock: Clock = system_clock
    progress: Progress = NoProgress()  # noqa: RUF009 - it holds nothing


@contextmanager
def open_context(settings: Settings, *, progress: Progress | None = None, connections: int = 4) -> Iterator[Context]:
    """Database and object store of these settings, given back at the end of the block."""
    objects = open_object_store(settings.object_store_url)
    with open_database(settings.database_url, settings.data_folder, connections=connections) as database:
        yield Context(settings, database, objects, progress=progress or NoProgress())
