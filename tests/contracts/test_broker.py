"""What the queues guarantee, on every broker: each message is worked on, or parked with its reason; none is lost.

The workers are processes of their own, as in production; `probe.py` gives them a task that does what it is told.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from sqlalchemy import func, select

from facealbum import demo
from facealbum.domain.ids import FamilyId, PhotoId, family_id, photo_id
from facealbum.domain.messages import AnalyzeFamily, ClusterFamily, MatchFamily
from facealbum.domain.months import Month
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.imports import import_folder
from facealbum.steps.outbox import list_parked, relay
from facealbum.storage.outbox import save_messages
from facealbum.storage.photos import count_photos, load_problems
from facealbum.storage.schema import photos as photo_rows
from tests.broker_server import Valkey
from workers.app import TASKS, make_app

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("probe.py")
PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
PATIENCE_SECONDS = 180


class Queues:
    """A broker, its workers, and what they did."""

    def __init__(self, app: Celery, environment: dict[str, str], folder: Path) -> None:
        self.app = app
        self.environment = environment
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str] = (sys.executable, str(PROBE), ",".join(TASKS))) -> subprocess.Popen[bytes]:
        """One more process, by itself a worker on all queues."""
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        with log:
            worker = subprocess.Popen(
                list(command),
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def send(self, task: str, message: object, queue: str) -> None:
        """Put one message into a queue."""
        self.app.send_task(task, args=[message], queue=queue)

    def ask(self, act: str) -> None:
        """Have the probe do this."""
        self.send("probe", {"version": 1, "act": act, "calls": str(self.folder / "calls")}, "matching")

    def relay(self, context: Context) -> None:
        """Send what waits in the outbox."""
        relay(context, lambda one: self.send(TASKS[one.queue], one.message, one.queue))

    def calls(self, act: str) -> int:
        """How often the probe began to do it."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines().count(act) if path.exists() else 0

    def waiting(self) -> int:
        """Messages in the queues that no worker has."""
        with self.app.connection_for_read() as connection:
            channel = connection.default_channel
            return sum(queue(channel).queue_declare().message_count for queue in self.app.conf.task_queues)

    def unacknowledged(self) -> int:
        """Messages of Redis that a worker has, or is just about to be done with."""
        with self.app.connection_for_read() as connection:
            return int(connection.default_channel.client.hlen("unacked"))

    def empty(self) -> None:
        """Forget what earlier tests left, in Redis also what a killed worker had in its hands."""
        with self.app.connection_for_write() as connection:
            if connection.transport.driver_type == "redis":
                connection.default_channel.client.flushdb()
            for queue in self.app.conf.task_queues:
                bound = queue(connection.default_channel)
                bound.declare()
                if connection.transport.driver_type != "sqs":  # whose queues come empty (tests.broker_server)
                    bound.purge()

    def logs(self) -> str:
        """What the workers said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("worker-*.log")))


def kill(worker: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the worker and its processes at once, as when a machine goes."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


@pytest.fixture
def queues(broker_url: str, context: Context, database_url: str, tmp_path: Path) -> Iterator[Queues]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEALBUM_")} | {
        "FACEALBUM_BROKER_URL": broker_url,
        "FACEALBUM_DATA": str(context.settings.data),
        "FACEALBUM_DATABASE_URL": database_url.replace("+psycopg2", ""),
        "FACEALBUM_OBJECT_STORE": str(context.settings.object_store),
        "FACEALBUM_TASK_ATTEMPTS": "3",
        "FACEALBUM_TASK_SECONDS": "4",
        "FACEALBUM_WORKER_STOP_SECONDS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    found = Queues(make_app(Settings(broker_url=broker_url, task_seconds=4)), environment, tmp_path)
    found.empty()
    yield found
    for worker in found.workers:
        if worker.poll() is None:
            kill(worker)


def eventually(queues: Queues, holds: Callable[[], Any]) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.05)
    pytest.fail(f"it never came: {queues.logs()[-4000:]}")


def test_a_message_is_delivered_and_its_queue_is_empty_afterwards(queues: Queues) -> None:
    worker = queues.start()
    queues.ask("note")
    eventually(queues, lambda: queues.calls("note"))
    worker.terminate()
    worker.wait(PATIENCE_SECONDS)
    assert queues.waiting() == 0
    assert queues.calls("note") == 1


def test_a_message_whose_machine_goes_is_done_by_another(queues: Queues) -> None:
    worker = queues.start()
    queues.ask("wait once")
    eventually(queues, lambda: queues.calls("wait once"))
    kill(worker)
    queues.start()
    eventually(queues, lambda: queues.calls("wait once") == 2)


@pytest.mark.parametrize("broker_url", ["valkey"], indirect=True)
def test_a_worker_outlives_its_broker(queues: Queues, valkey: Valkey) -> None:
    worker = queues.start()
    queues.ask("note")
    eventually(queues, lambda: queues.calls("note") and not queues.unacknowledged())
    valkey.kill()
    valkey.start()
    queues.ask("note")
    eventually(queues, lambda: queues.calls("note") == 2)
    assert worker.poll() is None


def test_a_worker_that_is_told_to_stop_hands_back_what_it_can_not_finish(queues: Queues) -> None:
    worker = queues.start()
    queues.ask("wait once")
    eventually(queues, lambda: queues.calls("wait once"))
    worker.terminate()
    worker.wait(PATIENCE_SECONDS)
    eventually(queues, lambda: queues.waiting() == 1)  # SQS hides it for some seconds more


def test_an_error_that_passes_is_tried_again(queues: Queues, context: Context) -> None:
    queues.start()
    queues.ask("pass once")
    eventually(queues, lambda: queues.calls("pass once") == 2)
    assert not list_parked(context)


def test_what_nobody_can_do_is_parked_with_its_reason_and_the_queue_goes_on(queues: Queues, context: Context) -> None:
    queues.start()
    family = str(family_id("Mori"))
    for act in ("refuse", "crash", "die", "wait", "hang"):
        queues.ask(act)
    for message in ({"version": 99, "family_id": family}, {"version": 1}, "no message"):
        queues.send(TASKS["analysis"], message, "analysis")
    queues.ask("note")
    eventually(queues, lambda: len(list_parked(context)) == 8)
    parked = [(one.message["act"], one.code, one.attempts) for one in list_parked(context, queue="matching")]
    assert sorted(parked) == [
        ("crash", "crashed", 1),
        ("die", "killed", 3),
        ("hang", "killed", 3),  # deaf to the request to stop
        ("refuse", "storage", 1),
        ("wait", "time_limit", 3),
    ]
    assert [queues.calls(act) for act, _, _ in sorted(parked)] == [attempts for _, _, attempts in sorted(parked)]
    assert sorted(one.code for one in list_parked(context, queue="analysis")) == [
        "bad_message",
        "bad_message",
        "unknown_version",
    ]
    assert "Mori" not in json.dumps([[one.code, one.detail] for one in list_parked(context)]) + queues.logs()
    assert queues.calls("note") == 1


@pytest.mark.parametrize("broker_url", ["valkey"], indirect=True)
def test_what_can_not_even_be_parked_is_tried_until_it_can(queues: Queues) -> None:
    queues.environment["FACEALBUM_DATABASE_URL"] = "postgresql://127.0.0.1:1/nowhere"
    queues.start()
    queues.ask("refuse")
    eventually(queues, lambda: queues.calls("refuse") > int(queues.environment["FACEALBUM_TASK_ATTEMPTS"]))


def test_a_message_sent_twice_has_one_effect_and_its_old_form_is_read(
    queues: Queues, context: Context, tmp_path: Path
) -> None:
    family, _ = register(context, tmp_path / "in", 1)
    old = {"version": 1, "family_id": str(family)}
    for message in (old, old, AnalyzeFamily(family, again=True).to_json()):
        queues.send(TASKS["analysis"], message, "analysis")
    queues.send(TASKS["clustering"], ClusterFamily(family, Month(2030, 1)).to_json(), "clustering")
    queues.start()
    eventually(queues, lambda: queues.relay(context) or photos(context) == {"analysed": 1})
    queues.ask("note")
    eventually(queues, lambda: queues.calls("note"))
    assert not list_parked(context)


def test_a_photo_that_kills_its_process_is_set_aside_alone(queues: Queues, context: Context, tmp_path: Path) -> None:
    family, names = register(context, tmp_path / "in", 8)
    queues.environment |= {"FACEALBUM_TASK_ATTEMPTS": "5", "FACEALBUM_TASK_SECONDS": "60", "PROBE_DEADLY": "4.jpg"}
    queues.send(TASKS["analysis"], AnalyzeFamily(family, photo_ids=names).to_json(), "analysis")
    queues.start()
    eventually(queues, lambda: photos(context) == {"analysed": 7, "failed": 1})
    with context.database.begin() as transaction:
        assert [(one.photo, one.code) for one in load_problems(transaction)] == [("4.jpg", "analysis_crashed")]
    assert not list_parked(context)


@pytest.mark.parametrize("broker_url", ["valkey"], indirect=True)
def test_a_worker_that_is_told_to_stop_counts_no_attempt_against_its_photos(
    queues: Queues, context: Context, tmp_path: Path
) -> None:
    family, names = register(context, tmp_path / "in", 250)  # more than it can do while it stops
    queues.environment |= {"FACEALBUM_WORKER_STOP_SECONDS": "0.1", "FACEALBUM_TASK_SECONDS": "60"}
    queues.send(TASKS["analysis"], AnalyzeFamily(family, photo_ids=names).to_json(), "analysis")
    worker = queues.start()
    eventually(queues, lambda: "analysed" in photos(context))
    worker.terminate()
    worker.wait(PATIENCE_SECONDS)
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.max(photo_rows.c.attempts))).scalar_one() == 0
    assert photos(context)["pending"]
    assert queues.waiting() == 1


@pytest.mark.parametrize("broker_url", ["valkey"], indirect=True)
def test_the_relay_waits_for_its_broker_and_ends_when_it_is_told_to(
    queues: Queues, context: Context, valkey: Valkey
) -> None:
    valkey.kill()
    with context.database.begin() as transaction:
        save_messages(transaction, [MatchFamily(family_id("Mori"))] * 3, now=context.clock())
    relaying = queues.start([sys.executable, "-c", "from facealbum.cli import main; main()", "relay"])
    eventually(queues, lambda: "broker_unavailable" in queues.logs())
    valkey.start()
    eventually(queues, lambda: queues.waiting() == 3)
    relaying.terminate()
    assert relaying.wait(PATIENCE_SECONDS) == 0


def register(context: Context, folder: Path, many: int) -> tuple[FamilyId, tuple[PhotoId, ...]]:
    """A family with so many photos that wait for analysis."""
    folder.mkdir()
    for number in range(many):
        (folder / f"{number}.jpg").write_bytes(PORTRAIT.read_bytes() + bytes([number]))
    import_folder(context, folder, "Mori")
    family = family_id("Mori")
    return family, tuple(photo_id(family, f"{number}.jpg") for number in range(many))


def photos(context: Context) -> dict[str, int]:
    with context.database.begin() as transaction:
        return count_photos(transaction)
