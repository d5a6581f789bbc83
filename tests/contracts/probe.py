"""A worker like any other, with one more task that does what its message says; started by test_broker.py.

Each call adds a line to a file, so that what happened can be read while it happens and after a kill.
"""

import contextlib
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from celery import signals

from facealbum.domain.photos import PendingPhoto
from facealbum.errors import DatabaseUnavailableError, StorageError
from facealbum.steps import analyze_batch
from facealbum.steps.analyst import Outcome, Setup, analyse_upload
from workers.app import app
from workers.command import run_worker
from workers.task import QueueTask

NAME = "probe"
QUEUE = "matching"
NAMED = "Hana Mori am Strand.jpg"
"""What errors may hold, and nobody may be told of."""


@app.task(name=NAME, base=QueueTask, its_queue=QUEUE)
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
            raise StorageError(NAMED)
        case "crash":
            raise ZeroDivisionError(NAMED)


@signals.task_prerun.connect
def _have_a_photo_that_kills(**_: object) -> None:
    """The photo that the environment names ends the process that analyses it, as one that needs all memory does."""
    if (deadly := os.environ.get("PROBE_DEADLY")) and analyze_batch.analyse_upload is analyse_upload:
        analyze_batch.analyse_upload = partial(_die_on, deadly)


def _die_on(deadly: str, photo: PendingPhoto, setup: Setup) -> Outcome:
    if photo.key == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return analyse_upload(photo, setup)


if __name__ == "__main__":
    run_worker(sys.argv[1].split(","), 2)
