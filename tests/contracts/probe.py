"""A worker like any other, with one more task that does what its message says; started by test_broker.py.

Each call adds a line to a file, so that what happened can be read while it happens and after a kill.
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from facealbum.errors import DatabaseUnavailableError, StorageError
from workers.app import app
from workers.command import run_worker
from workers.task import QueueTask

NAME = "probe"
QUEUE = "matching"


@app.task(name=NAME, base=QueueTask, queue=QUEUE)
def probe(message: dict[str, Any]) -> None:
    """Note that it was called, and then do it."""
    calls = Path(message["calls"])
    with calls.open("a", encoding="utf-8") as lines:
        lines.write(f"{message['act']}\n")
    done = calls.read_text(encoding="utf-8").count(message["act"])
    match message["act"]:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die once" if done == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait once" if done == 1:
            threading.Event().wait()
        case "wait":  # and take every error for the photo's own
            with contextlib.suppress(Exception):
                threading.Event().wait()
        case "hang":  # deaf to the request to stop
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
            threading.Event().wait()
        case "pass once" if done == 1:
            raise DatabaseUnavailableError("gone for a moment")
        case "refuse":
            raise StorageError("never")
        case "crash":
            raise ZeroDivisionError


if __name__ == "__main__":
    run_worker(sys.argv[1].split(","), 2)
