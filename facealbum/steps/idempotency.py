"""Requests that may be sent again: the second one with the same key does nothing, and is answered as the first.

A key is claimed before the work and answered after it.  Of two at once one works.  An error changes nothing, so it is
not kept and the key stays good.  Price: a process that dies between its work and its answer leaves the key unanswered;
whoever sends it again after ten minutes has the work done again.
"""

from datetime import timedelta

from facealbum.domain.ids import FamilyId
from facealbum.errors import KeyInUseError, KeyReusedError, KeySpentError
from facealbum.steps.context import Context
from facealbum.storage.idempotency import (
    KeptAnswer,
    KeyedRequest,
    claim_key,
    forget_key,
    forget_keys,
    load_answer,
    save_answer,
)

KEPT = timedelta(hours=24)
_LONGEST_WORK = timedelta(minutes=10)


def claim_request(context: Context, request: KeyedRequest) -> KeptAnswer | None:
    """What the request was answered before, None if it is now the caller's to work on.

    Raises KeyReusedError if the key was another request's, KeyInUseError if somebody works on it, and KeySpentError if
    its answer was told and is not kept.
    """
    now = context.clock()
    with context.database.begin() as transaction:
        if claim_key(transaction, request, now=now, stale=now - KEPT, abandoned=now - _LONGEST_WORK):
            return None
        kept = load_answer(transaction, request)
    if kept and kept.digest != request.digest:
        raise KeyReusedError("this Idempotency-Key came with another request; give each request a key of its own")
    if kept is None or kept.status is None:
        raise KeyInUseError("the request with this Idempotency-Key is being worked on; send it again later")
    if kept.answer is None:
        raise KeySpentError("the request with this Idempotency-Key was done, and its answer is told only once")
    return kept


def answer_request(context: Context, request: KeyedRequest, answer: KeptAnswer, family: FamilyId | None) -> None:
    """Keep what the request was answered, for a day or until the family is deleted."""
    with context.database.begin() as transaction:
        save_answer(transaction, request, answer, family=family)


def forget_request(context: Context, request: KeyedRequest) -> None:
    """Let the key be used anew, since nothing was done."""
    with context.database.begin() as transaction:
        forget_key(transaction, request)


def forget_old_requests(context: Context) -> int:
    """Forget the keys of more than a day ago; tells how many there were."""
    with context.database.begin() as transaction:
        return forget_keys(transaction, before=context.clock() - KEPT)
