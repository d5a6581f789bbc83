"""What a bucket tells through SQS is done once in effect, and leaves the queue when it is done.

Objects lie on a real S3 server, SeaweedFS.  It tells of nothing itself, so the tests send what S3 would; the queue is
moto's, an imitation of SQS in memory behind real HTTP, whose visibility timeouts and FIFO order are as documented.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from eval.stage.servers import free_ports
from facealbum.cli.commands import app
from facealbum.domain.ids import family_id
from facealbum.domain.photos import original_key
from facealbum.errors import BrokerUnavailableError, DatabaseUnavailableError, InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.events import bucket_of, look_again, take_events
from facealbum.steps.families import forget_family
from facealbum.steps.outbox import list_parked
from facealbum.steps.outbox import requeue as requeue_others
from facealbum.storage.event_queue import SqsEventQueue
from facealbum.storage.families import save_family
from facealbum.storage.objects import open_object_store
from facealbum.storage.photos import load_known_photos
from tests.integration.test_status import answer, told

FAMILY = family_id("Mori")
PATIENCE_SECONDS = 90


class Queue:
    """A queue of the imitation, standard or FIFO."""

    def __init__(self, name: str) -> None:
        self.client: Any = boto3.client("sqs")
        self.fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "false"} if name.endswith(".fifo") else {}
        self.url: str = self.client.create_queue(QueueName=name, Attributes=self.fifo)["QueueUrl"]
        self.sent = 0

    def send(self, body: str) -> None:
        self.sent += 1
        order = {"MessageGroupId": "photos", "MessageDeduplicationId": str(self.sent)} if self.fifo else {}
        self.client.send_message(QueueUrl=self.url, MessageBody=body, **order)

    def tell(self, key: str, event: str = "ObjectCreated:Put") -> None:
        about = {"bucket": {"name": "photos"}, "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}}
        self.send(json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": event, "s3": about}]}))

    def left(self) -> tuple[int, int]:
        """Messages that wait, and that somebody has."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(told[names[0]]), int(told[names[1]])


@pytest.fixture
def world(
    context: Context,
    s3_server: dict[str, str],
    sqs_server: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Context:
    """With a family, and objects below a prefix of the bucket."""
    for name, value in (s3_server | sqs_server).items():
        monkeypatch.setenv(name, value)
    with context.database.begin() as transaction:
        save_family(transaction, "Mori", now=context.clock())
    url = f"s3://photos/{tmp_path.name}"
    settings = context.settings.model_copy(update={"object_store": url})
    return replace(context, settings=settings, objects=open_object_store(url))


@pytest.fixture(params=["events", "events.fifo"])
def queue(world: Context, request: pytest.FixtureRequest) -> Iterator[Queue]:
    assert world
    opened = Queue(f"{abs(hash(request.node.nodeid))}-{request.param}")
    yield opened
    opened.client.delete_queue(QueueUrl=opened.url)


def take(world: Context, queue: Queue, *, stopped: Callable[[], bool] = lambda: False, seconds: int = 60) -> int:
    return take_events(
        world, SqsEventQueue(queue.url, seconds, wait_seconds=0), bucket_of(world.objects), stopped=stopped
    )


def names(world: Context) -> dict[str, bytes]:
    with world.database.begin() as transaction:
        found = load_known_photos(transaction, FAMILY)
    return {photo.key: world.objects.get(original_key(FAMILY, photo.sha256 or b"")) for photo in found}


def key_of(world: Context, name: str) -> str:
    """The whole key of an upload, as S3 sees it."""
    return f"{bucket_of(world.objects)[1]}families/{FAMILY}/uploads/{name}"


def upload(world: Context, name: str, content: bytes) -> None:
    world.objects.put(f"families/{FAMILY}/uploads/{name}", content)


def test_what_another_program_puts_into_the_bucket_becomes_a_photo(world: Context, queue: Queue) -> None:
    upload(world, "夏/a b+c.jpg", b"a")
    queue.send(json.dumps({"Event": "s3:TestEvent", "Bucket": "photos"}))
    for _ in range(2):
        queue.tell(key_of(world, "%E5%A4%8F%2Fa+b%2Bc.jpg"))
    assert take(world, queue) == 3
    assert names(world) == {"夏/a b+c.jpg": b"a"}
    assert queue.left() == (0, 0)
    assert list(world.objects.keys("")) == [original_key(FAMILY, sha256(b"a").digest())]


def test_a_deleted_original_takes_its_photo_along_and_late_events_change_nothing(world: Context, queue: Queue) -> None:
    upload(world, "a.jpg", b"a")
    queue.tell(key_of(world, "a.jpg"))
    take(world, queue)
    original = original_key(FAMILY, sha256(b"a").digest())
    whole = bucket_of(world.objects)[1] + original
    queue.tell(whole, "ObjectRemoved:Delete")
    take(world, queue)
    assert names(world) == {"a.jpg": b"a"}, "the object is there, whatever an old event says"
    world.objects.delete(original)
    queue.tell(whole, "ObjectCreated:Put")
    take(world, queue)
    assert names(world) == {}


def test_what_cannot_be_done_is_parked_and_can_be_taken_up_again(world: Context, queue: Queue) -> None:
    forget_id = family_id("Late")
    world.objects.put(f"families/{forget_id}/uploads/a.jpg", b"a")
    queue.send("{damaged")
    queue.tell(key_of(world, "b.jpg").replace(str(FAMILY), str(forget_id)).replace("b.jpg", "a.jpg"))
    upload(world, "c.jpg", b"c")
    queue.tell(key_of(world, "c.jpg"))
    while take(world, queue):
        pass
    assert queue.left() == (0, 0)
    assert names(world) == {"c.jpg": b"c"}
    assert sorted((one.queue, one.code) for one in list_parked(world)) == [
        ("events", "bad_message"),
        ("events", "unknown_family"),
    ]
    assert look_again(world) == 0
    with world.database.begin() as transaction:
        save_family(transaction, "Late", now=world.clock())
    assert requeue_others(world) == 0, "no worker has a queue for them"
    assert look_again(world) == 1
    assert [one.code for one in list_parked(world)] == ["bad_message"]
    forget_family(world, "Late")


def test_no_key_however_strange_keeps_the_next_one_from_being_taken(world: Context, queue: Queue) -> None:
    for key in ("a%00b.jpg", "%FF%FE.jpg", "%ED%A0%80.jpg", "x" * 1100, "../../a.jpg", "a//b.jpg", "clip.mp4#t=1", "%"):
        queue.tell(key_of(world, key))
    for body in ('{"Records": [{"eventName": "ObjectCreated:Put", "s3": "\\ud800"}]}', '"\\u0000"', "NaN"):
        queue.send(body)
    upload(world, "clip.mp4#t=1", b"like a frame")
    upload(world, "good.jpg", b"good")
    queue.tell(key_of(world, "good.jpg"))
    while take(world, queue):
        pass
    assert queue.left() == (0, 0)
    assert names(world) == {"good.jpg": b"good"}
    assert {one.code for one in list_parked(world)} >= {"bad_message", "bad_photo"}


def test_a_failure_that_may_pass_leaves_the_message_in_its_queue(world: Context, queue: Queue) -> None:
    upload(world, "a.jpg", b"a")
    queue.tell(key_of(world, "a.jpg"))
    with pytest.raises(DatabaseUnavailableError):
        take(replace(world, database=_Away()), queue, seconds=1)  # type: ignore[arg-type] - as much as is used
    assert sum(queue.left()) == 1
    assert not list_parked(world)
    wait_for(lambda: take(world, queue) == 1)
    assert names(world) == {"a.jpg": b"a"}


class _Away:
    """A database that does not answer."""

    def begin(self) -> object:
        raise DatabaseUnavailableError("away")


def test_a_process_that_is_told_to_stop_gives_back_what_it_has_not_begun(world: Context, queue: Queue) -> None:
    for number in range(3):
        upload(world, f"{number}.jpg", b"%d" % number)
        queue.tell(key_of(world, f"{number}.jpg"))
    assert take(world, queue, stopped=lambda: bool(names(world))) == 1
    assert queue.left() == (2, 0)


def test_a_message_is_nobody_else_s_while_it_is_worked_on(world: Context, queue: Queue) -> None:
    assert world
    queue.send("long work")
    mine = SqsEventQueue(queue.url, 3)
    (delivery,) = mine.receive()
    started = time.monotonic()
    with mine.kept([delivery]):
        wait_for(lambda: time.monotonic() - started > 4)
        assert queue.left() == (0, 1)
    mine.delete(delivery)
    assert queue.left() == (0, 0)


def test_a_queue_that_is_none_or_away_is_told_apart(world: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"{os.environ['AWS_ENDPOINT_URL_SQS']}/123456789012/nobody"
    with pytest.raises(InvalidValueError, match="FACEALBUM_EVENTS_QUEUE"):
        SqsEventQueue(nobody, 60).receive()
    with pytest.raises(InvalidValueError, match="FACEALBUM_EVENTS_QUEUE"):
        SqsEventQueue(nobody, 60).check()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
    with pytest.raises(BrokerUnavailableError) as caught:
        SqsEventQueue(nobody, 60).receive()
    assert caught.value.retryable
    with pytest.raises(InvalidValueError, match="s3://"):
        bucket_of(open_object_store(str(world.settings.data)))


def test_the_process_takes_events_until_it_is_told_to_stop(world: Context, database_url: str) -> None:
    queue = Queue(f"process-{os.getpid()}")
    environment = {
        **os.environ,
        "FACEALBUM_DATA": str(world.settings.data),
        "FACEALBUM_DATABASE_URL": database_url.replace("+psycopg2", ""),
        "FACEALBUM_OBJECT_STORE": str(world.settings.object_store),
        "FACEALBUM_EVENTS_QUEUE": queue.url,
        "FACEALBUM_STATUS_PORT": str(port := free_ports(1)[0]),
    }
    url = f"http://127.0.0.1:{port}"
    upload(world, "a.jpg", b"a")
    queue.tell(key_of(world, "a.jpg"))
    program = "import sys; from facealbum.cli import main; sys.argv[1:] = ['events']; main()"
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as process:
        wait_for(lambda: names(world) == {"a.jpg": b"a"} and queue.left() == (0, 0))
        assert answer(f"{url}/healthz") == (200, '{"loop": "ok"}')
        assert answer(f"{url}/readyz") == (200, '{"database": "ok", "objects": "ok", "queue": "ok"}')
        assert told(answer(f"{url}/metrics")[1])["facealbum_object_events_total", "registered"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_what_was_parked_is_taken_up_by_requeue_without_a_broker(
    world: Context, queue: Queue, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_family(world, "Mori")
    upload(world, "a.jpg", b"a")
    queue.tell(key_of(world, "a.jpg"))
    take(world, queue)
    with world.database.begin() as transaction:
        save_family(transaction, "Mori", now=world.clock())
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    monkeypatch.setenv("FACEALBUM_OBJECT_STORE", str(world.settings.object_store))
    answer = CliRunner().invoke(app, ["requeue", "--queue", "events", "--json"])
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"requeued": 1})
    assert names(world) == {"a.jpg": b"a"}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)
