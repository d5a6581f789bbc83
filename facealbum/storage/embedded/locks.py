"""Three kernel locks in the database folder say who uses the server and whether it lives.

`start.lock` is held for the moment of starting or stopping.  `users.lock` is held shared by every process
that uses the server, so the last one out is the one that gets it exclusively.  `server.lock` is inherited
by the server and each of its children, so while any of them lives nobody else gets it.

The kernel drops a lock with the last process that has it open, however that process ends.  So there is no
list of process ids to go stale, and a zombie or a reused process id can't be taken for the server.  A lock
file that is left behind means nothing.  The price: the folder must be on a file system with flock(2), that
is a local disk.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = "start.lock"
USERS = "users.lock"
SERVER = "server.lock"


def _open(path: Path) -> int:
    """Open the lock file; it goes to the owner of the folder, who may come after root."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(lock, folder.st_uid, folder.st_gid)
    return lock


def _acquire(path: Path, mode: int) -> int:
    lock = _open(path)
    try:
        fcntl.flock(lock, mode)
    except BaseException:
        os.close(lock)
        raise
    return lock


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it."""
    lock = _acquire(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def share(path: Path) -> int:
    """Wait for a share of the lock; it ends when every copy of the descriptor is closed, in forks as well."""
    return _acquire(path, fcntl.LOCK_SH)


def try_exclusive(path: Path) -> int | None:
    """The descriptor of the lock, or None while somebody else holds it."""
    try:
        return _acquire(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock exclusively; creates nothing."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
