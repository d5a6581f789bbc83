"""Embedding every face again for another space: from the stored originals, where analysis found the faces.

What is left stands in the database alone, so it goes on after any crash, and doing it twice changes nothing.  Photos
that come meanwhile are analysed for the space in use; they lack a vector like all others, so it ends after them.  With
a broker the queue `maintenance` works it off in portions, as many at a time as it has processes; without one the
command does it.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np

from facealbum.domain.ids import FamilyId
from facealbum.domain.photos import original_key
from facealbum.errors import InvalidValueError, ObjectNotFoundError, PhotoError
from facealbum.logs import get_logger
from facealbum.settings import Settings
from facealbum.steps.context import Context, NoProgress
from facealbum.steps.embedders import check_licence, find_embedder, installed_space, models_folder, models_of_space
from facealbum.steps.makers import embedding_maker
from facealbum.storage.analyses import ensure_space
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families
from facealbum.storage.makers import ensure_maker, note_maker
from facealbum.storage.reembeddings import (
    LackingUpload,
    Left,
    Reembedding,
    claim_family,
    count_embedded,
    count_left,
    count_reasons,
    is_running,
    load_lacking,
    load_open,
    load_reembedding,
    save_embeddings,
    save_lost,
    start_reembedding,
    update_reembedding,
)
from facealbum.storage.spaces import load_space_name, load_uncarried, save_carried
from models.heads import carry_over, load_heads
from models.limits import Limits
from models.reembed import Place, Reembedder
from models.registry import EmbedderSpec, load_embedders

_log = get_logger(__name__)
_PORTION_SECONDS = 5.0  # for so long it keeps a process of `maintenance` from its other jobs

Wait = Callable[[float], None]
"""Waits so many seconds."""


@dataclass(frozen=True, slots=True)
class ReembeddingStatus:
    """How far it is.  reasons: (code, detail, faces).  minutes_left: None while nobody knows."""

    job: Reembedding
    left: Left
    reasons: tuple[tuple[str, str, int], ...]

    @property
    def per_second(self) -> float | None:
        """Faces a second since it was started or resumed."""
        seconds = (self.job.updated_at - self.job.paced_from).total_seconds()
        return self.job.paced_faces / seconds if seconds > 0 and self.job.paced_faces else None

    @property
    def minutes_left(self) -> float | None:
        """At that pace."""
        return self.left.incomplete / self.per_second / 60 if self.per_second else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **asdict(self.job),
            **{name: asdict(self.left)[name] for name in ("true", "adapted", "lost", "without")},
            "left": self.left.incomplete,
            "per_second": self.per_second,
            "minutes_left": self.minutes_left,
            "reasons": [{"code": code, "detail": detail, "faces": faces} for code, detail, faces in self.reasons],
        }


def start(
    context: Context,
    name: str,
    *,
    rate: float | None = None,
    families: int | None = None,
    accept_research_only: bool = False,
) -> Reembedding:
    """Begin to fill this space, or go on: at most so many faces a second, and only so many families if that is given.

    What follows from another space by a linear map is there at once.  Raises UnknownModelError,
    ModelNotInstalledError, and InvalidValueError if another space is being filled, or for a licence not accepted.
    """
    if (rate is not None and rate <= 0) or (families is not None and families <= 0):
        raise InvalidValueError("a rate and a number of families must be above 0, or left out")
    embedder = find_embedder(name, models_folder(context.settings))
    check_licence(embedder, accepted=accept_research_only)
    with context.database.begin() as transaction:
        spaces = ensure_space(transaction, installed_space(transaction)), ensure_space(transaction, name)
        job = start_reembedding(transaction, spaces=spaces, now=context.clock())
        _set_going(context, transaction, job, rate=rate, families_left=families)
    carry_exactly(context, embedder, spaces[1])
    return load_job(context, job.number)


def resume(context: Context) -> Reembedding:
    """Go on with what was paused; raises InvalidValueError if nothing is."""
    with context.database.begin() as transaction:
        job = load_open(transaction)
        if job is None or job.status != "paused":
            command = f"facealbum reembed start {job.target if job else 'SPACE'}"
            raise InvalidValueError(f"nothing is paused; to begin, or go on with what was cut short: {command}")
        _set_going(context, transaction, job, rate=job.rate, families_left=None)
    return load_job(context, job.number)


def pause(context: Context) -> Reembedding:
    """Begin no more uploads; raises InvalidValueError if nothing is running."""
    with context.database.begin() as transaction:
        job = load_open(transaction)
        if job is None or job.status != "running":
            raise InvalidValueError("no faces are being embedded; see: facealbum reembed status")
        update_reembedding(transaction, job.number, status="paused")
    return load_job(context, job.number)


def load_job(context: Context, number: int | None = None) -> Reembedding:
    """The one of this number, or the newest; raises InvalidValueError."""
    with context.database.begin() as transaction:
        return load_reembedding(transaction, number)


def show(context: Context, number: int | None = None) -> ReembeddingStatus:
    """How far it is; raises InvalidValueError if there is none."""
    with context.database.begin() as transaction:
        job = load_reembedding(transaction, number)
        reasons = count_reasons(transaction, job.target_id)
        told = tuple((code, detail, faces) for (code, detail), faces in reasons.items())
        return ReembeddingStatus(job, count_left(transaction, job.target_id), told)


def work_through(context: Context, *, wait: Wait = time.sleep) -> None:
    """Do all that is left in this process, until it ends or is paused."""
    with context.database.begin() as transaction:
        job = load_open(transaction)
        left = count_left(transaction, job.target_id) if job else None
    context.progress.begin("Embedding faces again", left.incomplete if left else 0)
    while work_on(context, wait=wait):
        pass


def work_on(context: Context, *, wait: Wait = time.sleep) -> bool:
    """One portion: family after family for some seconds; tells whether there is more to do.

    Each upload is a transaction.  Raises what is wrong with the machine, never with a photo.
    """
    seconds = min(_PORTION_SECONDS, context.settings.task_seconds / 2)
    stop_at = context.clock() + timedelta(seconds=seconds)
    while context.clock() < stop_at:
        claimed = _claim(context)
        if claimed is None:
            return False
        job, family = claimed
        target = _target(context, job.target_id, job.target, job=job.number)
        if not _Work(context, job, target, wait).family(family, until=lambda: context.clock() >= stop_at):
            return False
    return True


def fill_family(context: Context, family: FamilyId, space_id: int, *, stop_at: datetime | None = None) -> bool:
    """Embed those of the family's faces that have no vector of the space, nor an adapter's; False if time is up before.

    Raises ModelNotInstalledError, and what is wrong with the machine, never with a photo.
    """
    with context.database.begin() as transaction:
        space = load_space_name(transaction, space_id)
    target = _target(context, space_id, space)
    carry_exactly(replace(context, progress=NoProgress()), target.embedder, space_id, family=family)
    with context.database.begin() as transaction:
        uploads = load_lacking(transaction, family, space_id, adapted=False)
    for place, upload in enumerate(uploads):
        if place and stop_at is not None and context.clock() >= stop_at:
            return False
        _embed(context, upload, target)
    return True


def carry_exactly(context: Context, embedder: EmbedderSpec, space_id: int, *, family: FamilyId | None = None) -> None:
    """Fill the space from others whose embeddings hold all that it needs, in one family or all, without any photo."""
    folder = models_folder(context.settings)
    others = [other for other in (load_embedders() | load_heads(folder)).values() if other.space != embedder.space]
    maps = {other.space: carry_over(other, embedder) for other in others}
    with context.database.begin() as transaction:
        families = [family] if family else [one.family_id for one in load_families(transaction)]
        sources = {ensure_space(transaction, space): found for space, found in maps.items() if found is not None}
    context.progress.begin("Carrying faces over", len(families) * len(sources))
    for one in families:
        for source, found in sources.items():
            with context.database.begin() as transaction:
                ids, vectors = load_uncarried(transaction, one, source=source, target=space_id)
                carried = np.einsum("nf,fe->ne", vectors, found)  # the same bits with any number of threads
                carried /= np.linalg.norm(carried, axis=1, keepdims=True)
                maker = embedding_maker(embedder, space_id, source_space_id=source)
                save_carried(transaction, one, maker, ids=ids, vectors=carried, now=context.clock())
            context.progress.advance()


def _set_going(
    context: Context, transaction: Transaction, job: Reembedding, *, rate: float | None, families_left: int | None
) -> None:
    now = context.clock()
    update_reembedding(
        transaction,
        job.number,
        status="running",
        rate=rate,
        families_left=families_left,
        paced_from=now,
        paced_faces=0,
        updated_at=now,
    )


def _claim(context: Context) -> tuple[Reembedding, FamilyId] | None:
    """The job that is running with its next family; None if there is none, or it has just ended."""
    with context.database.begin() as transaction:
        job = load_open(transaction, claim=True)
        if job is None:
            return None
        if job.families_left == 0:
            update_reembedding(transaction, job.number, status="paused", families_left=None)
            return None
        family = claim_family(transaction, job)
        if family is None:
            update_reembedding(transaction, job.number, status="done", finished_at=context.clock())
            return None
        if job.families_left is not None:
            update_reembedding(transaction, job.number, families_left=job.families_left - 1)
        return job, family


@dataclass(frozen=True, slots=True)
class _Target:
    """The space to embed for, by what, and how lineage keeps that."""

    space_id: int
    embedder: EmbedderSpec
    maker_id: int


def _target(context: Context, space_id: int, space: str, *, job: int | None = None) -> _Target:
    """Raises ModelNotInstalledError."""
    embedder = models_of_space(space, context.settings).embedder
    with context.database.begin() as transaction:
        return _Target(space_id, embedder, ensure_maker(transaction, embedding_maker(embedder, space_id, job=job)))


@dataclass(frozen=True, slots=True)
class _Work:
    """What one process does of a job."""

    context: Context
    job: Reembedding
    target: _Target
    wait: Wait

    def family(self, family: FamilyId, *, until: Callable[[], bool]) -> bool:
        """Upload by upload until it is time, or somebody has paused the job; tells whether nobody has."""
        with self.context.database.begin() as transaction:
            uploads = load_lacking(transaction, family, self.job.target_id)
        for upload in uploads:
            if until():
                break
            with self.context.database.begin() as transaction:
                if not is_running(transaction, self.job.number):
                    return False
            start = perf_counter()
            done = _embed(self.context, upload, self.target, job=self.job.number)
            self.context.progress.advance(len(upload.faces))
            if self.job.rate:
                self.wait(max(0.0, done / self.job.rate - (perf_counter() - start)))
        return True


def _embed(context: Context, upload: LackingUpload, target: _Target, *, job: int | None = None) -> int:
    """Embed the faces of one upload, or note why they can't be; tells how many have their vector now."""
    places = [
        Place(face.box, np.array(face.landmarks, np.float32).reshape(5, 2), face.score, face.ms)
        for face in upload.faces
    ]
    found = None
    try:
        data = context.objects.get(original_key(upload.family_id, upload.sha256))
        found = _reembedder(context.settings, target.embedder.space, target.embedder.version).embed(data, places)
    except (PhotoError, ObjectNotFoundError) as error:
        problem = error.code, str(error)
        _log.warning("reembedding_lost", photo_id=str(upload.photo_id), code=error.code)
    now = context.clock()
    with context.database.begin() as transaction:
        if found is None:
            save_lost(transaction, upload, target.space_id, problem, now=now)
            return 0
        vectors = [(face.face_id, vector) for face, vector in zip(upload.faces, found, strict=True)]
        done = save_embeddings(transaction, upload.family_id, target.space_id, vectors, maker_id=target.maker_id)
        note_maker(transaction, upload.family_id, target.maker_id, now=now)
        if job is not None:
            count_embedded(transaction, job, done, now=now)
    return done


@lru_cache(maxsize=1)
def _reembedder(settings: Settings, space: str, version: str) -> Reembedder:
    """The process keeps its networks between uploads, until the space's are of another version."""
    del version
    limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
    return Reembedder(find_embedder(space, models_folder(settings)), limits=limits)
