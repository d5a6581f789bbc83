"""A new release is rolled out: its workers and those of the one before stand at the same queues, over one database."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest

from eval.stage import Stage
from eval.stage.photos import make_photos, write_photos_csv
from facealbum.domain.ids import family_id
from facealbum.storage.parked import load_parked
from facealbum.storage.photos import count_photos
from facealbum.storage.snapshots import count_doubled_faces

ROOT = Path(__file__).parents[2]
OLD_PRODUCER = Path(__file__).with_name("old_producer.py")
OLD_RELEASE = "dd991f9"
SEPTEMBER = datetime(2026, 9, 1)  # noqa: DTZ001 - a month
PHOTOS = 8
PATIENCE_SECONDS = 90
RECONCILED_SECONDS = 120


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The code of the release before queues did the production."""
    packed = subprocess.run(["git", "archive", OLD_RELEASE], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if packed.returncode:
        pytest.skip("the history of the repository is not here")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
        archive.extractall(tmp_path / "old", **safely)  # noqa: S202 - our own release
    return tmp_path / "old"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage", settings={"TASK_SECONDS": "8", "RECONCILE_AFTER_SECONDS": "30"}) as found:
        yield found


def produce(stage: Stage, old: Path, how: str, *families: str) -> None:
    """Have the old release write its message, which it sends too or leaves in the outbox."""
    command = [sys.executable, str(OLD_PRODUCER), how, *families]
    subprocess.run(command, cwd=old, env=stage.environment(code=old), check=True)


def analysed(stage: Stage, family: str) -> int:
    counts = stage.ask(lambda transaction: count_photos(transaction, family_id(family))) or {}
    return counts.get("analysed", 0)


def test_old_and_new_workers_at_one_queue_lose_and_misread_nothing(stage: Stage, old: Path) -> None:
    families = ["before", "between", "after"]
    shots = make_photos(stage.folder / "photos", families, len(families) * PHOTOS, month=SEPTEMBER, seed=3)
    of = {name: [shot for shot in shots if shot.family == name] for name in families}
    for name in ("before", "between"):
        stage.run("import", str(write_photos_csv(stage.folder / f"{name}.csv", of[name])), code=old)
    first = stage.start("old", "worker", "--processes", "1", code=old)
    produce(stage, old, "sent", "before")
    produce(stage, old, "left", "between")
    stage.wait(lambda: stage.broker.waiting() == 0, seconds=PATIENCE_SECONDS)
    # From here on the schema is the new release's; the old worker is connected already and goes on.
    assert analysed(stage, "before") == PHOTOS
    stage.start("relay", "relay")
    stage.start("new", "worker", "--processes", "1")
    stage.run("import", str(write_photos_csv(stage.folder / "after.csv", of["after"])))
    stage.wait(lambda: analysed(stage, "between") == PHOTOS, seconds=PATIENCE_SECONDS)
    stage.wait(lambda: stage.broker.waiting() == 0, seconds=PATIENCE_SECONDS)
    assert {one.code for one in stage.ask(load_parked) or []} <= {"unknown_version"}
    del stage.programs["old"]
    first.kill()
    stage.run("requeue")
    stage.start("beat", "beat")  # orders again, within two minutes, a match that went with the old worker
    stage.wait(lambda: analysed(stage, "after") == PHOTOS, seconds=PATIENCE_SECONDS)
    stage.wait_until_calm(seconds=PATIENCE_SECONDS + RECONCILED_SECONDS)
    assert stage.ask(load_parked) == []
    assert stage.ask(count_doubled_faces) == 0
