"""The events of an object store: each is a hint to look at an object, and leaves its queue when that is done.

What may pass leaves a message where it is; what can't be done is parked with its reason, so that no message is tried
for ever, and `look_again` tries it once more.
"""

from collections.abc import Callable

from facealbum.domain.ids import FamilyId
from facealbum.domain.messages import family_of
from facealbum.domain.object_events import OriginalKey, UploadKey, parse_key, parse_object_events
from facealbum.errors import BadMessageError, FacealbumError, InvalidValueError
from facealbum.logs import get_logger, place_of
from facealbum.metrics import OBJECT_EVENTS
from facealbum.steps.arrivals import notice_object
from facealbum.steps.context import OPERATOR, Context
from facealbum.steps.outbox import park, requeue
from facealbum.storage.event_queue import EventQueue
from facealbum.storage.objects import ObjectStore, S3ObjectStore
from facealbum.storage.parked import EVENTS, delete_parked, load_parked

_log = get_logger(__name__)


def bucket_of(objects: ObjectStore) -> tuple[str, str]:
    """Bucket and prefix whose events concern us; raises InvalidValueError if objects don't lie in a bucket."""
    if isinstance(objects, S3ObjectStore):
        return objects.bucket, objects.prefix
    raise InvalidValueError("events tell of a bucket; set FACEALBUM_OBJECT_STORE to s3://bucket/prefix")


def take_events(
    context: Context, queue: EventQueue, bucket: tuple[str, str], *, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Do what some messages hint at, and tell how many; once `stopped`, give back those that weren't looked at.

    Raises errors that may pass; the message in hand and those behind it come again.
    """
    waiting = queue.receive()
    done = 0
    with queue.kept(waiting):
        for delivery in waiting:
            if stopped():
                break
            _take(context, delivery.body, bucket)
            queue.delete(delivery)
            done += 1
    if stopped():
        queue.give_back(waiting[done:])
    return done


def send_again(
    context: Context, *, family: FamilyId | None = None, queue: str | None = None, author: str = OPERATOR
) -> int:
    """Take up everything that was parked, of one family or all, of one queue or all; tells how much that is."""
    sent = 0 if queue == EVENTS else requeue(context, family=family, queue=queue, author=author)
    return sent + (look_again(context, family) if queue in {EVENTS, None} else 0)


def look_again(context: Context, family: FamilyId | None = None) -> int:
    """Take up what was parked, of one family or all, and tell how much of it can be done now; the rest stays parked."""
    with context.database.begin() as transaction:
        parked = load_parked(transaction, family, EVENTS)
    done = 0
    for one in parked:
        key = parse_key(str(one.message.get("key", "")))
        if key is not None and _notice(context, key):
            with context.database.begin() as transaction:
                delete_parked(transaction, one)
            done += 1
    return done


def _take(context: Context, body: str, bucket: tuple[str, str]) -> None:
    name, prefix = bucket
    try:
        events = parse_object_events(body, bucket=name, prefix=prefix)
    except BadMessageError as error:
        _park(context, {"body": body}, error.code, error)
        return
    OBJECT_EVENTS.labels("ignored").inc(events.ignored)
    for key in events.keys:
        _notice(context, key)


def _notice(context: Context, key: OriginalKey | UploadKey) -> bool:
    """Look at the object; tells whether it was not for parking."""
    try:
        notice_object(context, key)
    except FacealbumError as error:
        if error.retryable:
            raise
        _park(context, key.to_json(), error.code, error)
        return False
    except Exception as error:  # noqa: BLE001 - parked with its kind and place, or it would come for ever
        _park(context, key.to_json(), "crashed", error)
        return False
    return True


def _park(context: Context, message: dict[str, str], code: str, error: Exception) -> None:
    place = place_of(error)
    park(context, EVENTS, message, error=(code, place), attempts=1)
    OBJECT_EVENTS.labels("parked").inc()
    _log.error("event_parked", family_id=str(family_of(message)), code=code, place=place)
