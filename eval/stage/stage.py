"""The stage: servers, facealbum's processes on them, and what happens there, in one folder.

Every process that dies is started again by `tend`, as systemd or an orchestrator does.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from eval.stage.programs import Program, children_of, cpu_seconds
from eval.stage.servers import BUCKET, S3_ACCESS, Postgres, Seaweed, ServerError, Valkey
from eval.stage.wire import Wire
from facealbum.errors import DatabaseUnavailableError, FacealbumError
from facealbum.storage.database import Database, Transaction, open_database
from facealbum.storage.snapshots import count_waiting

ROOT = Path(__file__).parents[2]
_MAIN = "from facealbum.cli import main; main()"
_RESTART_SECONDS = 1.0  # from one start to the next
_CALM = 3  # looks in a row that must see nothing in work
_Answer = TypeVar("_Answer")


class StageError(Exception):
    """Something of the stage didn't go as it must; the logs lie in its folder."""


class Stage:
    """Servers in a folder; as a context manager it ends everything at its end, and removes the folder if all went well.

    settings: more of FACEALBUM_…, by their names without the prefix.  quota_mb: the size of the disk that all servers
    share, which needs the rights of root.
    """

    def __init__(self, folder: Path, *, settings: dict[str, str] | None = None, quota_mb: int | None = None) -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.temporary = folder / "tmp"
        self.programs: dict[str, Program] = {}
        self._settings = settings or {}
        self._quota_mb = quota_mb
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with self._open:
            self.disk.mkdir(parents=True)
            self.temporary.mkdir()
            if self._quota_mb:
                _mount(self.disk, self._quota_mb)
                self._open.callback(_unmount, self.disk)
            self.postgres = Postgres(self.disk / "postgres")
            self._open.callback(self.postgres.close)
            self.broker = Valkey(self.disk / "valkey", log=self.folder / "valkey.log")
            self._open.callback(self.broker.kill)
            self.objects = Seaweed(self.disk / "seaweedfs", log=self.folder / "seaweedfs.log")
            self._open.callback(self.objects.kill)
            self.wire = Wire(self.objects.port, self.processes)
            self._open.callback(self.wire.close)
            self._open.callback(self._end_programs)
            self._open = self._open.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def database(self) -> Database:
        """Opened when first asked, and on the newest schema from then on."""
        return self._open.enter_context(open_database(self.postgres.url, self.folder))

    @property
    def has_quota(self) -> bool:
        """Whether its disk can be filled without harm to anybody else."""
        return self._quota_mb is not None

    def environment(self, *, broker: bool = True, code: Path = ROOT) -> dict[str, str]:
        """What facealbum's processes are told; `code` is the release that they run."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("FACEALBUM_", "AWS_"))}
        settings = {
            "DATA": str(self.disk / "data"),
            "DATABASE_URL": self.postgres.url,
            "OBJECT_STORE": f"s3://{BUCKET}",
            "MONTHLY_CRON": "",  # what happens must not depend on today's date
            **({"BROKER_URL": self.broker.url} if broker else {}),
            **self._settings,
        }
        access = S3_ACCESS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.wire.port}"}
        named = {f"FACEALBUM_{name}": value for name, value in settings.items()}
        return ours | access | named | {"PYTHONPATH": str(code), "TMPDIR": str(self.temporary)}

    def start(self, name: str, *arguments: str, code: Path = ROOT, **settings: str) -> Program:
        """Start a facealbum process that goes on until it is killed, with more settings by their names."""
        log = self.folder / f"{name}.log"
        command = [sys.executable, "-c", _MAIN, *arguments]
        environment = self.environment(code=code) | {f"FACEALBUM_{key}": value for key, value in settings.items()}
        self.programs[name] = Program(command, environment, folder=code, log=log)
        return self.programs[name]

    def tend(self) -> None:
        """Start again whatever has died; what can't start now is tried by the next call."""
        for server in (self.postgres, self.broker, self.objects):
            if not server.running:
                with suppress(ServerError, FacealbumError):
                    server.start()
        for program in self.programs.values():
            if not program.running and time.monotonic() > program.started + _RESTART_SECONDS:
                program.kill()
                program.start()

    def processes(self) -> list[int]:
        """Every process of facealbum's that runs."""
        return [pid for program in self.programs.values() for pid in (program.pid, *program.children())]

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time so far, by program and server; that of processes that ended, where they were waited for."""
        used = {name: sum(map(cpu_seconds, (one.pid, *one.children()))) for name, one in self.programs.items()}
        servers = {"Valkey": [self.broker.program.pid], "SeaweedFS": [self.objects.program.pid]}
        if (postmaster := self.postgres.pid) is not None:
            servers["PostgreSQL"] = [postmaster, *children_of(postmaster)]
        used |= {name: sum(map(cpu_seconds, pids)) for name, pids in servers.items()}
        spent = os.times()
        return used | {"commands": spent.children_user + spent.children_system}

    def run(self, *arguments: str, broker: bool = True, code: Path = ROOT) -> Any:  # noqa: ANN401 - a command's JSON
        """Run a command to its end, and return what it says with --json; raises StageError if it fails."""
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _MAIN, *arguments, "--json"],
            cwd=code,
            env=self.environment(broker=broker, code=code),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 3}:
            raise StageError(f"facealbum {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def ask(self, question: Callable[[Transaction], _Answer]) -> _Answer | None:
        """What the database says; None while it is away."""
        try:
            with self.database.begin() as transaction:
                return question(transaction)
        except DatabaseUnavailableError:
            return None

    def wait(self, holds: Callable[[], object], *, seconds: float) -> None:
        """Tend everything until this holds, or raise StageError."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise StageError(f"it never came within {seconds:.0f} s; the logs are in {self.folder}")
            self.tend()
            time.sleep(0.05)

    def wait_until_calm(self, *, seconds: float) -> None:
        """Return when nothing waits and nobody works, seen several times in a row."""
        looks = 0

        def calm() -> bool:
            nonlocal looks
            time.sleep(0.2)
            waiting = self.ask(count_waiting)
            done = waiting is not None and waiting.photos == waiting.matches == waiting.messages == 0
            idle = done and self.broker.waiting() == 0
            looks = looks + 1 if idle else 0
            return looks >= _CALM

        self.wait(calm, seconds=seconds)

    def _end_programs(self) -> None:
        for program in self.programs.values():
            program.kill()


def _mount(folder: Path, megabytes: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False).returncode:  # noqa: S603 - no shell
        raise StageError("a folder with a quota needs the right to mount")


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 - no shell
