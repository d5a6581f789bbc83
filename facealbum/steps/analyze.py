"""Analysis: every pending photo or video becomes faces, or a recorded reason why not.

Processes decode and infer, the caller's process writes; an upload is one transaction, so an analysis cut short goes
on where it stopped.  The result does not depend on the number of processes.
"""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from time import perf_counter
from traceback import extract_tb

from facealbum.errors import FacealbumError, ObjectNotFoundError, PhotoError
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, models_folder, models_in_use
from facealbum.steps.match import match_family
from facealbum.storage.analyses import (
    AnalysedPhoto,
    AnalysedVideo,
    AnalyzerRow,
    ensure_analyzer,
    save_analysis,
    save_video,
)
from facealbum.storage.families import load_families
from facealbum.storage.objects import ObjectStore, open_object_store
from facealbum.storage.photos import (
    NamedProblem,
    PendingPhoto,
    Problem,
    load_pending,
    mark_failed,
    original_key,
)
from facealbum.storage.runs import lock_family
from facealbum.storage.spaces import mark_outdated
from models.analyzer import Analyzer
from models.containers import is_video
from models.limits import Limits
from models.video_analysis import analyze_video

_QUEUED_PER_PROCESS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one upload, and the seconds that each phase took."""

    photo: PendingPhoto
    result: AnalysedPhoto | AnalysedVideo | Problem
    seconds: dict[str, float]


@dataclass(slots=True)
class AnalyzeResult:
    """Counts, and where the time went: seconds of work by phase, summed over all processes.

    matched: faces that no run has looked at yet and that are shown with a known person.
    """

    photos: int = 0
    faces: int = 0
    matched: int = 0
    processes: int = 0
    wall_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[NamedProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Setup:
    """What every process that analyses is told: the settings, and the space of the embedder."""

    settings: Settings
    space: str


class _Worker:
    """One process's analyzer and object store."""

    def __init__(self, setup: _Setup) -> None:
        settings = setup.settings
        self.objects: ObjectStore = open_object_store(settings.object_store_url)
        self.every = settings.video_interval_seconds
        self.limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
        embedder = find_embedder(setup.space, models_folder(settings))
        self.analyzer = Analyzer.load(embedder=embedder, limits=self.limits)

    def analyse(self, photo: PendingPhoto) -> Outcome:
        """Read and analyse one upload; what is wrong with it is a result, not an error.

        So is a failure that nobody foresaw: it must not keep all others out of their albums.
        """
        start = perf_counter()
        try:
            data = self.objects.get(original_key(photo.family_id, photo.sha256))
            read = perf_counter() - start
            result, seconds = self._video(photo, data) if is_video(data) else self._photo(photo, data)
        except (PhotoError, ObjectNotFoundError) as error:
            problem = Problem(photo.photo_id, "analysis", error.code, str(error))
            return Outcome(photo, problem, {"failed": perf_counter() - start})
        except (FacealbumError, OSError):  # the machine's, not the photo's
            raise
        except Exception as error:  # noqa: BLE001 - see above; the kind and place of it are kept, no value
            last = extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            return Outcome(
                photo, _crashed(photo, f"failed on this photo ({where})"), {"failed": perf_counter() - start}
            )
        return Outcome(photo, result, {"read": read, **seconds})

    def _photo(self, photo: PendingPhoto, data: bytes) -> tuple[AnalysedPhoto, Mapping[str, float]]:
        found = self.analyzer.analyze(data)
        size = found.width, found.height
        whose = photo.family_id, photo.photo_id
        return AnalysedPhoto(*whose, found.format, *size, found.taken_at, found.faces), found.seconds

    def _video(self, video: PendingPhoto, data: bytes) -> tuple[AnalysedVideo, Mapping[str, float]]:
        found = analyze_video(self.analyzer, data, every=self.every, limits=self.limits)
        size = found.width, found.height
        whose = video.family_id, video.photo_id
        return AnalysedVideo(*whose, found.format, *size, found.taken_at, found.tracks), found.seconds


_worker = lru_cache(maxsize=1)(_Worker)
"""This process's worker, which keeps its models between photos; models that can't be loaded raise with each photo."""


def _analyse(photo: PendingPhoto, setup: _Setup) -> Outcome:
    return _worker(setup).analyse(photo)


def analyze_pending(
    context: Context, *, family: str | None = None, again: bool = False, in_process: bool = False
) -> AnalyzeResult:
    """Analyse what is pending in one family or in all, and match the faces; raises UnknownFamilyError.

    With `again`, photos that other models than today's have analysed count as pending, and those that failed; a face
    that is found again keeps its id, its person and every decision.
    With `in_process` this process does the work itself: that is for the children of a queue's pool, which may start
    no processes of their own and are replaced by their pool when a photo kills them.
    """
    start = perf_counter()
    with context.database.begin() as transaction:
        families = {one.family_id: one.name for one in load_families(transaction, family)}
        models = models_in_use(transaction, context.settings)
        analyzer = ensure_analyzer(transaction, models.versions, models.space)
        if again:
            for identity in families:
                mark_outdated(transaction, identity, analyzer.analyzer_id)
        pending = [photo for identity in families for photo in load_pending(transaction, identity)]
    result = AnalyzeResult(processes=min(context.settings.processes or os.cpu_count() or 1, len(pending)))
    context.progress.begin("Analysing photos", len(pending))
    setup = _Setup(context.settings, models.space)
    analyse_here = partial(_analyse, setup=setup)
    outcomes = map(analyse_here, pending) if in_process else _outcomes(pending, result.processes, setup)
    for outcome in outcomes:
        _save(context, outcome, analyzer, families[outcome.photo.family_id], result)
        context.progress.advance()
    matching = perf_counter()
    result.matched = sum(match_family(context, one).matched for one in sorted({one.family_id for one in pending}))
    if pending:
        result.seconds["match"] = perf_counter() - matching
    result.wall_seconds = perf_counter() - start
    return result


def _save(context: Context, outcome: Outcome, analyzer: AnalyzerRow, family: str, result: AnalyzeResult) -> None:
    start, now = perf_counter(), context.clock()
    with context.database.begin() as transaction:
        lock_family(transaction, outcome.photo.family_id)
        if isinstance(outcome.result, Problem):
            mark_failed(transaction, outcome.photo.family_id, outcome.result, now=now)
            problem = outcome.result
            result.problems.append(NamedProblem(family, outcome.photo.key, problem.stage, problem.code, problem.detail))
        elif isinstance(outcome.result, AnalysedVideo):
            save_video(transaction, outcome.result, analyzer, now=now)
            result.faces += sum(len(track.best) for track in outcome.result.tracks)
        else:
            save_analysis(transaction, outcome.result, analyzer, now=now)
            result.faces += len(outcome.result.faces)
    result.photos += 1
    for phase, spent in (*outcome.seconds.items(), ("write", perf_counter() - start)):
        result.seconds[phase] = result.seconds.get(phase, 0.0) + spent


def _outcomes(photos: Sequence[PendingPhoto], processes: int, setup: _Setup) -> Iterator[Outcome]:
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
    photos: Sequence[PendingPhoto], processes: int, setup: _Setup, in_work: set[PendingPhoto]
) -> Iterator[Outcome]:
    waiting = iter(photos)
    with _pool(processes) as pool:
        running: set[Future[Outcome]] = set()
        while True:
            room = processes * _QUEUED_PER_PROCESS - len(running)
            for photo in islice(waiting, room):
                in_work.add(photo)
                with _starting_processes():
                    running.add(pool.submit(_analyse, photo, setup))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcome = future.result()
                yield outcome
                in_work.discard(outcome.photo)


def _alone(photo: PendingPhoto, setup: _Setup) -> Outcome:
    try:
        with _pool(1) as pool:
            with _starting_processes():
                future = pool.submit(_analyse, photo, setup)
            return future.result()
    except BrokenProcessPool:
        return Outcome(photo, _crashed(photo, "died on this photo"), {})


def _crashed(photo: PendingPhoto, how: str) -> Problem:
    detail = f"the analysing process {how}; it is set aside, facealbum analyze --again tries once more"
    return Problem(photo.photo_id, "analysis", "analysis_crashed", detail)


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
