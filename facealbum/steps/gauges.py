"""How the installation as a whole stands, as metrics that are read from the database when somebody asks.

Every process that tells them tells the same; without a database only `facealbum_database_answers` is told, as 0,
so no number is ever an old one.
"""

import shutil
from collections.abc import Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from facealbum.errors import DatabaseUnavailableError
from facealbum.settings import Settings
from facealbum.storage.database import Database
from facealbum.storage.gauges import Gauges, load_gauges


def read_gauges(database: Database, settings: Settings) -> list[Metric]:
    """Everything that there is to tell right now."""
    there = [folder for folder in (settings.data_folder, *settings.data_folder.parents) if folder.exists()]
    free = _one("facealbum_data_free_bytes", "Room for the data folder.", shutil.disk_usage(there[0]).free)
    answers = "facealbum_database_answers", "Whether the database answers."
    try:
        with database.begin() as transaction:
            found = load_gauges(transaction)
    except DatabaseUnavailableError:
        return [free, _one(*answers, 0)]
    return [free, _one(*answers, 1), *_waiting(found), *_batches(found)]


def _waiting(found: Gauges) -> list[Metric]:
    return [
        _one("facealbum_pending_photos", "Photos that wait for analysis, counted up to 10,000.", found.pending),
        _one("facealbum_pending_age_seconds", "How long the oldest of them waits.", found.pending_age),
        _one("facealbum_outbox_messages", "Messages that wait to be sent, counted up to 10,000.", found.outbox),
        _one("facealbum_outbox_age_seconds", "How long the oldest of them waits.", found.outbox_age),
        _many("facealbum_parked_messages", "Messages that nobody could do.", ("queue", "code"), found.parked),
        _many("facealbum_photo_problems", "Photos that are not in albums, and why.", ("stage", "code"), found.problems),
    ]


def _batches(found: Gauges) -> list[Metric]:
    told: list[Metric] = [
        _many("facealbum_batches", "Monthly jobs that have not ended.", ("status",), found.batches),
        _one("facealbum_batch_age_seconds", "How long the oldest of them that is not paused runs.", found.batch_age),
        _many("facealbum_batch_families", "Families of them that were handed out.", ("status",), found.batch_families),
    ]
    if found.coverage is not None and found.coverage[1]:
        told.append(
            _one(
                "facealbum_last_batch_coverage_ratio",
                "Faces with a person, of all.",
                found.coverage[0] / found.coverage[1],
            )
        )
    if found.alarms is not None:
        told.append(_one("facealbum_last_batch_alarms", "Reasons to look at the last monthly job.", found.alarms))
    return told


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _many(
    name: str, about: str, labels: tuple[str, ...], found: Mapping[str, int] | Mapping[tuple[str, str], int]
) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in found.items():
        family.add_metric([key] if isinstance(key, str) else list(key), value)
    return family
