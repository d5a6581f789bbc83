"""Starts the embedded PostgreSQL for whoever comes first and stops it after whoever goes last.

Any number of processes may use one folder; they find each other by the kernel's locks (see `locks`).  A
process that is killed leaves no trace; if it was the last, the server goes on and the next user attaches to
it.  What was committed survives a kill of any process.  The price: one process runs nothing in between, so
a server that dies under its users comes back at the next `start()`.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import disk_usage
from types import TracebackType
from urllib.parse import urlencode

import psycopg2

from facealbum.errors import DatabaseUnavailableError
from facealbum.storage.embedded import locks
from facealbum.storage.embedded.account import find_account
from facealbum.storage.embedded.binaries import find_installation
from facealbum.storage.embedded.cluster import PORT, SUPERUSER, Cluster
from facealbum.storage.embedded.status import EmbeddedStatus, inspect

DATABASE = "facealbum"

_START_SECONDS = 600.0  # replaying the log after a crash may take minutes
# A fast shutdown writes the buffers to the disk.  One that takes long, as PostgreSQL 18 does for ever if it comes
# during the recovery from a crash, becomes an immediate one: nothing is lost, the next start replays the log.
_STOP_SIGNALS = (("INT", 5.0), ("QUIT", 60.0))
_POLL_SECONDS = 0.005


class EmbeddedPostgres:
    """The server of one folder, as this process uses it; as a context manager it gives the database's URL."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.expanduser().resolve()
        self._cluster = Cluster(self._directory)
        self._share: int | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def start(self) -> str:
        """Start the server or attach to it, and give the URL of the database; creates both at first use."""
        with self._explained():
            self._directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            with locks.exclusive(self._directory / locks.START):
                if self._share is None:
                    self._share = locks.share(self._directory / locks.USERS)
                try:
                    return _url(self._serve())
                except BaseException:
                    self._leave()
                    raise

    def release(self) -> None:
        """End this process's use; the last one out stops the server."""
        if self._share is None:
            return
        with self._explained():
            try:
                with locks.exclusive(self._directory / locks.START):
                    self._leave()
                    last = locks.try_exclusive(self._directory / locks.USERS)
                    if last is not None:
                        os.close(last)
                        self._halt()
            finally:
                self._leave()

    def stop(self) -> None:
        """Stop the server, whoever uses it."""
        if not self._directory.exists():
            return
        with self._explained(), locks.exclusive(self._directory / locks.START):
            self._leave()
            self._halt()

    def status(self) -> EmbeddedStatus:
        """What is there and what is wrong with it; changes nothing."""
        return inspect(self._cluster)

    def _serve(self) -> Path:
        """The folder of the socket at which the server answers, started whenever nothing of it lives.

        A server that lives but doesn't answer is starting, recovering, or was killed and its last children
        still finish; each ends by itself, in an answer or in a free lock.
        """
        deadline = time.monotonic() + _START_SECONDS
        started = False
        while time.monotonic() < deadline:
            with self._nothing_lives() as lock:
                if lock is not None and started:
                    raise DatabaseUnavailableError(
                        f"The database server of {self._directory} ended while it started, with "
                        f"{disk_usage(self._directory).free / 1e6:.0f} MB of room there; "
                        f"its last words: {self._cluster.last_words()}"
                    )
                if lock is not None:
                    installation = find_installation()
                    account = find_account(self._directory, data=self._cluster.data)
                    self._cluster.start(account, installation=installation, lock=lock)
                    started = True
            postmaster = self._cluster.postmaster()
            if postmaster and postmaster.socket_directory and _answers(postmaster.socket_directory):
                return postmaster.socket_directory
            time.sleep(_POLL_SECONDS)
        raise DatabaseUnavailableError(
            f"The database server of {self._directory} lives but has not answered for {_START_SECONDS:.0f} seconds. "
            "It may still recover from a crash, or all its connections are taken: try again later."
        )

    @contextmanager
    def _nothing_lives(self) -> Iterator[int | None]:
        """The server's lock if no process of the server lives, else None."""
        lock = locks.try_exclusive(self._directory / locks.SERVER)
        try:
            # A server that was started by hand has no lock.
            yield None if self._cluster.postmaster() else lock
        finally:
            if lock is not None:
                os.close(lock)

    def _halt(self) -> None:
        postmaster = self._cluster.postmaster()
        if postmaster is None:
            return
        account = find_account(self._directory, data=self._cluster.data)
        for name, seconds in _STOP_SIGNALS:
            # Sent as the account, as it is the account's file that names the process.
            account.run(["/bin/sh", "-c", 'kill -"$1" "$2"', "sh", name, str(postmaster.pid)])
            if self._dies_within(seconds):
                return
        raise DatabaseUnavailableError(
            f"The database server of {self._directory} (process {postmaster.pid}) was told to stop but still lives. "
            "Its disk may be slow or gone: try again later."
        )

    def _dies_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._nothing_lives() as lock:
                if lock is not None:
                    return True
            time.sleep(_POLL_SECONDS)
        return False

    def _leave(self) -> None:
        if self._share is not None:
            os.close(self._share)
            self._share = None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DatabaseUnavailableError(
                f"The database folder {self._directory} can't be used ({error}). It has to be a folder that "
                "this user can write to, on a local disk with free space: correct that or choose another."
            ) from error


def _answers(sockets: Path) -> bool:
    """Whether the server takes a connection; then it has the database as well, made if it is missing."""
    try:
        connection = psycopg2.connect(
            host=str(sockets), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=10
        )
    except psycopg2.OperationalError:
        return False
    try:
        with closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg2.Error as error:
        raise DatabaseUnavailableError(f"The database can't be made: {error}. It needs 10 MB of disk.") from error
    return True


def _url(sockets: Path) -> str:
    # The port is named, or PGPORT of the environment would count.
    return f"postgresql+psycopg2://{SUPERUSER}@/{DATABASE}?{urlencode({'host': sockets, 'port': PORT})}"
