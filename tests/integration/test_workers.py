"""A message through a queue does what the command line does."""

from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from celery import signals
from celery.contrib.testing.worker import start_worker

from facealbum import demo
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.steps.imports import import_folder
from facealbum.storage.photos import count_photos
from workers.analysis import analyze_family
from workers.app import QUEUES, app
from workers.clustering import cluster_family
from workers.messages import AnalyzeFamily, ClusterFamily

PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
PATIENCE_SECONDS = 60


@pytest.fixture
def ended(context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["Queue[tuple[str, str]]"]:
    """A worker on a broker inside this process; each task's name and state as it ends."""
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data))
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    monkeypatch.setenv("FACEALBUM_OBJECT_STORE", str(context.settings.object_store))
    states: Queue[tuple[str, str]] = Queue()

    def note(task: object, state: str, **_: object) -> None:
        states.put((str(getattr(task, "name", "")), state))

    app.conf.update(broker_url="memory://")
    signals.task_postrun.connect(note)
    with start_worker(app, pool="solo", perform_ping_check=False, queues=",".join(QUEUES.values())):
        yield states
    signals.task_postrun.disconnect(note)


def test_messages_analyse_and_cluster_a_family(
    context: Context, ended: "Queue[tuple[str, str]]", tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    analyze_family.delay(AnalyzeFamily(family_id("Mori")).to_json())
    assert ended.get(timeout=PATIENCE_SECONDS) == ("workers.analysis.analyze_family", "SUCCESS")
    with context.database.begin() as transaction:
        assert count_photos(transaction) == {"analysed": 1}
    cluster_family.delay(ClusterFamily(family_id("Mori"), Month(2030, 1)).to_json())
    assert ended.get(timeout=PATIENCE_SECONDS) == ("workers.clustering.cluster_family", "SUCCESS")


def test_a_message_about_a_family_that_is_gone_fails_visibly(ended: "Queue[tuple[str, str]]") -> None:
    analyze_family.delay(AnalyzeFamily(family_id("Gone")).to_json())
    assert ended.get(timeout=PATIENCE_SECONDS) == ("workers.analysis.analyze_family", "FAILURE")


def test_tasks_lose_nothing_and_trust_nobody() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]
