"""The way of a photo from its row to its faces, through messages: exactly once in effect, whatever dies on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from facealbum import demo
from facealbum.domain.ids import FamilyId, family_id, photo_id
from facealbum.domain.messages import AnalyzeFamily
from facealbum.domain.months import Month
from facealbum.errors import DatabaseUnavailableError, FamilyBusyError, UnknownFamilyError
from facealbum.metrics import REGISTRY
from facealbum.steps import analyze_batch as batches
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.analyze_batch import analyze_batch, order_pending
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.imports import import_folder
from facealbum.steps.match import match_unmatched
from facealbum.steps.outbox import announce_photos, relay, requeue_photos
from facealbum.steps.reconcile import reconcile
from facealbum.storage.database import Database, Transaction
from facealbum.storage.outbox import Outgoing
from facealbum.storage.photos import ATTEMPTS, count_photos, load_pending
from facealbum.storage.queue_schema import outbox
from facealbum.storage.runs import lock_family
from facealbum.storage.schema import face_embeddings, faces, families, photo_problems, photos

PORTRAITS = sorted((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
FAMILY = "Mori"
LATER = timedelta(hours=1)


class Died(BaseException):
    """The process is gone at this point."""


@dataclass
class DyingDatabase:
    """The same database, whose transaction of this number dies just before or just after its commit."""

    database: Database
    number: int
    after: bool
    begun: int = 0

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        self.begun += 1
        dies = self.begun == self.number
        with self.database.begin() as transaction:
            yield transaction
            if dies and not self.after:
                raise Died
        if dies:
            raise Died


@dataclass
class Crash:
    """Of the process that does task number `task`: at its transaction of this number."""

    task: int
    number: int
    after: bool


crashes = st.lists(st.builds(Crash, st.integers(0, 6), st.integers(1, 5), st.booleans()), max_size=ATTEMPTS - 1)


@dataclass
class Queue:
    """Hands every message out until somebody has done it, and some of them twice, in an order that is drawn."""

    context: Context
    crashes: list[Crash]
    draw: Callable[[int], int]
    twice: set[int] = field(default_factory=set)
    waiting: list[Outgoing] = field(default_factory=list)
    tasks: int = 0

    def run(self) -> None:
        """Until there is nothing to send and nothing to do."""
        while self.attempt(lambda context: relay(context, self.waiting.append)) or self.waiting:
            if self.waiting:
                self.do(self.waiting.pop(self.draw(len(self.waiting))))

    def do(self, message: Outgoing) -> None:
        if self.tasks in self.twice:
            self.waiting.append(message)
        if self.attempt(lambda context: work(context, message)) is None:
            self.waiting.append(message)

    def attempt(self, task: Callable[[Context], int]) -> int | None:
        """What the task says; None if its process died."""
        database = self.context.database
        for crash in self.crashes:
            if crash.task == self.tasks:
                database = DyingDatabase(database, crash.number, crash.after)  # type: ignore[assignment]
        self.tasks += 1
        try:
            return task(replace(self.context, database=database))
        except Died:
            return None


def work(context: Context, message: Outgoing) -> int:
    if message.queue == "matching":
        match_unmatched(context, message.family_id)
        return 1
    order = AnalyzeFamily.from_json(message.message)
    if order.photo_ids:
        analyze_batch(context, order.family_id, order.photo_ids)
    else:
        order_pending(context, order.family_id)
    return 1


def register(context: Context, folder: Path, many: int, *, family: str = FAMILY) -> FamilyId:
    """A family with so many portraits that wait for analysis, and that no queue was told of."""
    untold = replace(context, settings=context.settings.model_copy(update={"broker_url": None}))
    folder.mkdir(exist_ok=True)
    for number in range(many):
        data = PORTRAITS[number % len(PORTRAITS)].read_bytes()
        (folder / f"{number}.jpg").write_bytes(data + bytes([number]))
    import_folder(untold, folder, family)
    return family_id(family)


def announce(context: Context, family: FamilyId) -> None:
    with context.database.begin() as transaction:
        pending = [photo.photo_id for photo in load_pending(transaction, family)]
        announce_photos(context, transaction, family, pending)


def rows(context: Context, family: FamilyId) -> list[tuple[Any, ...]]:
    """All that is known of the family's photos and faces, but for moments and for ids that follow from its name."""
    found = (
        select(
            photos.c.key, photos.c.status, photos.c.attempts, faces.c.number, faces.c.box, face_embeddings.c.embedding
        )
        .outerjoin(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
        .outerjoin(face_embeddings, face_embeddings.c.face_id == faces.c.face_id)
        .where(photos.c.family_id == family)
        .order_by(photos.c.key, faces.c.number)
    )
    with context.database.begin() as transaction:
        marks = select(families.c.unmatched_since, families.c.match_asked_at).where(families.c.family_id == family)
        return [*map(str, transaction.execute(found)), str(transaction.execute(marks).one())]


def messages(context: Context) -> list[dict[str, Any]]:
    with context.database.begin() as transaction:
        return list(transaction.execute(select(outbox.c.message).order_by(outbox.c.number)).scalars())


def attempts(context: Context) -> dict[str, int]:
    with context.database.begin() as transaction:
        return {row.key: row.attempts for row in transaction.execute(select(photos.c.key, photos.c.attempts))}


@pytest.fixture
def queued(context: Context) -> Context:
    """A world with a broker, and two photos a message."""
    told = context.settings.model_copy(update={"broker_url": "memory://", "analysis_batch": 2})
    return replace(context, settings=told)


@pytest.fixture
def quiet(queued: Context, tmp_path: Path) -> list[tuple[Any, ...]]:
    """What a run without any trouble ends with."""
    family = register(queued, tmp_path / "in", 3, family="Quiet")
    announce(queued, family)
    Queue(queued, [], lambda _: 0).run()
    return rows(queued, family)


def test_messages_in_any_order_twice_and_from_dying_processes_end_with_the_same_rows(
    queued: Context, quiet: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    tried = 0

    @settings(max_examples=30)
    @given(crashes, st.sets(st.integers(0, 6), max_size=3), st.randoms(use_true_random=False))
    def run(drawn: list[Crash], twice: set[int], random: Any) -> None:  # noqa: ANN401 - of Hypothesis
        nonlocal tried
        tried += 1
        family = register(queued, tmp_path / "in", 3, family=f"family {tried}")
        announce(queued, family)
        Queue(queued, drawn, random.randrange, twice).run()
        assert rows(queued, family) == quiet

    run()


def test_the_queues_end_with_what_the_command_ends_with(
    queued: Context, quiet: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    family = register(queued, tmp_path / "in", 3)
    analyze_pending(queued, family=FAMILY, in_process=True)
    assert rows(queued, family) == quiet


def test_photos_are_announced_in_parts_and_only_where_there_is_a_broker(queued: Context, tmp_path: Path) -> None:
    family = register(queued, tmp_path / "in", 5)
    alone = queued.settings.model_copy(update={"broker_url": None})
    announce(replace(queued, settings=alone), family)
    assert not messages(queued)
    announce(queued, family)
    assert [len(message["photo_ids"]) for message in messages(queued)] == [2, 2, 1]


def test_an_order_for_all_that_is_pending_is_done_in_parts(queued: Context, tmp_path: Path) -> None:
    family = register(queued, tmp_path / "in", 3)
    assert order_pending(queued, family) == 3
    assert [message["version"] for message in messages(queued)] == [3, 3]
    Queue(queued, [], lambda _: 0).run()
    assert order_pending(queued, family) == 0
    assert order_pending(queued, family, again=True) == 0
    with pytest.raises(UnknownFamilyError):
        order_pending(queued, family_id("nobody"))


def test_one_match_is_asked_for_a_burst_of_photos(queued: Context, tmp_path: Path) -> None:
    family = register(queued, tmp_path / "in", 4)
    cluster_families(queued, Month(2026, 1))  # there is nothing yet, but an arm
    names = [photo_id(family, f"{number}.jpg") for number in range(4)]
    analyze_batch(queued, family, names[:2])
    analyze_batch(queued, family, names[2:])
    assert [message["version"] for message in messages(queued)] == [1]
    assert match_unmatched(queued, family).faces == 4
    assert match_unmatched(queued, family).faces == 0


def test_photos_faces_and_phases_are_counted(queued: Context, tmp_path: Path) -> None:
    family = register(queued, tmp_path / "in", 3)
    (tmp_path / "in" / "damaged.jpg").write_bytes(PORTRAITS[0].read_bytes()[:2000])
    import_folder(queued, tmp_path / "in", FAMILY)
    with queued.database.begin() as transaction:
        pending = [photo.photo_id for photo in load_pending(transaction, family)]
    before = counted()
    result = analyze_batch(queued, family, pending)
    more = {name: value - before.get(name, 0) for name, value in counted().items()}
    assert (more["facealbum_photos_total", "analysed"], more["facealbum_photos_total", "failed"]) == (3, 1)
    assert more["facealbum_faces_found_total",] == result.faces >= 3
    phases = {name[1]: seconds for name, seconds in more.items() if name[0] == "facealbum_phase_seconds_total"}
    assert {"read", "decode", "detect", "embed", "failed"} <= phases.keys()
    assert all(seconds > 0 for seconds in phases.values())


def counted() -> dict[tuple[str, ...], float]:
    """What this process has counted so far, by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name.startswith("facealbum_")
    }


def test_a_photo_that_is_never_done_with_is_set_aside_alone_and_can_be_asked_for_again(
    queued: Context, tmp_path: Path
) -> None:
    family = register(queued, tmp_path / "in", 2)
    with queued.database.begin() as transaction:
        transaction.execute(update(photos).where(photos.c.key == "1.jpg").values(attempts=ATTEMPTS))
    analyze_batch(queued, family, [photo_id(family, f"{number}.jpg") for number in range(2)])
    with queued.database.begin() as transaction:
        assert count_photos(transaction, family) == {"analysed": 1, "failed": 1}
        assert transaction.execute(select(photo_problems.c.code)).scalars().all() == ["analysis_crashed"]
    assert requeue_photos(queued, family=family_id("nobody")) == 0
    assert requeue_photos(queued, family=family) == 1
    Queue(queued, [], lambda _: 0).run()
    with queued.database.begin() as transaction:
        assert count_photos(transaction, family) == {"analysed": 2}
        assert not transaction.execute(select(func.count()).select_from(photo_problems)).scalar_one()


@pytest.mark.parametrize("end", [SystemExit, DatabaseUnavailableError, OSError])
def test_an_end_that_is_not_the_photos_fault_is_no_attempt(
    queued: Context, tmp_path: Path, end: type[BaseException]
) -> None:
    family = register(queued, tmp_path / "in", 2)
    calls = iter(range(10))

    def ends_at_the_first_save() -> Any:  # noqa: ANN401 - a moment or none
        if next(calls) == 1:
            raise end
        return queued.clock()

    with pytest.raises(end):
        analyze_batch(replace(queued, clock=ends_at_the_first_save), family, [photo_id(family, "0.jpg")])
    assert set(attempts(queued).values()) == {0}


def test_a_batch_does_not_wait_long_for_a_family_that_is_being_clustered(
    queued: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = register(queued, tmp_path / "in", 1)
    monkeypatch.setattr(batches, "_LOCK_SECONDS", 0.05)
    with queued.database.begin() as run:
        lock_family(run, family)
        with pytest.raises(FamilyBusyError):
            analyze_batch(queued, family, [photo_id(family, "0.jpg")])
    assert attempts(queued) == {"0.jpg": 0}


def test_what_the_queues_have_lost_is_ordered_again_once_it_is_late(queued: Context, tmp_path: Path) -> None:
    family = register(queued, tmp_path / "in", 3)
    announce(queued, family)
    relay(queued, lambda _: None)  # lost
    assert reconcile(queued).photos == 0
    later = replace(queued, clock=lambda: queued.clock() + LATER)
    assert reconcile(later).photos == 3
    assert reconcile(later).photos == 0
    assert sorted(len(message["photo_ids"]) for message in messages(queued)) == [1, 2]
    analyze_batch(queued, family, [photo_id(family, "0.jpg")])
    relay(queued, lambda _: None)  # its match, too
    assert (reconcile(later).matches, reconcile(later).matches) == (1, 0)


def test_nothing_is_ordered_again_while_much_waits_to_be_sent(
    queued: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facealbum.steps.reconcile._LONG_OUTBOX", 2)
    announce(queued, register(queued, tmp_path / "in", 3))
    later = replace(queued, clock=lambda: queued.clock() + LATER)
    assert reconcile(later).photos == 0
    relay(queued, lambda _: None)
    assert reconcile(later).photos == 3
