"""Processes that analyse, one a core, and what a photo does to them that kills its own."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread

from facealbum.domain.photos import PendingPhoto
from facealbum.steps.analyst import Outcome, Setup, analyse_upload, crashed

_QUEUED_PER_PROCESS = 4


def pooled_outcomes(photos: Sequence[PendingPhoto], processes: int, setup: Setup) -> Iterator[Outcome]:
    """Every photo's outcome, as they come; a photo that kills its process is found and named."""
    rest = list(photos)
    while rest:
        done: set[PendingPhoto] = set()
        in_work: set[PendingPhoto] = set()
        try:
            for outcome in _pooled(rest, processes, setup, in_work):
                done.add(outcome.photo)
                yield outcome
        except BrokenProcessPool:
            for suspect in sorted(in_work - done, key=lambda photo: photo.photo_id):
                done.add(suspect)
                yield _alone(suspect, setup)
        rest = [photo for photo in rest if photo not in done]


def _pooled(
    photos: Sequence[PendingPhoto], processes: int, setup: Setup, in_work: set[PendingPhoto]
) -> Iterator[Outcome]:
    waiting = iter(photos)
    with _pool(processes) as pool:
        running: set[Future[Outcome]] = set()
        while True:
            room = processes * _QUEUED_PER_PROCESS - len(running)
            for photo in islice(waiting, room):
                in_work.add(photo)
                with _starting_processes():
                    running.add(pool.submit(analyse_upload, photo, setup))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcome = future.result()
                yield outcome
                in_work.discard(outcome.photo)


def _alone(photo: PendingPhoto, setup: Setup) -> Outcome:
    try:
        with _pool(1) as pool:
            with _starting_processes():
                future = pool.submit(analyse_upload, photo, setup)
            return future.result()
    except BrokenProcessPool:
        return Outcome(photo, crashed(photo.photo_id, "died on this photo"), {})


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent)


@contextmanager
def _starting_processes() -> Iterator[None]:
    """Processes that start inside are deaf to Ctrl-C, which reaches them too, until they call _end_with_parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Have Ctrl-C, and the death of the parent, end this process without a word: what it works on stays pending."""
    Thread(target=_outlive_nobody, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _outlive_nobody() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
