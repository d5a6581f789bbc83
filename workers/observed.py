"""What operators see of Celery's processes: their events, their counts, and what they answer on the status port.

The parent of a worker's pool answers for all of it, from a thread; it asks the database for nothing but readiness, and
keeps no connection, so its children inherit none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from billiard.process import current_process
from celery import Celery, bootsteps, signals
from celery.beat import PersistentScheduler
from celery.exceptions import Reject, Retry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from structlog.contextvars import bound_contextvars

from facealbum import metrics
from facealbum.domain.messages import NO_FAMILY, family_of
from facealbum.errors import BrokerUnavailableError
from facealbum.logs import configure_logs, get_logger
from facealbum.settings import Settings, load_settings
from facealbum.status_server import status_served
from facealbum.steps.gauges import read_gauges
from facealbum.steps.health import Check, Pulse, Status, check_database, check_models, check_objects
from facealbum.storage.database import watch_database
from facealbum.storage.objects import open_object_store

_log = get_logger(__name__)
_TICK_SECONDS = 5
STUCK_SECONDS = 60
"""A loop that has not come round for so long is stuck."""


class _WorkerLoop(Pulse):
    """The loop of the parent of a worker's pool, which stands still while there is no broker, and may."""

    consumer: Any = None

    @property
    def connected(self) -> bool:
        """Whether it listens to its queues."""
        return self.consumer is not None and self.consumer.connection is not None

    @property
    def stuck(self) -> bool:
        """Whether it has queues to listen to, and does not come round."""
        return self.connected and super().stuck


_worker_loop = _WorkerLoop(STUCK_SECONDS)
_beat_loop = Pulse(STUCK_SECONDS)


class Tick(bootsteps.StartStopStep):
    """Has the worker's loop tell that it moves, from each connection to the broker on."""

    requires = ("celery.worker.consumer.connection:Connection",)
    timer: Any = None

    def start(self, consumer: Any) -> None:  # noqa: ANN401 - Celery has no types
        """The connection is there."""
        self.stop(consumer)
        _worker_loop.consumer = consumer
        _worker_loop.beat()
        self.timer = consumer.timer.call_repeatedly(_TICK_SECONDS, _worker_loop.beat)

    def stop(self, _: object) -> None:
        """The connection goes."""
        if self.timer is not None:
            self.timer.cancel()


class Scheduler(PersistentScheduler):
    """Beat's own, which tells that it moves."""

    def tick(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Celery has no types
        """Send what is due."""
        _beat_loop.beat()
        return min(super().tick(*args, **options), _TICK_SECONDS)


@signals.setup_logging.connect
def _log_our_way(**_: object) -> None:
    configure_logs(load_settings().logs)


@signals.worker_process_init.connect
def _count_apart(**_: object) -> None:
    metrics.take_place(str(current_process().index))


@contextmanager
def worker_status(app: Celery, settings: Settings, *, analyses: bool) -> Iterator[None]:
    """Answer for a worker during the block, if a port is set; `analyses` if it needs models."""
    if not settings.status_port:
        yield
        return
    app.steps["consumer"].add(Tick)
    with watch_database(settings.database_url, settings.data_folder) as database:
        checks: dict[str, Check] = {
            "database": partial(check_database, database),
            "objects": partial(check_objects, open_object_store(settings.object_store_url, patient=False)),
            "broker": _check_worker,
        }
        if analyses:
            checks["models"] = partial(check_models, database, settings)
        status = Status(checks, pulse=_worker_loop, gauges=_worker_gauges)
        with status_served(status, settings.status_port):
            yield


@contextmanager
def sender_status(app: Celery, settings: Settings, pulse: Pulse = _beat_loop) -> Iterator[None]:
    """Answer during the block, if a port is set, for a process that sends: beat, or one with a loop of its own."""
    if not settings.status_port:
        yield
        return
    with watch_database(settings.database_url, settings.data_folder) as database:
        checks: dict[str, Check] = {
            "database": partial(check_database, database),
            "broker": partial(check_broker_answers, app),
        }
        status = Status(checks, pulse=pulse, gauges=partial(read_gauges, database, settings))
        with status_served(status, settings.status_port):
            yield


def check_broker_answers(app: Celery) -> None:
    """Raise BrokerUnavailableError if the broker takes no connection."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:  # each transport has errors of its own
        raise BrokerUnavailableError(
            f"the broker must answer at {app.connection_for_write().as_uri()}, got {type(error).__name__}"
        ) from error


def _check_worker() -> None:
    if not _worker_loop.connected or _worker_loop.stuck:
        raise BrokerUnavailableError("the worker is not connected to its broker")


def _worker_gauges() -> list[Metric]:
    """The processes that wait for work of each queue; none while the broker is away."""
    told = GaugeMetricFamily("facealbum_worker_processes", "Processes that work on a queue.", labels=["queue"])
    consumer = _worker_loop.consumer
    queues = consumer.app.amqp.queues.consume_from if consumer else ()
    processes = consumer.pool.num_processes if _worker_loop.connected else 0
    told.samples = [Sample(told.name, {"queue": queue}, processes) for queue in queues]
    return [told]


@dataclass(slots=True)
class Ended:
    """How a task ended, as it says itself; one that does not get that far was stopped."""

    outcome: str = "stopped"


@contextmanager
def observed(queue: str, message: object, request: Any) -> Iterator[Ended]:  # noqa: ANN401 - Celery has no types
    """Count and log one task; the ids of its message are told with every event inside."""
    family = family_of(message)
    ids = {} if family == NO_FAMILY else {"family_id": str(family)}
    start, ended = perf_counter(), Ended()
    with bound_contextvars(queue=queue, task_id=request.id, attempt=request.retries + 1, **ids):
        try:
            yield ended
        except Retry:
            ended.outcome = "retried"
            raise
        except Reject:
            ended.outcome = "returned"
            raise
        finally:
            seconds = perf_counter() - start
            metrics.TASKS.labels(queue, ended.outcome).inc()
            metrics.TASK_SECONDS.labels(queue).observe(seconds)
            _log.info("task_ended", outcome=ended.outcome, seconds=round(seconds, 3))
