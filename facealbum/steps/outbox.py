"""The way of a message from the database to the broker, and back when nobody could do what it says.

A crash at any point sends a message at least once, and parks or requeues it exactly once.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from facealbum import metrics
from facealbum.domain.ids import BatchId, FamilyId, PhotoId
from facealbum.domain.messages import AnalyzeFamily, ClusterFamily, family_of
from facealbum.errors import BadMessageError, FacealbumError, UnknownVersionError
from facealbum.logs import place_of
from facealbum.steps.context import OPERATOR, Context
from facealbum.storage.audit import save_entry
from facealbum.storage.batch_families import fail_family
from facealbum.storage.database import Transaction
from facealbum.storage.outbox import Outgoing, claim_messages, delete_messages, save_messages, save_raw_message
from facealbum.storage.parked import Parked, load_parked, save_parked, take_parked
from facealbum.storage.photos import FailedPhoto, load_failed_photos, mark_announced, retry_crashed

Send = Callable[[Outgoing], None]
"""Gives a message to the broker and returns when it is safe there.

Raises BrokerUnavailableError, and UnknownVersionError for a queue that this release doesn't know.
"""

_AT_ONCE = 100  # what a crash may send twice


def announce_photos(
    context: Context, transaction: Transaction, family: FamilyId, photo_ids: Collection[PhotoId]
) -> None:
    """Have workers analyse these photos once the transaction is committed; where there is no broker, do nothing."""
    if context.settings.broker_url:
        order_analysis(context, transaction, family, photo_ids)


def order_analysis(
    context: Context, transaction: Transaction, family: FamilyId, photo_ids: Collection[PhotoId]
) -> None:
    """The same, broker or not: messages of at most `analysis_batch` photos each."""
    if not photo_ids:
        return
    photos, most, now = sorted(photo_ids), context.settings.analysis_batch, context.clock()
    parts = [tuple(photos[start : start + most]) for start in range(0, len(photos), most)]
    save_messages(transaction, [AnalyzeFamily(family, photo_ids=part) for part in parts], now=now)
    mark_announced(transaction, family, photos, now=now)


def relay(context: Context, send: Send, *, limit: int = _AT_ONCE, stopped: Callable[[], bool] = lambda: False) -> int:
    """Send everything that waits, `limit` messages a transaction; several relays share the work.

    Tells how many were sent.  What is for a queue of another release is parked.  The error of a broker that is down is
    raised once what was sent is noted.  `stopped` is asked before each message.
    """
    total = 0
    while sent := _relay_some(context, send, limit, stopped):
        total += sent
    return total


def _relay_some(context: Context, send: Send, limit: int, stopped: Callable[[], bool]) -> int:
    with context.database.begin() as transaction:
        waiting = claim_messages(transaction, limit)
        sent, refused, failure = _send_all(waiting, send, stopped)
        for message, error in refused:
            now, why = context.clock(), (error.code, place_of(error))
            save_parked(transaction, Parked(message.family_id, message.queue, message.message, *why, 1, now, now))
        delete_messages(transaction, [*sent, *(message for message, _ in refused)])
    for message in sent:
        metrics.RELAYED.labels(message.queue).inc()
    if failure:
        raise failure
    return len(sent)


def _send_all(
    waiting: Sequence[Outgoing], send: Send, stopped: Callable[[], bool]
) -> tuple[list[Outgoing], list[tuple[Outgoing, UnknownVersionError]], FacealbumError | None]:
    """What was sent, what can't be by this release, and why the rest was not."""
    sent, refused = [], []
    for message in waiting:
        if stopped():
            break
        try:
            send(message)
            sent.append(message)
        except UnknownVersionError as error:
            refused.append((message, error))
        except FacealbumError as error:
            return sent, refused, error
    return sent, refused, None


def park(context: Context, queue: str, message: dict[str, Any], *, error: tuple[str, str], attempts: int) -> None:
    """Set a message aside that could not be done; `error` is the reason's code, and where it came from.

    A family of a monthly job fails in that job instead, where `facealbum run retry` finds it.
    """
    now = context.clock()
    with context.database.begin() as transaction:
        if queue == ClusterFamily.QUEUE and (order := _of_batch(message)):
            fail_family(transaction, order[0], order[1], error, now=now)
            return
        save_parked(transaction, Parked(family_of(message), queue, message, *error, attempts, now, now))


def _of_batch(message: dict[str, Any]) -> tuple[BatchId, FamilyId] | None:
    """The monthly job and the family, if the message asks for a part of one."""
    try:
        order = ClusterFamily.from_json(message)
    except BadMessageError:
        return None
    return (order.batch_id, order.family_id) if order.batch_id else None


def list_parked(
    context: Context,
    *,
    family: FamilyId | None = None,
    queue: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> list[Parked]:
    """What is set aside of one family or all, of one queue or all, oldest first; after: `first_at` and `parked_id`."""
    with context.database.begin() as transaction:
        return load_parked(transaction, family, queue, after=after, limit=limit)


def list_failed_photos(
    context: Context, *, code: str | None = None, after: tuple[UUID, UUID, str] | None = None, limit: int
) -> list[FailedPhoto]:
    """The photos that are not, or not fully, in albums; after: family, photo and stage of one."""
    with context.database.begin() as transaction:
        return load_failed_photos(transaction, code=code, after=after, limit=limit)


def requeue_photos(context: Context, *, family: FamilyId | None = None, author: str = OPERATOR) -> int:
    """Order the analysis of the photos that crashed it anew, of one family or all, and tell how many there are."""
    with context.database.begin() as transaction:
        crashed = retry_crashed(transaction, family)
        for one, photos in groupby(crashed, key=lambda named: named[0]):
            order_analysis(context, transaction, one, [photo for _, photo in photos])
        detail = {"photos": len(crashed)}
        save_entry(transaction, "requeue", "photos", author=author, now=context.clock(), detail=detail)
    return len(crashed)


def requeue(
    context: Context, *, family: FamilyId | None = None, queue: str | None = None, author: str = OPERATOR
) -> int:
    """Move what is set aside to the outbox, and tell how much that is; `relay` then sends it."""
    with context.database.begin() as transaction:
        taken = take_parked(transaction, family, queue)
        for one in taken:
            save_raw_message(transaction, one.family_id, one.queue, message=one.message, now=context.clock())
        detail = {"queue": queue, "messages": len(taken)}
        save_entry(transaction, "requeue", "messages", author=author, now=context.clock(), detail=detail)
    return len(taken)
