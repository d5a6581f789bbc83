"""The folder in which the processes of a worker's pool count together.

It goes with its worker; that of one that was killed is removed by the next worker of the same user on the machine.
Must be opened before facealbum.metrics is imported, as counters choose where to count when they are made.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "facealbum-counts-"
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def counted_together() -> Iterator[Path]:
    """A folder for this worker, known to all processes that it starts."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove_if_left(folder)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with (folder / "new").open("w") as lock:  # held by the processes of the pool as well
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "new").rename(folder / "lock")  # a folder whose lock can be had is nobody's
        os.environ[_VARIABLE] = str(folder)
        try:
            yield folder
        finally:
            del os.environ[_VARIABLE]
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    """Remove the folder of a worker that is gone; another user's can't be opened, and stays."""
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
