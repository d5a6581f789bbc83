"""Runs the stack: servers first, then the schema, then every process; stops them the other way round.

The same settings mean the same as everywhere: what they name is used, what they leave out is started here.  What dies
is started again.  The price: this is one machine; if its disk goes, so does what it holds.
"""

import fcntl
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.stack.processes import PROCESSES
from facealbum.stack.servers import Server, seaweedfs, valkey
from facealbum.stack.supervisor import Program, Supervisor
from facealbum.steps.service import repeat, stop_on_signals
from facealbum.storage.database import Database, open_database

_LOOK_SECONDS = 0.2
_DATABASE_LOOK_SECONDS = 5.0
_KILLED_AFTER = 10.0  # beyond the time that a worker gives its own tasks
_SERVER_GRACE = 20.0

Tell = Callable[[str], None]


def run_stack(settings: Settings, *, s3: bool, web_port: int, tell: Tell) -> None:
    """Run everything until told to stop; raises InvalidValueError if it can't, or runs already on this data folder."""
    folder = settings.data_folder
    with ExitStack() as opened:
        opened.enter_context(_only_one(folder))
        stop = opened.enter_context(stop_on_signals())
        database = opened.enter_context(open_database(settings.database_url, folder))
        opened.enter_context(_kept_up(database, stop, tell))
        servers = opened.enter_context(Supervisor(grace=_SERVER_GRACE, tell=tell))
        given: dict[str, str] = {}
        for server in _servers(settings, s3=s3):
            _start_server(servers, server, stop)
            given.update(server.gives)
        opened.enter_context(_written_down(folder / "stack.env", given, tell))
        processes = opened.enter_context(Supervisor(grace=settings.worker_stop_seconds + _KILLED_AFTER, tell=tell))
        for program in _programs(settings, given, web_port):
            processes.start(program)
            tell(f"{program.name}: {' '.join(program.command[2:])}")
        tell(f"in a browser: http://127.0.0.1:{web_port}")
        while not stop.wait(_LOOK_SECONDS):
            servers.look()
            processes.look()
        tell("stopping")


def _servers(settings: Settings, *, s3: bool) -> Iterator[Server]:
    """What the settings leave out."""
    if not settings.broker_url:
        yield valkey(settings.data_folder / "valkey")
    if s3 and settings.object_store:
        raise InvalidValueError("--s3 starts an object store, but FACEALBUM_OBJECT_STORE names one; leave out either")
    if s3:
        yield seaweedfs(settings.data_folder / "seaweedfs")


def _start_server(supervisor: Supervisor, server: Server, stop: Event) -> None:
    """Return when it answers, or when told to stop."""
    supervisor.start(server.program)
    while not server.ready() and not stop.wait(_LOOK_SECONDS):
        supervisor.look()


def _programs(settings: Settings, given: Mapping[str, str], web_port: int) -> Iterator[Program]:
    """Each process that has something to do, with a status port of its own; web's is its only one."""
    for number, process in enumerate(PROCESSES):
        if process.needs is None or getattr(settings, process.needs):
            port = {"FACEALBUM_STATUS_PORT": str(settings.status_port + number)} if settings.status_port else {}
            where = ["--port", str(web_port)] if process.listens else []
            command = [sys.executable, "-m", "facealbum", *process.arguments, *where]
            yield Program(process.name, command, environment={**given, **port})


@contextmanager
def _kept_up(database: Database, stop: Event, tell: Tell) -> Iterator[None]:
    """An embedded server that dies under its users is started again by the next who asks for it: by us."""
    embedded = database.embedded
    if embedded is None:
        yield
        return

    def ask() -> None:
        repeat(
            embedded.start,
            stop,
            seconds=_DATABASE_LOOK_SECONDS,
            on_failure=lambda error, pause: tell(f"next try in {pause:.0f} s: {error}"),
        )

    asking = Thread(target=ask, name="database")
    asking.start()
    try:
        yield
    finally:
        stop.set()
        asking.join()


@contextmanager
def _written_down(path: Path, given: Mapping[str, str], tell: Tell) -> Iterator[None]:
    """A file for other shells to source, so that their commands use the same servers."""
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items()), "utf-8")
    tell(f"in another shell: source {shlex.quote(str(path))}")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Raise InvalidValueError if another stack runs on this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "stack.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidValueError(f"a stack runs already on {folder}; stop it, or set FACEALBUM_DATA") from error
    else:
        yield
    finally:
        os.close(lock)
