"""The Celery application.  JSON only; a message leaves its queue when its work is done, and not before.

Every setting below answers a way in which workers lose work or hang; docs/workers.md tells each, and tests hold them.
"""

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu.entity import Exchange, Queue

from facealbum.domain.messages import Maintain
from facealbum.settings import Settings, load_settings

TASKS = {
    "analysis": "workers.analysis.analyze_family",
    "matching": "workers.matching.match_family",
    "clustering": "workers.clustering.cluster_family",
    "evaluation": "workers.evaluation.evaluate_batch",
    "maintenance": "workers.maintenance.relay_outbox",
}
"""The one task of each queue.  The names travel with the messages: a renamed task loses what is on its way."""

_RECONCILE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 60
_KILLED_AFTER = 1.2  # of the time after which a task is asked to stop
_KILOBYTES_OF_MB = 1000
_ADVANCE_SECONDS = 2
SILENCE_SECONDS = 10
"""A broker that takes connections and does not answer for so long is away; otherwise it is waited for without end."""

_DUE_SECONDS = 60
_REEMBED_SECONDS = 5
_DASHBOARD_SECONDS = 60
_REQUESTS_SECONDS = 3600
_PAST_SECONDS = 3600
# By itself RabbitMQ drops a message that it has handed out 20 times, and takes one back after half an hour; attempts
# and time are counted in workers.task.  A queue that is there refuses other arguments: these depend on no setting.
_QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000, "x-consumer-timeout": 48 * 3_600_000}
# RabbitMQ's own delays, which waiting attempts use, don't work with a direct exchange.
_TOPIC = Exchange("facealbum", type="topic", durable=True)
# Redis keeps the bindings of an exchange as data; one that lost its data would drop what is sent to any but this one.
_NONE = Exchange("", type="direct")


def longest_wait(settings: Settings) -> int:
    """How many seconds a message waits at most for its next attempt."""
    return int(min(_LONGEST_WAIT_SECONDS, settings.task_seconds))


def make_app(settings: Settings) -> Celery:
    """An application on the broker of these settings."""
    scheme = urlsplit(settings.broker_url or "").scheme
    app = Celery("facealbum", broker=settings.broker_url, include=[name.rsplit(".", 1)[0] for name in TASKS.values()])
    app.conf.update(_messages(settings, scheme), **_work(settings), **_beat(settings))
    return app


def _messages(settings: Settings, scheme: str) -> dict[str, Any]:
    """How messages travel."""
    exchange, arguments = (_TOPIC, _QUORUM) if scheme.startswith("amqp") else (_NONE, None)
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "result_backend": None,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker whose broker is away for long goes on waiting
        "broker_transport_options": _transport(settings, scheme),
        "task_create_missing_queues": False,
        "task_default_queue": "maintenance",
        "task_queues": [Queue(name, exchange, routing_key=name, queue_arguments=arguments) for name in TASKS],
        "task_routes": {task: {"queue": queue} for queue, task in TASKS.items()},
        "worker_enable_remote_control": scheme != "sqs",
    }


def _transport(settings: Settings, scheme: str) -> dict[str, Any]:
    if scheme.startswith("amqp"):
        return {"confirm_publish": True, "connect_timeout": 5}
    # Redis and SQS hand a message out again that nobody has acknowledged for this long.  It may first wait for its
    # next attempt, then for a process that is still busy with another one, and then it is worked on.
    unseen = longest_wait(settings) + 2 * settings.task_seconds * _KILLED_AFTER
    if scheme == "sqs":
        # Calls that wait cost less; what a worker hands back stays hidden for as long as a call waits, so not the most.
        polls = {"wait_time_seconds": 10, "polling_interval": 0.2}
        return {"visibility_timeout": int(unseen) + 1, "queue_name_prefix": "facealbum-", **polls}
    if scheme.startswith("redis"):
        looks = {"unacked_restore_interval": 5, "unacked_restore_throttle": 1}
        patience = {"socket_connect_timeout": 5, "socket_timeout": SILENCE_SECONDS, "socket_keepalive": True}
        return {"visibility_timeout": unseen, **patience, **looks}
    return {}


def _work(settings: Settings) -> dict[str, Any]:
    """How tasks are worked on."""
    return {
        "task_acks_late": True,
        "task_acks_on_failure": True,  # what fails is parked first (workers.task)
        "task_acks_on_timeout": False,
        "task_reject_on_worker_lost": True,
        "task_soft_time_limit": settings.task_seconds,
        "task_time_limit": settings.task_seconds * _KILLED_AFTER,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # work that is nearly done is kept
        "worker_concurrency": settings.processes or None,
        "worker_max_memory_per_child": settings.worker_memory_mb * _KILOBYTES_OF_MB,
        "worker_prefetch_multiplier": 1,
        "worker_proc_alive_timeout": 120,  # at the default of 4 s, a process that starts slowly is killed for ever
        "worker_soft_shutdown_timeout": settings.worker_stop_seconds,
    }


def _beat(settings: Settings) -> dict[str, Any]:
    """What is sent by the clock; a message that nobody takes before the next one is due goes away."""
    return {
        "timezone": "UTC",
        "beat_schedule": {
            "relay": _every(settings.relay_seconds, "relay"),
            "advance": _every(_ADVANCE_SECONDS, "advance"),
            "start_month": _every(_DUE_SECONDS, "start_month"),  # it looks whether a month is due, or was missed
            "reconcile": _every(_RECONCILE_SECONDS, "reconcile"),
            "reembed": _every(_REEMBED_SECONDS, "reembed"),  # nothing to do unless one was started
            "dashboard": _every(_DASHBOARD_SECONDS, "dashboard"),
            "requests": _every(_REQUESTS_SECONDS, "requests"),
            "past": _every(_PAST_SECONDS, "past"),
        },
        "beat_schedule_filename": str(settings.data_folder / "beat-schedule"),
        "beat_sync_every": 1,  # a beat that is killed remembers what it has sent
    }


def _every(seconds: float, job: str) -> dict[str, Any]:
    return {
        "task": TASKS["maintenance"],
        "schedule": seconds,
        "args": (Maintain(job).to_json(),),
        "options": {"expires": seconds},
    }


app = make_app(load_settings())
