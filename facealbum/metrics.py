"""What the processes count, for Prometheus; docs/operations lists every metric.

Labels are of few values each: queues, outcomes, phases, never an id or a name.  The processes of one worker's pool
count together where FACEALBUM_STATUS_PORT is set: each place in the pool has a file, which its next process goes on
with, so a process that is replaced takes nothing along and leaves nothing behind.
"""

import os
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder of the files; set before this module is imported, or not at all."""

_TASK_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)

_place_in_pool = {"name": "parent"}
_FOLDER = os.environ.get(FOLDER_VARIABLE)
if _FOLDER:
    values.ValueClass = values.MultiProcessValue(lambda: _place_in_pool["name"])  # type: ignore[no-untyped-call]

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter tells nothing new
REGISTRY = CollectorRegistry()

TASKS = Counter("facealbum_tasks", "Tasks that ended.", ("queue", "outcome"), registry=REGISTRY)
TASK_SECONDS = Histogram(
    "facealbum_task_seconds", "Time that tasks took.", ("queue",), registry=REGISTRY, buckets=_TASK_SECONDS
)
PHOTOS = Counter("facealbum_photos", "Photos and videos that were looked at.", ("outcome",), registry=REGISTRY)
FACES = Counter("facealbum_faces_found", "Faces that analysis kept.", registry=REGISTRY)
PHASE_SECONDS = Counter("facealbum_phase_seconds", "Where the time of the work went.", ("phase",), registry=REGISTRY)
RELAYED = Counter("facealbum_messages_relayed", "Messages given to the broker.", ("queue",), registry=REGISTRY)
RELAY_FAILURES = Counter(
    "facealbum_relay_failures", "Times that the relay got no further.", ("code",), registry=REGISTRY
)
OBJECT_EVENTS = Counter("facealbum_object_events", "Objects that were looked at.", ("outcome",), registry=REGISTRY)
UPLOADS = Counter("facealbum_uploads", "Photos that came in over HTTP.", ("way", "outcome"), registry=REGISTRY)
ProcessCollector(registry=REGISTRY)


def take_place(name: str) -> None:
    """Count as this process of the pool from now on; no two that run at once may take the same."""
    _place_in_pool["name"] = name


def exposition(read: Iterable[Metric] = ()) -> bytes:
    """Everything counted here, and the metrics given, as Prometheus reads it."""
    shown = CollectorRegistry(auto_describe=False)
    if _FOLDER:
        MultiProcessCollector(shown, _FOLDER)  # type: ignore[no-untyped-call]
        ProcessCollector(registry=shown)
    else:
        shown.register(_Shown(REGISTRY.collect()))
    shown.register(_Shown([_build(), *read]))
    return generate_latest(shown)


class _Shown(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _build() -> Metric:
    build = GaugeMetricFamily("facealbum_build_info", "The release that runs.", labels=["version"])
    build.add_metric([version("facealbum")], 1)
    return build
