"""Trainings in processes that are killed at a moment, forked from one that has imported what all of them need."""

import os
import re
import signal
import sys
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

from facealbum.pipelines.run import run_training
from facealbum.pipelines.step import Values
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.storage.database import open_database
from facealbum.storage.objects import LocalObjectStore
from tests.conftest import NOW

_NEEDED = (
    "keras",
    "matplotlib.pyplot",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.tracking.sqlalchemy_store",
    "tests.integration.drawn_trainings",
)


Moment = tuple[tuple[str, str], ...]
"""What happens to files, one after the other, each an event that Python tells and a place; the last is prevented."""

KEPT: Moment = (("os.rename", r"/store/\w+$"), ("shutil.rmtree", r"/work/\w+$"))
"""A step's output has just been kept, and what was scratch for it is about to go."""


@dataclass(frozen=True)
class Job:
    """A training in the world of these settings; url: of its database."""

    settings: Settings
    url: str
    training: str
    source: str
    chosen: Values

    def is_killed(self, moment: Moment | None) -> bool:
        """Run it in a process of its own; whether that was killed at the moment, and else went to its end."""
        process = _server().Process(target=_train, args=(self, moment))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), f"{self.training} ended with {process.exitcode}"
        return process.exitcode != 0


@cache
def _server() -> ForkServerContext:
    """It takes the seconds of the imports once, for all processes."""
    server = get_context("forkserver")
    server.set_forkserver_preload(list(_NEEDED))
    return server


def _train(job: Job, moment: Moment | None) -> None:
    with open_database(job.url, Path()) as database:
        objects = LocalObjectStore(Path(job.settings.object_store_url))
        context = Context(job.settings, database, objects, clock=lambda: NOW)
        if moment is not None:
            _die_at(moment)
        from tests.integration.drawn_trainings import TRAININGS  # noqa: PLC0415 - takes seconds, but not in here

        run_training(context, TRAININGS[job.training], source=job.source, chosen=job.chosen)


def _die_at(moment: Moment) -> None:
    left = list(moment)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not left or event != left[0][0]:
            return
        place = arguments[1] if event == "os.rename" else arguments[0]
        if re.search(left[0][1], str(place)):
            left.pop(0)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
