"""A message through a queue does what the command line does; what is parked can be seen and sent again."""

import json
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from celery import signals
from celery.contrib.testing.worker import start_worker
from typer.testing import CliRunner

from facealbum import demo
from facealbum.cli.commands import app as commands
from facealbum.domain.ids import family_id, photo_id
from facealbum.domain.messages import AnalyzeFamily, ClusterFamily, MatchFamily
from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.steps.imports import import_folder
from facealbum.steps.outbox import list_parked, park
from facealbum.storage.outbox import save_messages
from facealbum.storage.photos import count_photos
from workers.app import TASKS, app
from workers.process import close_context

PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
PATIENCE_SECONDS = 60


@pytest.fixture
def world(context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The context, also in the environment, with a broker inside this process."""
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data))
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    monkeypatch.setenv("FACEALBUM_OBJECT_STORE", str(context.settings.object_store))
    monkeypatch.setenv("FACEALBUM_BROKER_URL", "memory://")
    app.conf.update(broker_url="memory://", broker_transport_options={}, worker_soft_shutdown_timeout=0)
    return context


@pytest.fixture
def ended(world: Context) -> Iterator["Queue[tuple[str, str]]"]:
    """A worker on all queues of the world; each task's name and state as it ends."""
    assert app.conf.broker_url == "memory://", world
    states: Queue[tuple[str, str]] = Queue()

    def note(task: object, state: str, **_: object) -> None:
        states.put((str(getattr(task, "name", "")), state))

    signals.task_postrun.connect(note)
    # One that is not awaited leaves a word behind that ends every later worker of this process before it begins.
    with start_worker(app, pool="solo", perform_ping_check=False, queues=",".join(TASKS), shutdown_timeout=300):
        yield states
    signals.task_postrun.disconnect(note)
    close_context()


def send(message: AnalyzeFamily | MatchFamily | ClusterFamily) -> None:
    app.send_task(TASKS[message.QUEUE], args=[message.to_json()], queue=message.QUEUE)


def test_messages_analyse_match_and_cluster_a_family(
    world: Context, ended: "Queue[tuple[str, str]]", tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    import_folder(world, tmp_path / "in", "Mori")
    family = family_id("Mori")
    photos = (photo_id(family, "a.jpg"),)
    for message in (
        AnalyzeFamily(family),
        AnalyzeFamily(family, photo_ids=photos),
        MatchFamily(family),
        ClusterFamily(family, Month(2030, 1)),
    ):
        send(message)
        assert ended.get(timeout=PATIENCE_SECONDS) == (TASKS[message.QUEUE], "SUCCESS")
    with world.database.begin() as transaction:
        assert count_photos(transaction) == {"analysed": 1}
    assert not list_parked(world)


def test_a_message_about_a_family_that_was_deleted_has_nothing_to_do(
    world: Context, ended: "Queue[tuple[str, str]]"
) -> None:
    send(AnalyzeFamily(family_id("Gone")))
    assert ended.get(timeout=PATIENCE_SECONDS) == (TASKS["analysis"], "SUCCESS")
    assert not list_parked(world)


def test_what_waits_in_the_outbox_is_sent_by_the_clock(world: Context, ended: "Queue[tuple[str, str]]") -> None:
    with world.database.begin() as transaction:
        save_messages(transaction, [MatchFamily(family_id("Mori"))], now=world.clock())
    relay = app.conf.beat_schedule["relay"]
    app.send_task(relay["task"], args=relay["args"], **relay["options"])
    assert ended.get(timeout=PATIENCE_SECONDS) == (TASKS["maintenance"], "SUCCESS")
    assert ended.get(timeout=PATIENCE_SECONDS) == (TASKS["matching"], "SUCCESS")


def test_what_is_parked_is_listed_and_sent_again(world: Context, ended: "Queue[tuple[str, str]]") -> None:
    message = MatchFamily(family_id("Mori")).to_json()
    park(world, "matching", message, error=("killed", "somebody died"), attempts=5)
    listed = CliRunner().invoke(commands, ["requeue", "--list", "--family", "Mori", "--json"])
    assert [(one["queue"], one["code"], one["message"]) for one in json.loads(listed.stdout)] == [
        ("matching", "killed", message)
    ]
    assert "somebody died" in CliRunner().invoke(commands, ["requeue", "--list"]).stdout
    sent = CliRunner().invoke(commands, ["requeue", "--queue", "matching"])
    assert (sent.exit_code, sent.stdout.strip()) == (0, "1 message sent again")
    assert ended.get(timeout=PATIENCE_SECONDS) == (TASKS["matching"], "SUCCESS")
    assert not list_parked(world)


@pytest.mark.parametrize("arguments", [["requeue"], ["worker", "--queues", "nowhere"], ["worker"], ["beat"]])
def test_a_missing_broker_or_queue_is_one_clear_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FACEALBUM_DATA", str(tmp_path))
    app.conf.update(broker_url=None)
    failed = CliRunner().invoke(commands, arguments)
    assert "FACEALBUM_BROKER_URL" in str(failed.exception) or "no queue nowhere" in str(failed.exception)
    assert not list(tmp_path.iterdir())
