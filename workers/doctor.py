"""What is wrong with the broker, its queues and who works on them: the rest of what `facealbum doctor` shows.

Each kind of broker has settings under which it loses messages without a word; those are looked at, not changed.
"""

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
    findings: list[Finding] = []
    for subject, look in (("broker", _broker), ("queues", _queues)):
        try:
            findings.extend(look(app, settings))
        except FacealbumError as error:
            findings.append(Finding(subject, fine=False, detail=str(error)))
            break
    return findings


def _broker(app: Celery, settings: Settings) -> Iterator[Finding]:
    scheme = urlsplit(settings.broker_url or "").scheme
    kind = next((kind for kind in _TRAPS if scheme.startswith(kind)), None)
    if kind is None:
        raise InvalidValueError(f"FACEALBUM_BROKER_URL must be an amqp, redis or sqs URL, got {scheme}://")
    check_broker_answers(app)
    with app.connection_for_read() as connection:
        yield Finding("broker", fine=True, detail=f"{connection.as_uri()} answers")
        for wrong in _TRAPS[kind](connection, settings):
            yield Finding("broker", fine=False, detail=wrong)


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
    channel: Any = connection.default_channel
    client = channel.sqs()
    for queue in TASKS:
        try:
            url = client.get_queue_url(QueueName=channel.canonical_queue_name(queue))["QueueUrl"]
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
        except ClientError as error:
            yield f"the queue {queue} must be there and readable, got {error.response['Error']['Code']}"
            continue
        if "RedrivePolicy" not in found:
            yield f"the queue {queue} must have a redrive policy: SQS hands out what kills its worker for ever"


_TRAPS: dict[str, Callable[[Connection, Settings], Iterator[str]]] = {
    "amqp": _rabbitmq_traps,
    "redis": _redis_traps,
    "sqs": _sqs_traps,
}


def _queues(app: Celery, _: Settings) -> Iterator[Finding]:
    """How many messages wait in each queue, and whether somebody works on it; SQS tells of no workers."""
    told = app.conf.worker_enable_remote_control
    answers = app.control.inspect(timeout=_ANSWER_SECONDS).active_queues() or {} if told else {}
    with app.connection_for_read() as connection:
        for queue in app.conf.task_queues:
            waiting = _length(queue, connection)
            workers = sum(queue.name in {one["name"] for one in listens} for listens in answers.values())
            idle = told and waiting and not workers
            by = f", {workers} workers" if told else ""
            yield Finding(
                f"queue {queue.name}",
                fine=not idle,
                detail=f"{waiting} messages wait{by}" + ("; start one: facealbum worker" if idle else ""),
            )


def _length(queue: Queue, connection: Connection) -> int:
    try:
        return int(queue(connection.channel()).queue_declare(passive=True).message_count)
    except (*connection.channel_errors, *connection.connection_errors):
        return 0  # nobody has sent anything yet
