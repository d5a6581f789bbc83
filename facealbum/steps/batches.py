"""The monthly job over all families: handed out a few at a time, each ended once, all of them evaluated at the end.

How far it is stands in the database alone, so any step may be cut short or done twice: `advance` hands out what is
due, `cluster_in_batch` does one family.  Without a broker `work_through` calls both.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from facealbum.domain.cron import Cron
from facealbum.domain.ids import BatchId, FamilyId
from facealbum.domain.messages import ClusterFamily, EvaluateBatch, Message
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence
from facealbum.errors import ConflictError, FacealbumError, FamilyBusyError, InvalidValueError
from facealbum.logs import place_of
from facealbum.steps.arm_plans import load_side
from facealbum.steps.cluster import Patience, cluster_families
from facealbum.steps.context import OPERATOR, Context, NoProgress
from facealbum.steps.evaluate import evaluate_batch
from facealbum.storage.audit import save_entry
from facealbum.storage.batch_families import (
    Claim,
    begin_family,
    count_by_status,
    count_in_flight,
    end_family,
    fail_family,
    hand_out,
    has_unfinished,
    load_handed_out,
    put_back,
    take_back,
    wait_again,
)
from facealbum.storage.batch_figures import load_figures
from facealbum.storage.batches import (
    OPEN,
    Batch,
    count_not_handed_out,
    find_open_batch,
    has_batch,
    load_batch,
    load_open_batches,
    lock_batch,
    lock_starts,
    save_batch,
    update_batch,
)
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_family
from facealbum.storage.observations import load_arm
from facealbum.storage.outbox import save_messages
from facealbum.storage.serving import load_installed_arm

_LOCK_SECONDS = 3.0  # a family that is locked for longer waits for its next turn
_SHARE_OF_TASK = 0.5  # of its time after which a task leaves the months that are left to the next one


def start_batch(context: Context, through: Month, arm: str | None = None, *, author: str = OPERATOR) -> Batch:
    """Run every month up to `through` in all families, or go on with the batch that does so already.

    Under each arm that a family needs, or only under `arm`.  Raises InvalidValueError for an unknown arm, and for a
    month that is to come.
    """
    this = Month.of(context.clock())
    if through > this:
        raise InvalidValueError(
            Sentence("the month must not be in the future, got %(through)s in %(now)s", through=through, now=this)
        )
    with context.database.begin() as transaction:
        arm = arm or load_installed_arm(transaction)
        load_side(transaction, arm, context.settings)
        batch = _start(context, transaction, through, arm)
        _note(transaction, "start", batch, author=author, now=context.clock())
        return batch


def start_due(context: Context) -> Batch | None:
    """Start what the schedule asks for, the month before its last moment, unless that was started since."""
    settings, zone = context.settings, ZoneInfo(context.settings.timezone)
    due = Cron.parse(settings.monthly_cron).latest(context.clock(), zone) if settings.monthly_cron else None
    if due is None:
        return None
    local = due.astimezone(zone)
    month = Month(local.year, local.month).before()
    with context.database.begin() as transaction:
        lock_starts(transaction)
        arm = load_installed_arm(transaction)
        started = has_batch(transaction, month, arm, since=due)
        return None if started else _start(context, transaction, month, arm)


def _start(context: Context, transaction: Transaction, through: Month, arm: str) -> Batch:
    lock_starts(transaction)
    running = find_open_batch(transaction, through, arm)
    return running or save_batch(transaction, through, arm, now=context.clock())


def advance(context: Context) -> None:
    """Move every batch on that has not ended: hand out families, or ask for the evaluation once all have ended."""
    with context.database.begin() as transaction:
        found = load_open_batches(transaction)
    for batch in found:
        _move_on(context, batch)


def _move_on(context: Context, identity: BatchId) -> None:
    settings, now = context.settings, context.clock()
    lost = now - timedelta(seconds=120 + 4 * settings.task_seconds)  # when every broker has handed out again
    with context.database.begin() as transaction:
        batch = lock_batch(transaction, identity, wait=False)
        if batch is None or not batch.open:
            return
        take_back(transaction, identity, handed_out_before=lost)
        if batch.status == "running":
            room = settings.clustering_in_flight - count_in_flight(transaction, identity)
            families = hand_out(transaction, batch, max(0, room), now=now)
            _send(context, transaction, [ClusterFamily(family, batch.through, identity) for family in families])
            batch = lock_batch(transaction, identity) or batch
            if batch.all_handed_out and not has_unfinished(transaction, identity):
                _ask_for_evaluation(context, transaction, identity)
        elif batch.evaluation_asked_at and batch.evaluation_asked_at < lost:
            _ask_for_evaluation(context, transaction, identity)


def _ask_for_evaluation(context: Context, transaction: Transaction, batch: BatchId) -> None:
    update_batch(transaction, batch, status="evaluating", evaluation_asked_at=context.clock())
    _send(context, transaction, [EvaluateBatch(batch)])


def _send(context: Context, transaction: Transaction, messages: list[Message]) -> None:
    if context.settings.broker_url:
        save_messages(transaction, messages, now=context.clock())


def cluster_in_batch(context: Context, batch: BatchId, family: FamilyId) -> None:
    """Do one family of a batch, if it is handed out and has not ended.

    One that is locked, or has more months than time, waits for its next turn.  Errors are the caller's to note.
    """
    with context.database.begin() as transaction:
        claim = begin_family(transaction, batch, family)
        if claim is None:
            return
        if claim.status == "paused":
            put_back(transaction, batch, family)
            return
        if claim.attempts > context.settings.task_attempts:
            failure = ("killed", f"begun {claim.attempts - 1} times, and never ended")
            fail_family(transaction, batch, family, failure, now=context.clock())
            return
    finished = _cluster(context, family, claim)
    with context.database.begin() as transaction:
        if not finished:
            put_back(transaction, batch, family)
            return
        arm = load_arm(transaction, claim.arm)
        figures = load_figures(transaction, family, arm, through=claim.through, since=claim.created_at)
        end_family(transaction, batch, family, figures, now=context.clock())


def _cluster(context: Context, family: FamilyId, claim: Claim) -> bool:
    """Run the months that aren't done; tells whether that was all of them."""
    with context.database.begin() as transaction:
        name = load_family(transaction, family).name
    stop_at = context.clock() + timedelta(seconds=_SHARE_OF_TASK * context.settings.task_seconds)
    quiet, patience = replace(context, progress=NoProgress()), Patience(_LOCK_SECONDS, stop_at)
    try:
        return not cluster_families(quiet, claim.through, family=name, arm=claim.arm, patience=patience).unfinished
    except FamilyBusyError:
        return False


def work_through(context: Context, batch: Batch) -> None:
    """Do all of a batch in this process, family by family, until it ends or is paused; without a broker.

    Killed or stopped, it goes on where it was when it is called again.  A retryable error is raised.
    """
    with context.database.begin() as transaction:
        counts = count_by_status(transaction, batch.batch_id)
        left = counts.get("waiting", 0) + counts.get("handed out", 0) + count_not_handed_out(transaction, batch)
    context.progress.begin("Clustering families", left)
    while batch.status in {"running", "evaluating"}:
        _move_on(context, batch.batch_id)
        with context.database.begin() as transaction:
            batch = load_batch(transaction, batch.number)
            mine = load_handed_out(transaction, batch.batch_id)
        if batch.status == "evaluating":
            evaluate_batch(context, batch.batch_id)
        for family in mine:
            _do_or_fail(context, batch.batch_id, family)
            context.progress.advance()


def _do_or_fail(context: Context, batch: BatchId, family: FamilyId) -> None:
    """What a worker's task does around a family: one that can't be done fails alone."""
    failure = None
    try:
        cluster_in_batch(context, batch, family)
    except KeyboardInterrupt:  # no fault of the family's
        with context.database.begin() as transaction:
            put_back(transaction, batch, family)
        raise
    except FacealbumError as error:
        if error.retryable:
            raise
        failure = (error.code, place_of(error))
    except Exception as error:  # noqa: BLE001 - noted with its kind and place
        failure = ("crashed", place_of(error))
    if failure:
        with context.database.begin() as transaction:
            fail_family(transaction, batch, family, failure, now=context.clock())


def pause_batch(context: Context, number: int | None = None, *, author: str = OPERATOR) -> Batch:
    """Hand out no more families of the batch, or the newest one; raises ConflictError unless it is running."""
    return _change(context, number, ("running",), "pause", author=author, status="paused")


def resume_batch(context: Context, number: int | None = None, *, author: str = OPERATOR) -> Batch:
    """Go on with a paused batch; raises ConflictError if it isn't paused."""
    return _change(context, number, ("paused",), "resume", author=author, status="running")


def cancel_batch(context: Context, number: int | None = None, *, author: str = OPERATOR) -> Batch:
    """End the batch; families that were not begun stay as they are.  Raises ConflictError if it has ended."""
    now = context.clock()
    return _change(context, number, OPEN, "cancel", author=author, status="cancelled", finished_at=now)


def retry_batch(context: Context, number: int | None = None, *, author: str = OPERATOR) -> Batch:
    """Hand out the batch's failed families again; raises ConflictError if it was cancelled."""
    with context.database.begin() as transaction:
        batch = _locked(transaction, number, (*OPEN, "done"))
        families = wait_again(transaction, batch.batch_id)
        if families and batch.status in {"evaluating", "done"}:
            fresh = {"status": "running", "summary": None, "evaluation_asked_at": None, "finished_at": None}
            update_batch(transaction, batch.batch_id, **fresh)
        _note(transaction, "retry", batch, author=author, now=context.clock())
        return load_batch(transaction, batch.number)


def _change(
    context: Context, number: int | None, allowed: tuple[str, ...], action: str, *, author: str, **values: object
) -> Batch:
    with context.database.begin() as transaction:
        batch = _locked(transaction, number, allowed)
        update_batch(transaction, batch.batch_id, **values)
        _note(transaction, action, batch, author=author, now=context.clock())
        return load_batch(transaction, batch.number)


def _note(transaction: Transaction, action: str, batch: Batch, *, author: str, now: datetime) -> None:
    save_entry(transaction, action, f"run {batch.number}", author=author, now=now)


def _locked(transaction: Transaction, number: int | None, allowed: tuple[str, ...]) -> Batch:
    found = load_batch(transaction, number)
    batch = lock_batch(transaction, found.batch_id) or found
    if batch.status not in allowed:
        raise ConflictError(f"run {batch.number} is {batch.status}; this needs one that is {' or '.join(allowed)}")
    return batch
