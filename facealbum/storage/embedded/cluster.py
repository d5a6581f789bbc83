"""The files and the server process of one PostgreSQL cluster.

A cluster is made beside its place and renamed into it, so it is there whole or not at all.  Callers hold
the lock `locks.SERVER` and pass its descriptor on to every program of PostgreSQL: that is what keeps two
servers from one cluster, not the process ids that PostgreSQL writes down.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir

from facealbum.errors import DatabaseUnavailableError
from facealbum.storage.embedded.account import Account, enable

PORT = 5432
"""Only a part of the socket's name: the server listens on no network."""
SUPERUSER = "postgres"

_SOCKET = f".s.PGSQL.{PORT}"
_SOCKET_PATH_LIMIT = 107
_LOGS_KEPT = 4
_CREATION = (
    *(f"--username={SUPERUSER}", "--auth-local=trust", "--auth-host=reject", "--data-checksums"),
    # The built-in provider sorts alike on every system and release.
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    # These a user may tune in postgresql.conf.
    *("--set=max_connections=60", "--set=shared_buffers=128MB"),
)
# What always holds.  Values of rows must not reach the log: the messages of failed statements hold them, so
# these go to the client alone (level `log` is above `error`), and `terse` drops the details of the rest.
_FIXED = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgres-%Y%m%d-%H%M%S.log",
    "log_rotation_size": "5MB",
    "log_rotation_age": "0",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server's first process; it has no folder of sockets until it is ready for clients."""

    pid: int
    socket_directory: Path | None


class Cluster:
    """The cluster in `directory`/pgdata, with its log and, if the path is short, its socket beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "pgdata"
        self.log = directory / "log"
        self.start_log = directory / "start.log"

    def start(self, account: Account, *, installation: Path, lock: int) -> None:
        """Start a server, in a new cluster if there is none; doesn't wait until it answers."""
        sockets = self._socket_directory(account.uid)
        for folder in (self.log, sockets):
            _make_private(folder, account)
        account = enable(account, folders=(self.directory, sockets), installation=installation)
        if not self.data.exists():
            self._create(account, installation=installation, lock=lock)
        # Nothing of the server lives, or the lock would not be ours; PostgreSQL would guess by process id.
        for stale in (self.data / "postmaster.pid", sockets / _SOCKET, sockets / f"{_SOCKET}.lock"):
            stale.unlink(missing_ok=True)
        self._prune_logs()
        settings = (f"--{name}={value}" for name, value in {**_FIXED, "unix_socket_directories": str(sockets)}.items())
        # The shell goes at once, so the server is a child of init and no zombie of ours if it is killed.
        detach = ("/bin/sh", "-c", '"$@" &', "sh")
        server = (installation / "bin" / "postgres", "-D", self.data)
        with self.start_log.open("wb") as output:
            account.run([*detach, *server, *settings], keep=(lock,), output=output)

    def postmaster(self) -> Postmaster | None:
        """The server's first process, if it lives."""
        try:
            lines = os.fsdecode((self.data / "postmaster.pid").read_bytes()).split("\n")
            pid = int(lines[0])
        except (FileNotFoundError, ValueError):
            return None
        if not self._is_served_by(pid):
            return None
        ready = lines[7:] and lines[7].strip() == "ready"
        return Postmaster(pid, Path(lines[4]) if ready else None)

    def last_words(self) -> str:
        """Why the server that was started last has ended, as far as it has logged that."""
        began = self.start_log.stat().st_mtime
        logs = [self.start_log, *(log for log in sorted(self.log.glob("postgres-*")) if log.stat().st_mtime > began)]
        return _reason("\n".join(log.read_text("utf-8", "replace") for log in logs))

    def _is_served_by(self, pid: int) -> bool:
        """Whether this is a process in the data folder: a zombie has none, a reused process id another."""
        process = Path("/proc") / str(pid)
        try:
            return (process / "cwd").samefile(self.data)
        except PermissionError:
            pass  # root in a container may not look into the processes of others, but may read their command
        except (FileNotFoundError, ProcessLookupError):
            return False
        try:
            return os.fsencode(self.data) in (process / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False

    def _create(self, account: Account, *, installation: Path, lock: int) -> None:
        unfinished = self.directory / "pgdata.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        _make_private(unfinished, account)
        command = (installation / "bin" / "initdb", "--no-instructions", *_CREATION, "-D", unfinished)
        result = account.run(command, keep=(lock,))
        if result.returncode:
            shutil.rmtree(unfinished)
            reason = _reason(result.stdout.decode(errors="replace"))
            raise DatabaseUnavailableError(
                f"The database can't be created in {self.directory} ({reason}). It needs 50 MB in a folder "
                "that can be written to, on a local disk: make room, or choose another folder."
            )
        unfinished.rename(self.data)
        _sync(self.directory)

    def _socket_directory(self, uid: int) -> Path:
        """Beside the cluster, unless the path is too long or holds what lists of sockets are written with."""
        inside = self.directory / "run"
        if _can_hold_socket(inside):
            return inside
        digest = blake2b(os.fsencode(self.directory) + b"\0%d" % uid, digest_size=8).hexdigest()
        # Not below XDG_RUNTIME_DIR: that goes with the login session, which the server may outlive.
        outside = [Path(base) / f"facealbum-{digest}" for base in (gettempdir(), "/tmp")]  # noqa: S108 - checked in _make_private
        return next(filter(_can_hold_socket, outside))

    def _prune_logs(self) -> None:
        for old in sorted(self.log.glob("postgres-*"))[:-_LOGS_KEPT]:
            old.unlink()


def _can_hold_socket(folder: Path) -> bool:
    text = str(folder)
    length = len(os.fsencode(folder / _SOCKET))
    return length <= _SOCKET_PATH_LIMIT and text.isprintable() and not set(text) & set(',"')


def _reason(output: str) -> str:
    """The last lines that speak of a failure, or the last ones at all."""
    lines = output.strip().splitlines()
    failures = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "HINT"))]
    return " | ".join((failures or lines)[-3:]) or "nothing was logged"


def _make_private(folder: Path, account: Account) -> None:
    """Make the folder, for the account alone; one that somebody else has put there is refused."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if not private or found.st_uid not in {account.uid, os.geteuid()}:
            raise DatabaseUnavailableError(
                f"The database needs {folder} as a folder of mode 0700 that belongs to {account.name!r}, but "
                f"found {stat.filemode(found.st_mode)} of user id {found.st_uid}. Remove it or correct that."
            ) from None
    account.give(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
