"""What operators see of real workers, relays and clocks, while all is well and while the broker is away."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from eval.stage.servers import free_ports
from facealbum import demo
from facealbum.clock import system_clock
from facealbum.domain.ids import family_id
from facealbum.domain.messages import MatchFamily
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.outbox import list_parked
from facealbum.storage.database import open_database
from facealbum.storage.embedded import EmbeddedPostgres
from facealbum.storage.families import save_family
from facealbum.storage.outbox import save_messages, save_raw_message
from facealbum.storage.photos import count_photos
from tests.broker_server import Valkey
from tests.integration.test_status import answer, told
from workers.doctor import examine_queues

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90
PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
HOSTILE = 'Strand\n{"event": "forged"} \'%s 花子.jpg'
FORM = "multipart/form-data; boundary=x"
START = "import sys; from facealbum.cli import main; main()"


class Running:
    """One process of ours, with its status port and its log."""

    def __init__(self, environment: dict[str, str], folder: Path, *arguments: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{arguments[0]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, *arguments],
                cwd=ROOT,
                env={**environment, "FACEALBUM_STATUS_PORT": str(port)},
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def told(self) -> dict[tuple[str, ...], float]:
        """Its metrics; none while nobody answers."""
        try:
            return told(answer(f"{self.url}/metrics")[1])
        except OSError:
            return {}

    def state(self, page: str) -> int:
        """The status code of a page; 0 while nobody answers."""
        try:
            return answer(self.url + page)[0]
        except OSError:
            return 0

    def events(self) -> list[dict[str, Any]]:
        """Its log; every line must be an event."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


def eventually(holds: Callable[[], Any], *logs: Running) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.1)
    pytest.fail(f"it never came: {[one.log.read_text(errors='replace')[-3000:] for one in logs]}")


@pytest.fixture
def environment(valkey: Valkey, context: Context, database_url: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir()
    return {name: value for name, value in os.environ.items() if not name.startswith("FACEALBUM_")} | {
        "FACEALBUM_BROKER_URL": valkey.url,
        "FACEALBUM_DATA": str(context.settings.data),
        "FACEALBUM_DATABASE_URL": database_url.replace("+psycopg2", ""),
        "FACEALBUM_OBJECT_STORE": str(context.settings.object_store),
        "FACEALBUM_TASK_SECONDS": "4",
        "FACEALBUM_WORKER_STOP_SECONDS": "1",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path / "tmp"),
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Running]]:
    found: list[Running] = []

    def starting(*arguments: str) -> Running:
        found.append(Running(environment, tmp_path, *arguments))
        return found[-1]

    yield starting
    for one in found:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def order(context: Context, *messages: dict[str, Any]) -> None:
    """Have the relay send these to the queue `matching`."""
    with context.database.begin() as transaction:
        for message in messages:
            save_raw_message(transaction, family_id("Mori"), "matching", message=message, now=context.clock())


def test_a_worker_and_a_relay_tell_what_they_do_and_when_the_broker_is_away(
    start: Callable[..., Running], context: Context, valkey: Valkey, tmp_path: Path
) -> None:
    worker, relay = start("worker", "--queues", "matching", "--processes", "1"), start("relay")
    for one in (worker, relay):
        eventually(lambda one=one: one.state("/readyz") == 200, worker, relay)
    good, bad = MatchFamily(family_id("Mori")).to_json(), {"version": 1, "file": "Mori am Strand.jpg"}
    order(context, good, bad)
    eventually(lambda: worker.told().get(("facealbum_tasks_total", "parked", "matching")) == 1, worker, relay)
    assert worker.told()["facealbum_tasks_total", "done", "matching"] == 1
    assert worker.told()["facealbum_task_seconds_count", "matching"] == 2
    assert worker.told()["facealbum_worker_processes", "matching"] == 1
    eventually(lambda: relay.told().get(("facealbum_parked_messages", "bad_message", "matching")) == 1, relay)
    assert relay.told()["facealbum_messages_relayed_total", "matching"] == 2

    valkey.kill()
    try:
        order(context, good)
        for one in (worker, relay):
            eventually(lambda one=one: one.state("/readyz") == 503, worker, relay)
            assert one.state("/healthz") == 200
        eventually(lambda: relay.told().get(("facealbum_relay_failures_total", "broker_unavailable")), relay)
        assert relay.told()["facealbum_outbox_messages",] == 1
    finally:
        valkey.start()
    for one in (worker, relay):
        eventually(lambda one=one: one.state("/readyz") == 200, worker, relay)
    eventually(lambda: worker.told().get(("facealbum_tasks_total", "done", "matching")) == 2, worker, relay)

    for one in (worker, relay):
        one.process.terminate()
        assert one.process.wait(PATIENCE_SECONDS) == 0
    events = worker.events() + relay.events()
    assert {"task_ended", "task_parked", "relay_waits"} <= {event["event"] for event in events}
    parked = next(event for event in events if event["event"] == "task_parked")
    assert {"queue", "task_id", "attempt", "code", "place"} <= parked.keys()
    assert not re.search("Strand|Mori", json.dumps(events))
    assert not list((tmp_path / "tmp").glob("facealbum-counts-*"))
    assert len(list_parked(context)) == 1


def test_a_broker_that_hangs_is_away_until_it_answers_again(
    start: Callable[..., Running], context: Context, valkey: Valkey
) -> None:
    worker, relay, beat = start("worker", "--queues", "matching", "--processes", "1"), start("relay"), start("beat")
    running = (worker, relay, beat)
    for one in running:
        eventually(lambda one=one: one.state("/readyz") == 200, *running)
    valkey.server.send_signal(signal.SIGSTOP)
    try:
        order(context, MatchFamily(family_id("Mori")).to_json())
        eventually(lambda: relay.told().get(("facealbum_relay_failures_total", "broker_unavailable")), *running)
        for one in (relay, beat):
            eventually(lambda one=one: one.state("/readyz") == 503, *running)
        assert [one.state("/healthz") for one in running] == [200] * 3
        assert [found.subject for found in examine_queues(Settings(broker_url=valkey.url))] == ["broker"]
    finally:
        valkey.server.send_signal(signal.SIGCONT)
    for one in running:
        eventually(lambda one=one: one.state("/readyz") == 200, *running)
    eventually(lambda: worker.told().get(("facealbum_tasks_total", "done", "matching")), *running)


def test_a_relay_outlives_its_database(
    start: Callable[..., Running], environment: dict[str, str], tmp_path: Path
) -> None:
    with EmbeddedPostgres(tmp_path / "server") as url:
        environment["FACEALBUM_DATABASE_URL"] = url.replace("+psycopg2", "")
        relay = start("relay")
        eventually(lambda: relay.state("/readyz") == 200, relay)
        EmbeddedPostgres(tmp_path / "server").stop()
        eventually(lambda: relay.told().get(("facealbum_database_answers",)) == 0, relay)
        eventually(lambda: relay.told().get(("facealbum_relay_failures_total", "database_unavailable")), relay)
        eventually(lambda: relay.state("/readyz") == 503, relay)
        assert relay.state("/healthz") == 200
        with EmbeddedPostgres(tmp_path / "server") as again, open_database(again, tmp_path) as database:
            with database.begin() as transaction:
                save_messages(transaction, [MatchFamily(family_id("Mori"))], now=system_clock())
            eventually(lambda: relay.told().get(("facealbum_messages_relayed_total", "matching")) == 1, relay)
            eventually(lambda: relay.state("/readyz") == 200, relay)
    assert relay.process.poll() is None
    assert {event["event"] for event in relay.events()} <= {"relay_waits", "library"}


def test_a_mistake_that_ends_a_process_is_told_without_values(start: Callable[..., Running], context: Context) -> None:
    relay = start("relay")
    eventually(lambda: relay.state("/readyz") == 200, relay)
    with context.database.begin() as transaction:
        transaction.execute(text("ALTER TABLE outbox RENAME TO mori"))
    assert relay.process.wait(PATIENCE_SECONDS) == 1
    last = relay.events()[-1]
    assert (last["event"], last["level"]) == ("crashed", "critical")
    assert last["error"].startswith("ProgrammingError at ")


def test_no_name_reaches_whom_it_is_not_for(
    start: Callable[..., Running], environment: dict[str, str], context: Context, tmp_path: Path
) -> None:
    port, damaged = free_ports(1)[0], PORTRAIT.read_bytes()[:2000]
    running = [start("web", "--port", str(port)), start("relay"), start("worker", "--processes", "1")]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / HOSTILE).write_bytes(damaged)
    command = ["import", str(tmp_path / "in"), "--family", "Strand", "--child", "Strand-Hana,2019-04-02,female"]
    subprocess.run([sys.executable, "-c", START, *command], env=environment, cwd=ROOT, check=True, capture_output=True)
    order(context, {"version": 1, "file": HOSTILE})
    running[0].url = f"http://127.0.0.1:{port}"
    eventually(lambda: running[0].state("/readyz") == 200, *running)
    url = f"http://127.0.0.1:{port}/v1/families/{family_id('Strand')}/photos"
    sent = [(HOSTILE, damaged + b"2"), (HOSTILE, b"other"), (f"{HOSTILE}#t=1.000", b"x"), (f"Strand{'x' * 200}", b"x")]
    answers = [httpx2.post(url, files={"files": one}) for one in sent]
    assert [one.status_code for one in answers] == [202, 409, 422, 422]
    eventually(lambda: by_status(context) == {"failed": 2} and list_parked(context), *running)
    told = [one.text for one in answers]
    told += [one.log.read_text(encoding="utf-8") for one in running]
    told += [answer(f"{one.url}/metrics")[1] for one in running]
    told += [f"{one.code} {one.detail}" for one in list_parked(context)]
    assert not [text for text in told if "Strand" in text or "花子" in text]
    logged = [event["event"] for one in running for event in one.events()]
    assert (logged.count("photo_failed"), logged.count("task_parked")) == (2, 1)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_client_that_leaves_midway_is_no_mistake_of_ours_and_leaves_nothing(
    start: Callable[..., Running], context: Context, tmp_path: Path, method: str
) -> None:
    with context.database.begin() as transaction:
        save_family(transaction, "Mori", now=context.clock())
    port = free_ports(1)[0]
    web = start("web", "--port", str(port))
    web.url = f"http://127.0.0.1:{port}"
    eventually(lambda: web.state("/readyz") == 200, web)
    family = f"/v1/families/{family_id('Mori')}"
    path = f"{family}/photos" if method == "POST" else f"{family}/uploads/{UUID(int=1)}"
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nContent-Type: {FORM}\r\n\r\n"
    part = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall((head + part).encode() + b"x" * 100_000)
    assert web.state("/readyz") == 200
    web.process.terminate()
    web.process.wait(PATIENCE_SECONDS)
    assert "request_crashed" not in {event["event"] for event in web.events()}
    assert by_status(context) == {}
    assert not list((tmp_path / "tmp").iterdir())


def by_status(context: Context) -> dict[str, int]:
    with context.database.begin() as transaction:
        return count_photos(transaction)


def test_a_pool_counts_on_when_a_process_of_it_is_lost_and_takes_up_no_more_room(
    start: Callable[..., Running], context: Context, tmp_path: Path
) -> None:
    worker, _ = start("worker", "--queues", "matching", "--processes", "1"), start("relay")
    good = MatchFamily(family_id("Mori")).to_json()
    killed: set[int] = set()
    for number in (1, 2, 3):  # a message that a killed process had just been given is done once more, and counted
        order(context, good)
        eventually(
            lambda number=number: worker.told().get(("facealbum_tasks_total", "done", "matching"), 0) >= number, worker
        )
        eventually(lambda: len(children(worker.process.pid) - killed) == 1, worker)
        (child,) = children(worker.process.pid) - killed
        os.kill(child, signal.SIGKILL)
        killed.add(child)
    (folder,) = (tmp_path / "tmp").glob("facealbum-counts-*")
    assert {path.stem.split("_")[-1] for path in folder.glob("*.db")} == {"parent", "0"}
    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    worker = start("worker", "--queues", "matching", "--processes", "1")
    eventually(lambda: worker.state("/readyz") == 200, worker)
    assert not folder.exists()


def children(parent: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def test_the_doctor_counts_each_worker_of_a_machine(start: Callable[..., Running], valkey: Valkey) -> None:
    queues = ("matching", "clustering")
    running = [start("worker", "--queues", queue, "--processes", "1") for queue in queues]
    for one in running:
        eventually(lambda one=one: one.state("/readyz") == 200, *running)
    found = {one.subject: one.detail for one in examine_queues(Settings(broker_url=valkey.url))}
    assert [found[f"queue {queue}"].rpartition(" ")[2] for queue in (*queues, "analysis")] == ["1", "1", "0"]


def test_the_clock_tells_that_it_moves(start: Callable[..., Running]) -> None:
    beat = start("beat")
    eventually(lambda: beat.state("/readyz") == 200, beat)
    assert beat.state("/healthz") == 200
    assert beat.told()["facealbum_database_answers",] == 1
