"""What is wrong with the broker, its queues and who works on them: the rest of what `facealbum doctor` shows.

Each kind of broker has settings under which it loses messages without a word; those are looked at, not changed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from celery import Celery
from kombu.connection import Connection
from kombu.entity import Queue
from redis.exceptions import ResponseError

from facealbum.errors import FacealbumError, InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.doctor import Finding
from workers.app import TASKS, make_app
from workers.observed import check_broker_answers

_ANSWER_SECONDS = 2.0
_LONGEST_TASK_OF_OLD_RABBITMQ = 1800  # its consumer_timeout, which a queue's argument changes from 3.12 on
_OLD_RABBITMQ = (3, 12)


def examine_queues(settings: Settings) -> list[Finding]:
    """Look at the broker and at the workers; nothing where no broker is set."""
    if not settings.broker_url:
        return []
    app = make_app(settings)
    try:
        return [*_broker(app, settings), *_queues(app)]
    except FacealbumError as error:
        return [Finding("broker", fine=False, detail=str(error))]


def _broker(app: Celery, settings: Settings) -> Iterator[Finding]:
    scheme = urlsplit(settings.broker_url or "").scheme
    kind = next((kind for kind in _TRAPS if scheme.startswith(kind)), None)
    if kind is None:
        raise InvalidValueError(f"FACEALBUM_BROKER_URL must be an amqp, redis or sqs URL, got {scheme}://")
    check_broker_answers(app)
    with app.connection_for_read() as connection:
        yield Finding("broker", fine=True, detail=f"{connection.as_uri()} answers")
        yield from (Finding("broker", fine=False, detail=wrong) for wrong in _TRAPS[kind](connection, settings))


def _redis_traps(connection: Connection, _: Settings) -> Iterator[str]:
    channel: Any = connection.default_channel
    client = channel.client
    try:
        found = client.config_get("maxmemory*", "appendonly")
    except ResponseError:
        return  # a managed Redis keeps its settings to itself
    if int(found["maxmemory"]) and found["maxmemory-policy"] != "noeviction":
        yield f"maxmemory-policy must be noeviction, got {found['maxmemory-policy']}: it drops messages when it is full"
    if found["appendonly"] != "yes":
        yield "appendonly must be yes, got no: what waits is lost when it restarts"


def _rabbitmq_traps(connection: Connection, settings: Settings) -> Iterator[str]:
    found = str(connection.connection.server_properties.get("version", "0"))
    old = tuple(int(part) for part in found.split(".")[:2]) < _OLD_RABBITMQ
    if old and 2 * settings.task_seconds > _LONGEST_TASK_OF_OLD_RABBITMQ:
        yield (
            f"RabbitMQ must be 3.12 or newer where tasks may take {settings.task_seconds:g} s, got {found}; "
            "or raise its consumer_timeout"
        )


def _sqs_traps(connection: Connection, _: Settings) -> Iterator[str]:
    return filter(None, (_sqs_trap(connection.default_channel, queue) for queue in TASKS))


def _sqs_trap(channel: Any, queue: str) -> str | None:  # noqa: ANN401 - kombu has few types
    try:
        channel.sqs().get_queue_url(QueueName=channel.canonical_queue_name(queue))
    except ClientError as error:
        return f"the queue {queue} must be there and readable, got {error.response['Error']['Code']}"
    return None


_TRAPS: dict[str, Callable[[Connection, Settings], Iterator[str]]] = {
    "amqp": _rabbitmq_traps,
    "redis": _redis_traps,
    "sqs": _sqs_traps,
}


def _queues(app: Celery) -> list[Finding]:
    """How many messages wait in each queue, and whether somebody works on it; SQS does not tell of workers."""
    listening: Counter[str] | None = None
    if app.conf.worker_enable_remote_control:
        answers = app.control.inspect(timeout=_ANSWER_SECONDS).active_queues() or {}
        listening = Counter(queue["name"] for queues in answers.values() for queue in queues)
    with app.connection_for_read() as connection:
        waiting = {queue.name: _length(queue, connection) for queue in app.conf.task_queues}
    return [_queue(name, count, None if listening is None else listening[name]) for name, count in waiting.items()]


def _queue(name: str, waiting: int, workers: int | None) -> Finding:
    idle = bool(waiting) and workers == 0
    by = "" if workers is None else f", workers: {workers}"
    what_to_do = f"; start one: facealbum worker --queues {name}" if idle else ""
    return Finding(f"queue {name}", fine=not idle, detail=f"{waiting} messages wait{by}{what_to_do}")


def _length(queue: Queue, connection: Connection) -> int:
    try:
        return int(queue(connection.channel()).queue_declare(passive=True).message_count)
    except (*connection.channel_errors, *connection.connection_errors):
        return 0  # nobody has sent anything yet
