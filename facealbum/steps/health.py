"""What a process tells of itself: its metrics, whether it is alive, and whether it can work.

`alive` asks nobody else: a process that waits for its database is alive, and killing it would help nobody.  `ready`
asks those whom the work needs.  Answers hold codes and no values; they are kept for some seconds, so that asking often
costs the database nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from socket import create_connection
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from prometheus_client.metrics_core import Metric

from facealbum import metrics
from facealbum.errors import BrokerUnavailableError, FacealbumError, ModelNotInstalledError, StorageError
from facealbum.settings import Settings
from facealbum.steps.embedders import models_in_use
from facealbum.storage.database import Database, is_behind
from facealbum.storage.objects import ObjectStore
from models.registry import load_specs

Check = Callable[[], None]
"""Returns if what it asks after is well; raises an error of ours otherwise."""

_KEPT_SECONDS = 5.0
_PROBE = "readiness"  # need not be there
_PORT_SECONDS = 2.0
_PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
T = TypeVar("T")


class Pulse:
    """When a loop came round for the last time; it is stuck after `limit` seconds without."""

    def __init__(self, limit: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit, self._clock, self._last = limit, clock, clock()

    def beat(self) -> None:
        """The loop moves."""
        self._last = self._clock()

    @property
    def stuck(self) -> bool:
        """Whether it has not come round for too long."""
        return self._clock() - self._last > self._limit


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well, and the state of each subject: "ok", or the code of what is wrong."""

    fine: bool
    subjects: Mapping[str, str]


class _Kept(Generic[T]):
    """An answer that is asked for anew once it is some seconds old, by one caller at a time."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._until = 0.0
        self._answer: T

    def get(self) -> T:
        """The answer, `_KEPT_SECONDS` old at most."""
        with self._lock:
            if monotonic() >= self._until:
                self._answer = self._ask()
                self._until = monotonic() + _KEPT_SECONDS
            return self._answer


class Status:
    """What one process answers to /metrics, /healthz and /readyz.

    checks: whom its work needs; beside: whom it can do without for a while, told as well; pulse: that of its loop;
    gauges: what it tells of the installation as a whole.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        beside: Mapping[str, Check] = {},
        pulse: Pulse | None = None,
        gauges: Callable[[], list[Metric]] = list,
    ) -> None:
        self._pulse = pulse
        self._ready = _Kept(lambda: _look(checks, beside))
        self._gauges = _Kept(gauges)

    def metrics(self) -> bytes:
        """As Prometheus reads it."""
        return metrics.exposition(self._gauges.get())

    def alive(self) -> Health:
        """Whether the process does anything at all."""
        stuck = self._pulse is not None and self._pulse.stuck
        return Health(not stuck, {"loop": "stuck" if stuck else "ok"})

    def ready(self) -> Health:
        """Whether it could work now."""
        return self._ready.get()


def check_database(database: Database) -> None:
    """Raise DatabaseUnavailableError if it does not answer, StorageError if its schema is older than this release."""
    with database.begin() as transaction:
        if is_behind(transaction):
            raise StorageError(
                "the schema of the database must be at least that of this release; run facealbum migrate"
            )


def check_models(database: Database, settings: Settings) -> None:
    """Raise ModelNotInstalledError if this machine lacks a model that analysis runs."""
    with database.begin() as transaction:
        models_in_use(transaction, settings)
    for role, spec in load_specs().items():
        if not spec.file.exists():
            raise ModelNotInstalledError(f"the {role} model must be at {spec.file}; install facealbum again")


def check_objects(objects: ObjectStore) -> None:
    """Raise StorageError if the store does not answer; give it one of little patience."""
    objects.head(_PROBE)


def check_port(broker_url: str) -> None:
    """Raise BrokerUnavailableError if nobody listens where the broker must be; SQS is asked by those who send.

    That is all one can tell without the library of the queues.
    """
    parts = urlsplit(broker_url)
    port = parts.port or _PORTS.get(parts.scheme)
    if not (parts.hostname and port):
        return
    try:
        create_connection((parts.hostname, port), timeout=_PORT_SECONDS).close()
    except OSError as error:
        raise BrokerUnavailableError(f"the broker must listen at its address, got {type(error).__name__}") from error


def _look(checks: Mapping[str, Check], beside: Mapping[str, Check]) -> Health:
    subjects = {subject: _state(check) for subject, check in {**checks, **beside}.items()}
    return Health(all(subjects[subject] == "ok" for subject in checks), subjects)


def _state(check: Check) -> str:
    try:
        check()
    except FacealbumError as error:
        return error.code
    return "ok"
