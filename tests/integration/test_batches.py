"""The monthly job ends each family once and can't call itself done before; nobody waits for one that can't be done."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from facealbum.cli.commands import app as commands
from facealbum.clustering.intervals import Rate
from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.messages import ClusterFamily, EvaluateBatch
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps import cluster
from facealbum.steps.batch_progress import show_batch
from facealbum.steps.batches import (
    advance,
    cancel_batch,
    cluster_in_batch,
    pause_batch,
    resume_batch,
    retry_batch,
    start_batch,
    start_due,
    work_through,
)
from facealbum.steps.context import Context
from facealbum.steps.evaluate import coverage_alarms, evaluate_batch
from facealbum.steps.families import forget_family
from facealbum.steps.outbox import list_parked, park
from facealbum.storage.families import save_family
from facealbum.storage.outbox import claim_messages, delete_messages
from facealbum.storage.queue_schema import batch_families, batches
from facealbum.storage.runs import lock_family
from tests.conftest import NOW
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

OCTOBER = Month(2026, 10)


@dataclass
class Clock:
    """Time that goes on when it is told to."""

    now: datetime = NOW
    ticks: timedelta = timedelta()

    def __call__(self) -> datetime:
        self.now += self.ticks
        return self.now


@dataclass
class Workers:
    """Takes messages from the outbox as relay and workers do, in this process."""

    context: Context
    clock: Clock
    held: list[ClusterFamily | EvaluateBatch] = field(default_factory=list)

    def take(self) -> list[ClusterFamily | EvaluateBatch]:
        """The messages that were written since."""
        with self.context.database.begin() as transaction:
            waiting = claim_messages(transaction, 10_000)
            delete_messages(transaction, waiting)
        kinds = {kind.QUEUE: kind for kind in (ClusterFamily, EvaluateBatch)}
        return [kinds[one.queue].from_json(one.message) for one in waiting]

    def do(self, message: ClusterFamily | EvaluateBatch) -> None:
        """What the tasks do."""
        if isinstance(message, EvaluateBatch):
            evaluate_batch(self.context, message.batch_id)
        else:
            assert message.batch_id
            cluster_in_batch(self.context, message.batch_id, message.family_id)

    def run(self) -> None:
        """Work until there is nothing to do."""
        while messages := self.advance():
            for message in messages:
                self.do(message)

    def advance(self) -> list[ClusterFamily | EvaluateBatch]:
        """One beat, and what it sends."""
        advance(self.context)
        return self.take()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workers(context: Context, clock: Clock) -> Workers:
    settings = context.settings.model_copy(update={"broker_url": "memory://", "clustering_in_flight": 3})
    return Workers(replace(context, settings=settings, clock=clock), clock)


def register(context: Context, *names: str) -> list[FamilyId]:
    with context.database.begin() as transaction:
        return [save_family(transaction, name, now=context.clock()).family_id for name in names]


def rows(context: Context) -> dict[FamilyId, str]:
    """The status of each family in the newest batch."""
    with context.database.begin() as transaction:
        query = select(batch_families.c.family_id, batch_families.c.status).join(
            batches, batches.c.batch_id == batch_families.c.batch_id
        )
        newest = show_batch(context).batch.number
        return {row.family_id: row.status for row in transaction.execute(query.where(batches.c.number == newest))}


def status(context: Context) -> str:
    return show_batch(context).batch.status


def test_all_families_are_done_a_few_at_a_time_and_then_counted(workers: Workers) -> None:
    context = workers.context
    truth = add(context, shots(months=2, a_month=6))
    register(context, *"ABCDEF")
    start_batch(context, OCTOBER)
    assert len(workers.advance()) == 3
    assert workers.advance() == []
    for family in rows(context):
        workers.do(ClusterFamily(family, OCTOBER, show_batch(context).batch.batch_id))
    workers.run()
    shown = show_batch(context)
    assert (shown.batch.status, shown.done, shown.failed, shown.left) == ("done", 7, 0, 0)
    assert (shown.assigned + shown.unassigned, shown.failed_faces) == (len(truth), 0)
    summary = shown.batch.summary
    assert summary
    assert summary["families"] == {"done": 7, "failed": 0, "up_to_date": 6}
    assert summary["coverage"]["hits"] == shown.assigned > 0.9 * len(truth)
    assert (summary["runs"], summary["persons_created"], summary["alarms"]) == (2, 4, [])
    assert summary["breakage"]["broken"]["cases"] == 4


def test_a_finished_month_again_is_a_batch_in_which_nothing_is_to_do(workers: Workers) -> None:
    context = workers.context
    add(context, shots(months=2, a_month=4))
    start_batch(context, OCTOBER)
    workers.run()
    workers.clock.now += timedelta(days=1)
    assert start_batch(context, OCTOBER).number == 2
    workers.run()
    summary = show_batch(context).batch.summary
    assert summary
    assert (summary["runs"], summary["persons_created"], summary["families"]["up_to_date"]) == (0, 0, 1)
    assert summary["coverage_before"]["run"] == 1
    assert summary["coverage"]["hits"] == summary["coverage_before"]["hits"]


def test_a_batch_of_no_family_is_done_at_once(workers: Workers) -> None:
    start_batch(workers.context, OCTOBER)
    workers.run()
    assert status(workers.context) == "done"
    assert not show_batch(workers.context).has_problems


def test_starting_twice_is_one_batch(workers: Workers) -> None:
    assert start_batch(workers.context, OCTOBER) == start_batch(workers.context, OCTOBER)
    assert start_batch(workers.context, OCTOBER, "hdbscan").number == 2


def test_a_family_that_can_not_be_done_fails_alone_and_is_tried_again_when_asked(workers: Workers) -> None:
    context = workers.context
    truth = add(context, shots(months=1, a_month=4))
    register(context, "A", "B")
    start_batch(context, OCTOBER)
    for message in workers.advance():
        if message.family_id == FAMILY_ID:
            park(context, message.QUEUE, message.to_json(), error=("killed", "somebody died"), attempts=5)
        else:
            workers.do(message)
    workers.run()
    shown = show_batch(context)
    assert (shown.batch.status, shown.done, shown.failed, shown.failed_faces) == ("done", 2, 1, len(truth))
    assert [(one.code, one.detail, one.families) for one in shown.failures] == [("killed", "somebody died", 1)]
    assert shown.alarms, "no face has a person"
    assert not list_parked(context), "run retry is what does it again"
    retry_batch(context)
    assert (status(context), show_batch(context).left) == ("running", 1)
    workers.run()
    shown = show_batch(context)
    assert (shown.batch.status, shown.done, shown.failed, shown.alarms) == ("done", 3, 0, ())


def test_a_family_whose_process_dies_again_and_again_fails_even_if_no_broker_counts(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = workers.context
    (family,) = register(context, FAMILY)
    start_batch(context, OCTOBER)
    (message,) = workers.advance()

    class Death(BaseException):
        """The process is gone."""

    def die(*_: object, **__: object) -> None:
        raise Death

    monkeypatch.setattr("facealbum.steps.batches.cluster_families", die)
    for _ in range(context.settings.task_attempts):
        with pytest.raises(Death):
            workers.do(message)
        assert rows(context) == {family: "handed out"}
    workers.do(message)
    assert [one.code for one in show_batch(context).failures] == ["killed"]


def test_a_message_that_is_lost_is_sent_again(workers: Workers) -> None:
    register(workers.context, "A")
    start_batch(workers.context, OCTOBER)
    lost = workers.advance()
    workers.clock.now += timedelta(days=1)
    assert workers.advance() == lost
    workers.do(lost[0])
    (evaluation,) = workers.advance()
    workers.clock.now += timedelta(days=1)
    assert workers.advance() == [evaluation]


def test_a_message_that_comes_twice_or_late_changes_nothing(workers: Workers) -> None:
    context = workers.context
    register(context, "A")
    start_batch(context, OCTOBER)
    (message,) = workers.advance()
    evaluation = EvaluateBatch(show_batch(context).batch.batch_id)
    workers.do(evaluation)
    assert status(context) == "running", "not every family has ended"
    workers.do(message)
    park(context, message.QUEUE, message.to_json(), error=("late", "it had ended"), attempts=5)
    workers.run()
    ended = show_batch(context)
    workers.do(message)
    workers.do(evaluation)
    assert show_batch(context) == ended
    assert (ended.done, ended.failed) == (1, 0)


def test_a_locked_family_waits_for_its_next_turn(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    context = workers.context
    monkeypatch.setattr("facealbum.steps.batches._LOCK_SECONDS", 0.05)
    add(context, shots(months=1, a_month=2))
    start_batch(context, OCTOBER)
    with context.database.begin() as other:
        lock_family(other, FAMILY_ID)
        for _ in range(context.settings.task_attempts + 1):
            (message,) = workers.advance()
            workers.do(message)
            assert rows(context) == {FAMILY_ID: "waiting"}
    workers.run()
    assert rows(context) == {FAMILY_ID: "done"}


def test_a_family_of_more_months_than_time_goes_on_where_it_stopped(workers: Workers) -> None:
    context = workers.context
    add(context, shots(months=8, a_month=2))
    start_batch(context, OCTOBER)
    workers.clock.ticks = timedelta(seconds=context.settings.task_seconds)
    turns = 0
    while rows(context).get(FAMILY_ID) != "done":
        (message,) = workers.advance()
        workers.do(message)
        turns += 1
    assert turns == 8 > context.settings.task_attempts, "each did one month, and none was an attempt"
    workers.clock.ticks = timedelta()
    workers.run()
    assert (show_batch(context).batch.summary or {})["runs"] == 8


def test_a_paused_batch_hands_out_nothing_and_what_was_handed_out_waits(workers: Workers) -> None:
    context = workers.context
    register(context, *"ABCDE")
    start_batch(context, OCTOBER)
    messages = workers.advance()
    pause_batch(context)
    for message in messages:
        workers.do(message)
    assert set(rows(context).values()) == {"waiting"}
    assert workers.advance() == []
    with pytest.raises(InvalidValueError, match="is paused"):
        pause_batch(context)
    resume_batch(context)
    workers.run()
    assert (status(context), show_batch(context).done) == ("done", 5)


def test_nothing_is_done_for_a_cancelled_batch(workers: Workers) -> None:
    context = workers.context
    register(context, *"ABCDE")
    start_batch(context, OCTOBER)
    messages = workers.advance()
    cancel_batch(context)
    for message in messages:
        workers.do(message)
    workers.run()
    assert (status(context), show_batch(context).done) == ("cancelled", 0)
    with pytest.raises(InvalidValueError, match="is cancelled"):
        retry_batch(context)


def test_a_family_that_goes_is_not_waited_for(workers: Workers) -> None:
    context = workers.context
    register(context, *"ABCDE")
    start_batch(context, OCTOBER)
    messages = workers.advance()
    for name in "ABCDE":
        forget_family(context, name)
    for message in messages:
        workers.do(message)
    workers.run()
    assert (status(context), show_batch(context).done) == ("done", 0)


def test_without_a_broker_all_of_it_is_done_here(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    add(context, shots(months=1, a_month=4))
    sick, *_ = register(context, *"ABCDEF")
    real = cluster.cluster_families

    def crash_on_one(context: Context, through: Month, *, family: str, **options: object) -> object:
        if family_id(family) == sick:
            raise ZeroDivisionError("Mori")
        return real(context, through, family=family, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("facealbum.steps.batches.cluster_families", crash_on_one)
    work_through(context, start_batch(context, OCTOBER))
    shown = show_batch(context)
    assert (shown.batch.status, shown.done, shown.failed) == ("done", 6, 1)
    assert "Mori" not in json.dumps(shown.to_dict(), default=str)
    monkeypatch.undo()
    work_through(context, retry_batch(context))
    assert (show_batch(context).done, show_batch(context).failed) == (7, 0)


def test_without_a_broker_a_stopped_batch_goes_on_where_it_was(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(context, *"ABCDEF")
    batch = start_batch(context, OCTOBER)
    calls: list[str] = []
    real = cluster.cluster_families

    def stop_at_the_third(context: Context, through: Month, *, family: str, **options: object) -> object:
        calls.append(family)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(context, through, family=family, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("facealbum.steps.batches.cluster_families", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        work_through(context, batch)
    assert show_batch(context).done == 2
    work_through(context, start_batch(context, OCTOBER))
    assert (status(context), show_batch(context).done, len(calls)) == ("done", 6, 7)


def test_the_schedule_starts_each_month_once_and_makes_up_for_what_it_missed(workers: Workers) -> None:
    tokyo = {"monthly_cron": "0 3 1 * *", "timezone": "Asia/Tokyo"}
    context = replace(workers.context, settings=workers.context.settings.model_copy(update=tokyo))
    workers.clock.now = datetime(2026, 10, 31, 17, 59, tzinfo=UTC)
    before = start_due(context)
    assert before
    assert before.through == Month(2026, 9), "missed"
    assert start_due(context) is None
    workers.clock.now = datetime(2026, 10, 31, 18, 0, tzinfo=UTC)
    due = start_due(context)
    assert due
    assert (due.through, due.arm) == (OCTOBER, "default")
    cancel_batch(context, due.number)
    workers.clock.now += timedelta(days=29)
    assert start_due(context) is None, "what was cancelled stays so"
    off = replace(context, settings=context.settings.model_copy(update={"monthly_cron": ""}))
    workers.clock.now += timedelta(days=29)
    assert start_due(off) is None


def test_an_arm_that_nobody_knows_is_refused(workers: Workers) -> None:
    with pytest.raises(InvalidValueError, match="hdbscan"):
        start_batch(workers.context, OCTOBER, "nonesuch")


def test_an_algorithm_is_an_arm_of_its_own(workers: Workers) -> None:
    context = workers.context
    truth = add(context, shots(months=1, a_month=8))
    start_batch(context, OCTOBER)
    workers.run()
    start_batch(context, OCTOBER, "hdbscan")
    workers.run()
    shown = show_batch(context)
    assert (shown.batch.arm, shown.batch.status) == ("hdbscan", "done")
    assert shown.assigned > 0.8 * len(truth)
    assert (shown.batch.summary or {})["coverage_before"] is None


@pytest.mark.parametrize(
    ("assigned", "before", "alarms"),
    [
        ((3, 100), None, 1),
        ((900, 1000), (910, 1000), 0),  # a point less may be chance
        ((880_000, 1_000_000), (890_000, 1_000_000), 0),  # surely less, but little
        ((800, 1000), (900, 1000), 1),
        ((8, 10), (9, 10), 0),  # much less, but of few
        ((0, 0), (900, 1000), 0),
        ((300, 1000), (900, 1000), 2),
    ],
)
def test_too_few_faces_with_a_person_raise_an_alarm(
    assigned: tuple[int, int], before: tuple[int, int] | None, alarms: int
) -> None:
    assert len(coverage_alarms(Rate(*assigned), Rate(*before) if before else None, floor=0.5)) == alarms


def test_the_command_line_runs_a_month_and_ends_with_3_if_faces_have_no_person(
    context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data))
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    monkeypatch.delenv("FACEALBUM_BROKER_URL", raising=False)
    add(context, shots(months=1, a_month=4))
    runner = CliRunner()
    started = runner.invoke(commands, ["run", "start", "--month", "2026-10"])
    assert (started.exit_code, "default arm through 2026-10: done" in started.stdout) == (0, True)
    assert "1 family done, 0 failed, 0 left" in started.stdout
    add(context, shots(months=1, a_month=1), family="Alone")  # one photo of each person founds nobody
    again = runner.invoke(commands, ["run", "start", "--month", "2026-10", "--json"])
    monkeypatch.setenv("FACEALBUM_COVERAGE_ALARM", "1")
    alarmed = runner.invoke(commands, ["run", "start", "--month", "2026-10"])
    assert json.loads(again.stdout)["families"] == {"done": 2, "failed": 0, "left": 0}
    assert alarmed.exit_code == 3
    assert "ALARM: only" in alarmed.stderr
    assert "ALARM" in runner.invoke(commands, ["run", "list"]).stdout
    listed = json.loads(runner.invoke(commands, ["run", "list", "--json"]).stdout)
    assert [(one["run"], len(one["alarms"])) for one in listed] == [(3, 1), (2, 0), (1, 0)]
    shown = runner.invoke(commands, ["run", "show"])
    assert (shown.exit_code, "of labels broke" in shown.stdout) == (3, True)
    assert runner.invoke(commands, ["run", "show", "1"]).exit_code == 0
    for command in ("pause", "resume", "cancel"):
        refused = runner.invoke(commands, ["run", command])
        assert "run 3 is done" in str(refused.exception)
    assert "there is no run 9" in str(runner.invoke(commands, ["run", "show", "9"]).exception)
