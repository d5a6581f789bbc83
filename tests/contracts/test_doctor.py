"""The doctor finds what each kind of broker does to messages without a word, on real servers of that kind."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from celery import Celery

from facealbum.settings import Settings
from workers.app import TASKS, make_app
from workers.doctor import examine_queues

OLD_RABBITMQ = (3, 12)


def settings(broker_url: str, *, task_seconds: float = 4) -> Settings:
    return Settings(broker_url=broker_url, task_seconds=task_seconds)


def wrong(found: Settings, subject: str = "broker") -> list[str]:
    """What is wrong, cut down to what was expected."""
    details = [one.detail for one in examine_queues(found) if not one.fine and one.subject == subject]
    return [detail.split(", got")[0] for detail in details]


def declare_queues(app: Celery) -> None:
    """As the first worker does."""
    with app.connection_for_write() as connection:
        for queue in app.conf.task_queues:
            bound = queue(connection.default_channel)
            bound.declare()
            if connection.transport.driver_type != "sqs":
                bound.purge()


@contextmanager
def configured(broker_url: str, **values: str) -> Iterator[None]:
    """Redis with these settings during the block."""
    client = redis.Redis.from_url(broker_url.replace("redis+socket", "unix"), decode_responses=True)
    names = [name.replace("_", "-") for name in values]
    before = client.config_get(*names)
    try:
        for name, value in zip(names, values.values(), strict=True):
            client.config_set(name, value)
        yield
    finally:
        for name, value in before.items():
            client.config_set(name, value)
        client.close()


@pytest.mark.parametrize("broker_url", ["valkey", "redis"], indirect=True)
def test_a_redis_that_may_drop_messages_is_told(broker_url: str) -> None:
    here = settings(broker_url)
    with configured(broker_url, appendonly="no", maxmemory="0", maxmemory_policy="allkeys-lru"):
        assert wrong(here) == ["appendonly must be yes"]
    with configured(broker_url, appendonly="yes", maxmemory="100mb", maxmemory_policy="allkeys-lru"):
        assert wrong(here) == ["maxmemory-policy must be noeviction"]
    with configured(broker_url, appendonly="yes", maxmemory="100mb", maxmemory_policy="noeviction"):
        assert wrong(here) == []


@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_a_rabbitmq_that_takes_long_tasks_back_is_told(broker_url: str) -> None:
    with make_app(settings(broker_url)).connection_for_read() as connection:
        version = str(connection.connection.server_properties["version"])
    old = tuple(map(int, version.split(".")[:2])) < OLD_RABBITMQ
    assert wrong(settings(broker_url, task_seconds=900)) == []
    assert bool(wrong(settings(broker_url, task_seconds=901))) == old


@pytest.mark.parametrize("broker_url", ["sqs"], indirect=True)
def test_queues_that_sqs_does_not_have_are_told(broker_url: str) -> None:
    here = settings(broker_url)
    assert wrong(here) == [f"the queue {queue} must be there and readable" for queue in TASKS]
    declare_queues(make_app(here))
    assert wrong(here) == []


def test_messages_that_nobody_works_on_are_told(broker_url: str) -> None:
    app = make_app(settings(broker_url))
    declare_queues(app)
    for _ in range(2):
        app.send_task(TASKS["matching"], args=[{}], queue="matching")
    found = {one.subject: one for one in examine_queues(settings(broker_url))}
    assert found["queue matching"].detail.startswith("2 messages wait")
    assert found["queue matching"].fine == broker_url.startswith("sqs"), "SQS does not tell of workers"
    assert found["queue analysis"].fine
    declare_queues(app)


def test_a_broker_that_is_away_or_none_is_one_finding() -> None:
    (only,) = examine_queues(settings("redis://127.0.0.1:1/0"))
    assert (only.subject, only.fine) == ("broker", False)
    (only,) = examine_queues(settings("kafka://somewhere"))
    assert "must be an amqp, redis or sqs URL" in only.detail
    assert not examine_queues(Settings())
