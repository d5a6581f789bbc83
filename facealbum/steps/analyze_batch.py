"""Analysis from the queue: the photos that a message names, one after the other, by this process itself.

The transaction that saves a photo also claims the next one, or asks for the family's match if none is left; so at any
moment a process holds one photo, and whatever dies takes no other with it.  A claim counts an attempt: a photo that
has had ATTEMPTS of them and no end is set aside.  Whoever stops in order, or lacks database or object store, gives the
claim back.  A message done twice finds nothing to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter

from facealbum import metrics
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.messages import MatchFamily
from facealbum.domain.photos import PendingPhoto, Problem
from facealbum.errors import DatabaseUnavailableError, FacealbumError
from facealbum.logs import get_logger
from facealbum.steps.analyst import Outcome, analyse_upload, crashed
from facealbum.steps.analyze_upload import AnalysedBy, save_outcome, set_up
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_in_use
from facealbum.steps.outbox import order_analysis
from facealbum.storage.analyses import ensure_analyzer
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_family
from facealbum.storage.matching import ask_for_match
from facealbum.storage.outbox import save_messages
from facealbum.storage.photos import claim_photo, give_back_photo, load_exhausted, load_pending, mark_failed
from facealbum.storage.runs import lock_family
from facealbum.storage.spaces import mark_outdated

_log = get_logger(__name__)
_LOCK_SECONDS = 5.0
"""How long a batch waits for its family, if its work so far took no longer."""


@dataclass(slots=True)
class BatchResult:
    """What was done of a batch; photos that failed are counted too."""

    photos: int = 0
    faces: int = 0


def order_pending(context: Context, family: FamilyId, *, again: bool = False) -> int:
    """Order the analysis of everything in the family that is pending, in batches; tells how many photos that is.

    With `again`, photos that other models than today's have analysed count as pending, and those that failed.  Raises
    UnknownFamilyError.
    """
    with context.database.begin() as transaction:
        load_family(transaction, family)
        if again:
            models = models_in_use(transaction, context.settings)
            mark_outdated(transaction, family, ensure_analyzer(transaction, models.versions, models.space).analyzer_id)
        pending = load_pending(transaction, family)
        order_analysis(context, transaction, family, [photo.photo_id for photo in pending])
    return len(pending)


def analyze_batch(context: Context, family: FamilyId, photo_ids: Sequence[PhotoId]) -> BatchResult:
    """Analyse those of the photos that are pending, and ask for the family's match.

    Raises FamilyBusyError if somebody decides about the family for long.
    """
    with context.database.begin() as transaction:
        models = models_in_use(transaction, context.settings)
        by = AnalysedBy.load(context, transaction, models)
    batch = _Batch(context, family, photo_ids, by)
    setup, result = set_up(context.settings, models), BatchResult()
    photo = batch.begin()
    while photo is not None:
        with _given_back(context, photo):
            start = perf_counter()
            outcome = analyse_upload(photo, setup)
            photo = batch.save(outcome, spent=perf_counter() - start)
        result.photos += 1
        result.faces += outcome.faces
    return result


def _tell(outcome: Outcome) -> None:
    """Operators what became of a photo."""
    metrics.PHOTOS.labels("failed" if isinstance(outcome.result, Problem) else "analysed").inc()
    metrics.FACES.inc(outcome.faces)
    for phase, seconds in outcome.seconds.items():
        metrics.PHASE_SECONDS.labels(phase).inc(seconds)
    if isinstance(problem := outcome.result, Problem):
        _log.warning("photo_failed", photo_id=str(problem.photo_id), code=problem.code)


@dataclass(frozen=True, slots=True)
class _Batch:
    """The transactions of a batch."""

    context: Context
    family: FamilyId
    photo_ids: Sequence[PhotoId]
    by: AnalysedBy

    def begin(self) -> PendingPhoto | None:
        """Set aside what was tried too often, and claim the first photo."""
        now = self.context.clock()
        with self.context.database.begin() as transaction:
            lock_family(transaction, self.family, wait_seconds=_LOCK_SECONDS)
            for photo in load_exhausted(transaction, self.family, self.photo_ids):
                problem = crashed(photo, "died on this photo or took too long, each time")
                mark_failed(transaction, self.family, problem, now=now)
            return self._next(transaction)

    def save(self, outcome: Outcome, *, spent: float) -> PendingPhoto | None:
        """Save what became of a photo and claim the next one; it waits for the family as long as the work has taken."""
        with self.context.database.begin() as transaction:
            lock_family(transaction, self.family, wait_seconds=max(_LOCK_SECONDS, spent))
            is_there = save_outcome(transaction, outcome, self.by, now=self.context.clock())
            following = self._next(transaction)
        if is_there:
            _tell(outcome)
        return following

    def _next(self, transaction: Transaction) -> PendingPhoto | None:
        photo = claim_photo(transaction, self.family, self.photo_ids)
        now = self.context.clock()
        if photo is None and ask_for_match(transaction, self.family, now=now):
            save_messages(transaction, [MatchFamily(self.family)], now=now)
        return photo


@contextmanager
def _given_back(context: Context, photo: PendingPhoto) -> Iterator[None]:
    """Have an end that is not the photo's fault count no attempt; SystemExit is how a process is told to stop."""
    try:
        yield
    except (FacealbumError, OSError, SystemExit):
        with suppress(DatabaseUnavailableError), context.database.begin() as transaction:  # else the attempt stands
            give_back_photo(transaction, photo)
        raise
