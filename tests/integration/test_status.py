"""What a process answers to those who watch over it."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from socket import AF_INET, socket
from typing import Any
from urllib.error import HTTPError

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text, update

from eval.stage.servers import free_ports
from facealbum.clock import system_clock
from facealbum.domain.ids import FamilyId, family_id, photo_id
from facealbum.domain.messages import MatchFamily
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.status_server import status_served
from facealbum.steps.batches import start_batch, work_through
from facealbum.steps.context import Context
from facealbum.steps.gauges import read_gauges
from facealbum.steps.health import Check, Pulse, Status, check_database, check_models, check_objects, check_port
from facealbum.steps.outbox import park
from facealbum.storage.database import Database, is_behind, migrate, watch_database
from facealbum.storage.families import save_family
from facealbum.storage.gauges import load_gauges
from facealbum.storage.objects import S3ObjectStore
from facealbum.storage.outbox import save_messages
from facealbum.storage.photos import NewPhoto, save_photos
from facealbum.storage.queue_schema import batches
from tests.integration.album import add, shots
from tests.test_operations import described

NOWHERE = "postgresql://127.0.0.1:1/nowhere"


@contextmanager
def asked(status: Status) -> Iterator[str]:
    port = free_ports(1)[0]
    with status_served(status, port):
        yield f"http://127.0.0.1:{port}"


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as found:  # noqa: S310 - our own server
            return found.status, found.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def told(page: str) -> dict[tuple[str, ...], float]:
    """Every sample: its name, then the values of its labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_a_process_tells_its_metrics_its_life_and_whether_it_can_work(context: Context) -> None:
    checks: dict[str, Check] = {
        "database": partial(check_database, context.database),
        "models": partial(check_models, context.database, context.settings),
    }
    status = Status(checks, gauges=partial(read_gauges, context.database, context.settings))
    with asked(status) as url:
        assert answer(f"{url}/healthz") == (200, '{"loop": "ok"}')
        assert answer(f"{url}/readyz") == (200, '{"database": "ok", "models": "ok"}')
        code, page = answer(f"{url}/metrics")
        assert code == 200
        assert told(page)["facealbum_database_answers",] == 1
        assert answer(f"{url}/elsewhere")[0] == 404


def test_a_database_that_is_away_is_told_and_no_old_number_is(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url=NOWHERE)
    database = watch_database(settings.database_url, settings.data_folder)
    status = Status({"database": partial(check_database, database)}, gauges=partial(read_gauges, database, settings))
    with asked(status) as url:
        assert answer(f"{url}/healthz")[0] == 200
        code, page = answer(f"{url}/readyz")
        assert (code, json.loads(page)) == (503, {"database": "database_unavailable"})
        found = told(answer(f"{url}/metrics")[1])
    assert found["facealbum_database_answers",] == 0
    assert ("facealbum_pending_photos",) not in found


def test_an_object_store_that_does_not_answer_is_told_soon_and_without_its_address() -> None:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "nowhere"}
    away = S3ObjectStore("secret-bucket", patient=False, endpoint_url="http://127.0.0.1:9", **keys)
    health = Status({"objects": partial(check_objects, away)}).ready()
    assert (health.fine, health.subjects) == (False, {"objects": "object_store_unavailable"})


def test_whom_a_process_can_do_without_is_told_and_does_not_make_it_unready() -> None:
    broker = partial(check_port, "redis://:secret@127.0.0.1:9/0")
    health = Status({}, beside={"broker": broker}).ready()
    assert (health.fine, health.subjects) == (True, {"broker": "broker_unavailable"})
    assert not Status({"broker": broker}).ready().fine
    with socket(AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        heard = partial(check_port, f"amqp://127.0.0.1:{listening.getsockname()[1]}//")
        assert Status({"broker": heard}).ready().fine
    assert Status({"broker": partial(check_port, "sqs://")}).ready().fine


def test_a_loop_that_stands_still_is_not_alive() -> None:
    now = 0.0
    pulse = Pulse(30, lambda: now)
    status = Status({}, pulse=pulse)
    now = 31
    assert not status.alive().fine
    pulse.beat()
    assert status.alive().fine


def test_two_processes_can_not_answer_on_one_port() -> None:
    port = free_ports(1)[0]
    with (
        status_served(Status({}), port),
        pytest.raises(InvalidValueError, match="FACEALBUM_STATUS_PORT"),
        status_served(Status({}), port),
    ):
        pass


def test_a_newer_schema_is_ready_and_an_older_one_is_not(database: Database, database_url: str) -> None:
    watched = watch_database(database_url, Path())
    set_revision(database, "0001")
    assert Status({"database": partial(check_database, watched)}).ready().subjects == {"database": "storage"}
    set_revision(database, "9999_of_a_newer_release")
    assert Status({"database": partial(check_database, watched)}).ready().fine
    migrate(database)
    with database.begin() as transaction:
        assert not is_behind(transaction)


def set_revision(database: Database, revision: str) -> None:
    with database.begin() as transaction:
        transaction.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


def test_the_gauges_tell_what_waits_and_what_went_wrong(context: Context) -> None:
    an_hour_ago = system_clock() - timedelta(hours=1)
    family = registered(context, "Mori", photos=3, at=an_hour_ago)
    with context.database.begin() as transaction:
        save_messages(transaction, [MatchFamily(family)], now=an_hour_ago)
    park(context, "matching", MatchFamily(family).to_json(), error=("killed", "somebody died"), attempts=5)
    found = gauges(context)
    assert found["facealbum_pending_photos",] == 3
    assert found["facealbum_outbox_messages",] == 1
    assert found["facealbum_parked_messages", "matching", "killed"] == 1
    assert 3600 <= found["facealbum_pending_age_seconds",] < 7200
    assert 3600 <= found["facealbum_outbox_age_seconds",] < 7200
    assert found["facealbum_data_free_bytes",] > 0


def test_the_gauges_tell_of_a_monthly_job_while_it_runs_and_when_it_is_done(context: Context) -> None:
    assert ("facealbum_last_batch_alarms",) not in gauges(context)
    add(context, shots(months=2, a_month=6))
    batch = start_batch(context, Month(2026, 10))
    assert gauges(context)["facealbum_batches", "running"] == 1
    work_through(context, batch)
    found = gauges(context)
    assert found["facealbum_last_batch_coverage_ratio",] > 0.9
    assert found["facealbum_last_batch_alarms",] == 0
    assert ("facealbum_batches", "running") not in found
    labels = {one.name: set(getattr(one, "_labelnames", ())) for one in read_gauges(context.database, context.settings)}
    assert len(labels) >= 13
    assert {name: described()[name] for name in labels} == labels


def test_a_summary_of_another_release_keeps_no_gauge_from_being_told(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    work_through(context, start_batch(context, Month(2026, 10)))
    for summary in ({}, {"coverage": {}}, None):
        with context.database.begin() as transaction:
            transaction.execute(update(batches).values(summary=summary))
        found = gauges(context)
        assert found["facealbum_database_answers",] == 1
        assert ("facealbum_last_batch_coverage_ratio",) not in found


def gauges(context: Context) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in read_gauges(context.database, context.settings)
        for sample in metric.samples
    }


def test_the_gauges_read_no_large_table_from_end_to_end(context: Context) -> None:
    family = registered(context, "Mori", photos=20, at=system_clock())
    many = text(
        "INSERT INTO photos (family_id, photo_id, key, sha256, taken_at, taken_at_source, status, created_at)"
        " SELECT :family, gen_random_uuid(), n::text, sha256(n::text::bytea), now(), 'file', 'analysed', now()"
        " FROM generate_series(1, 20000) AS n"
    )
    asked: list[tuple[str, Any]] = []
    with context.database.begin() as transaction:
        transaction.execute(many, {"family": family})
        transaction.execute(text("ANALYZE photos"))
        event.listen(transaction, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        load_gauges(transaction)
        plans = [
            "\n".join(transaction.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
            for statement, values in list(asked)
            if statement.startswith("SELECT")
        ]
    assert any("photos_pending_since_idx" in plan for plan in plans)
    assert not [plan for plan in plans if "Seq Scan on photos" in plan or " faces" in plan]


def registered(context: Context, name: str, *, photos: int, at: datetime) -> FamilyId:
    family = family_id(name)
    with context.database.begin() as transaction:
        save_family(transaction, name, now=at)
        new = [
            NewPhoto(photo_id(family, f"{number}.jpg"), f"{number}.jpg", bytes([number]) * 32, 9, at, "file")
            for number in range(photos)
        ]
        save_photos(transaction, family, new, now=at)
    return family
