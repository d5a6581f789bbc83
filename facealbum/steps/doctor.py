"""What runs where, and what is wrong with it: the facts that `facealbum doctor` shows."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from facealbum.clock import system_clock
from facealbum.code_version import code_version
from facealbum.errors import DatabaseUnavailableError, FacealbumError, InvalidValueError, ModelError, StorageError
from facealbum.settings import Settings
from facealbum.steps.artefacts import verify_production
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models, models_in_use
from facealbum.steps.models import check_models
from facealbum.storage.database import Database, open_database
from facealbum.storage.facts import count_everything, load_time, load_versions
from facealbum.storage.gauges import load_gauges
from facealbum.storage.objects import open_object_store

_Look: TypeAlias = Callable[[Settings], Iterator[str]]
_LookInside: TypeAlias = Callable[[Database, Settings], Iterator[str]]
_PROBE = "doctor/probe"
_LITTLE_SPACE = 1_000_000_000
_CLOCKS_APART_SECONDS = 2.0  # ages and dates are told by one or the other
_OUTBOX_SECONDS = 60.0
_TOLD_ELSEWHERE: Mapping[str, tuple[type[FacealbumError], ...]] = {
    **dict.fromkeys(("clock", "waiting", "amounts"), (DatabaseUnavailableError,)),
    "registry": (StorageError, InvalidValueError),
}
"""Of a database or object store that is away, one finding is enough."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fine` is False where the operator has to act."""

    subject: str
    fine: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what fails becomes a finding and the rest is still looked at."""
    return _look_at(_SUBJECTS, settings)


def examine_here(context: Context) -> list[Finding]:
    """The same of this machine and the database that the process has open: asks nobody else, and counts no rows."""
    inside = {subject: partial(look, context.database) for subject, look in _OF_THE_DATABASE.items()}
    return _look_at({**_OF_THIS_MACHINE, **inside}, context.settings)


def _look_at(subjects: Mapping[str, _Look], settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    for subject, look in subjects.items():
        try:
            findings.extend(Finding(subject, True, line) for line in look(settings))
        except (FacealbumError, OSError) as error:
            if not isinstance(error, _TOLD_ELSEWHERE.get(subject, ())):
                findings.append(Finding(subject, False, str(error)))
    return findings


def _program(_: Settings) -> Iterator[str]:
    yield f"facealbum {code_version()}, Python {platform.python_version()}, {os.cpu_count()} cores"


def _data_folder(settings: Settings) -> Iterator[str]:
    folder = settings.data_folder
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise StorageError(f"{there} must be a folder that can be written to; set FACEALBUM_DATA to one")
    free = shutil.disk_usage(there).free
    if free < _LITTLE_SPACE:
        raise StorageError(f"only {free / 1e6:.0f} MB are free at {there}; make room or move FACEALBUM_DATA")
    yield f"{folder}, {free / 1e9:.0f} GB free"


def _database(database: Database, settings: Settings) -> Iterator[str]:
    yield database.describe()
    if database.embedded is not None:
        status = database.embedded.status()
        yield f"server process {status.pid} of user {status.user}, sockets in {status.socket_directory}"
        if status.problems:
            raise StorageError("; ".join(status.problems))
    with database.begin() as transaction:
        found = load_versions(transaction)
    yield f"PostgreSQL {found.server}, pgvector {found.pgvector}, schema {found.schema}"
    with database.begin() as transaction:
        embedder = models_in_use(transaction, settings).embedder
    yield f"embedding space {embedder.space}, filled by {embedder.version}"


def _registry(database: Database, settings: Settings) -> Iterator[str]:
    context = Context(settings, database, open_object_store(settings.object_store_url))
    with database.begin() as transaction:
        count = verify_production(context, transaction)
    yield f"{count} models in production, each as it was registered"


def _amounts(database: Database, _: Settings) -> Iterator[str]:
    with database.begin() as transaction:
        found = count_everything(transaction)
    yield f"{found.families} families, {found.photos} photos, {found.faces} faces, {found.runs} runs"


def _clock(database: Database, _: Settings) -> Iterator[str]:
    with database.begin() as transaction:
        apart = abs((load_time(transaction) - system_clock()).total_seconds())
    if apart > _CLOCKS_APART_SECONDS:
        raise StorageError(f"the clocks of this machine and of the database must agree, they are {apart:.0f} s apart")
    yield f"within {max(apart, 0.1):.1f} s of the database's"


def _waiting(database: Database, _: Settings) -> Iterator[str]:
    """What waits, and too long; photos that failed are told with their reason by `facealbum report`."""
    with database.begin() as transaction:
        found = load_gauges(transaction)
    yield f"{found.pending} photos to analyse, the oldest for {found.pending_age:.0f} s"
    yield f"{found.outbox} messages to send, the oldest for {found.outbox_age:.0f} s"
    if found.outbox_age > _OUTBOX_SECONDS:
        raise StorageError("messages must leave within a minute; see that facealbum relay and the broker run")
    if found.parked:
        kinds = ", ".join(f"{count} {queue} {code}" for (queue, code), count in sorted(found.parked.items()))
        raise StorageError(f"no message should be parked, there are {kinds}; see facealbum requeue --list")


def _object_store(settings: Settings) -> Iterator[str]:
    objects = open_object_store(settings.object_store_url)
    objects.put(_PROBE, b"facealbum")
    if objects.get(_PROBE) != b"facealbum":
        raise StorageError(f"{objects.describe()} gave back other bytes than were put")
    objects.delete(_PROBE)
    yield f"{objects.describe()}, writes and reads"


def _models(settings: Settings) -> Iterator[str]:
    yield ", ".join(f"{role} {name}" for role, name in default_models().versions.items())
    checks = check_models(settings)
    wrong = [check.detail for check in checks if not check.fine]
    if wrong:
        raise ModelError("; ".join(wrong))
    yield f"{len(checks)} files, each as it was published"


def _with_database(look: _LookInside) -> _Look:
    def opened(settings: Settings) -> Iterator[str]:
        with open_database(settings.database_url, settings.data_folder) as database:
            yield from look(database, settings)

    return opened


_OF_THIS_MACHINE: Mapping[str, _Look] = {"program": _program, "data folder": _data_folder}
_OF_THE_DATABASE: dict[str, _LookInside] = {"database": _database, "clock": _clock, "waiting": _waiting}
_SUBJECTS: Mapping[str, _Look] = {
    **_OF_THIS_MACHINE,
    **{
        subject: _with_database(look)
        for subject, look in (_OF_THE_DATABASE | {"amounts": _amounts, "registry": _registry}).items()
    },
    "object store": _object_store,
    "models": _models,
}
