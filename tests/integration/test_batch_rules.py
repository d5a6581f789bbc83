"""Whatever happens to a monthly job, in whatever order: each family ends exactly once, and done means all of them."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.messages import ClusterFamily, EvaluateBatch
from facealbum.domain.months import Month
from facealbum.steps.batch_progress import show_batch
from facealbum.steps.batches import (
    advance,
    cancel_batch,
    cluster_in_batch,
    pause_batch,
    resume_batch,
    retry_batch,
    start_batch,
)
from facealbum.steps.context import Context
from facealbum.steps.evaluate import evaluate_batch
from facealbum.steps.families import forget_family
from facealbum.steps.outbox import park
from facealbum.storage.batch_families import begin_family
from facealbum.storage.families import save_family
from facealbum.storage.outbox import claim_messages, delete_messages
from facealbum.storage.queue_schema import batch_families, batches, outbox
from facealbum.storage.schema import families
from tests.conftest import NOW

OCTOBER = Month(2026, 10)
NAMES = st.sampled_from("ABCDEFGH")
ENDED = {"done", "failed"}

Message = ClusterFamily | EvaluateBatch


class MonthlyJob(RuleBasedStateMachine):
    """One batch, and everything that may happen to it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.now = NOW
        changed = context.settings.model_copy(update={"broker_url": "memory://", "clustering_in_flight": 2})
        self.context = replace(context, settings=changed, clock=self.tick)
        with context.database.begin() as transaction:
            for table in (outbox, families, batches):
                transaction.execute(delete(table))
        self.queue: list[Message] = []
        self.must_end: set[FamilyId] = set()
        self.ends: dict[FamilyId, tuple[str, datetime]] = {}
        self.started = False
        for name in "ABCDE":
            self.register(name)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def status(self) -> str:
        return show_batch(self.context).batch.status if self.started else "none"

    def rows(self) -> list[tuple[FamilyId, str, datetime]]:
        columns = (batch_families.c.family_id, batch_families.c.status, batch_families.c.finished_at)
        with self.context.database.begin() as transaction:
            return [(FamilyId(row[0]), row[1], row[2]) for row in transaction.execute(select(*columns))]

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        with self.context.database.begin() as transaction:
            family = save_family(transaction, name, now=self.tick()).family_id
        if not self.started:
            self.must_end.add(family)

    @rule(name=NAMES)
    def forget(self, name: str) -> None:
        with self.context.database.begin() as transaction:
            known = transaction.execute(select(families).where(families.c.name == name)).first()
        if known:
            forget_family(self.context, name)
        self.must_end.discard(family_id(name))
        self.ends.pop(family_id(name), None)

    @precondition(lambda self: not self.started)
    @rule()
    def start(self) -> None:
        start_batch(self.context, OCTOBER)
        self.started = True

    @rule()
    def advance(self) -> None:
        advance(self.context)
        with self.context.database.begin() as transaction:
            waiting = claim_messages(transaction, 1000)
            delete_messages(transaction, waiting)
        kinds = {kind.QUEUE: kind for kind in (ClusterFamily, EvaluateBatch)}
        self.queue += [kinds[one.queue].from_json(one.message) for one in waiting]

    @precondition(lambda self: self.queue)
    @rule(data=st.data(), twice=st.booleans())
    def work(self, data: st.DataObject, *, twice: bool) -> None:
        message = data.draw(st.sampled_from(self.queue))
        if not twice:
            self.queue.remove(message)
        if isinstance(message, EvaluateBatch):
            evaluate_batch(self.context, message.batch_id)
        elif message.batch_id:
            cluster_in_batch(self.context, message.batch_id, message.family_id)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.queue.remove(data.draw(st.sampled_from(self.queue)))

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.queue))
        if isinstance(message, ClusterFamily) and message.batch_id:
            with self.context.database.begin() as transaction:
                begin_family(transaction, message.batch_id, message.family_id)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.queue))
        if isinstance(message, ClusterFamily):
            self.queue.remove(message)
            park(self.context, message.QUEUE, message.to_json(), error=("poison", "here"), attempts=5)

    @precondition(lambda self: self.status == "running")
    @rule()
    def pause(self) -> None:
        pause_batch(self.context)

    @precondition(lambda self: self.status == "paused")
    @rule()
    def resume(self) -> None:
        resume_batch(self.context)

    @precondition(lambda self: self.status in {"running", "paused", "evaluating"})
    @rule(surely=st.integers(0, 9))
    def cancel(self, surely: int) -> None:
        if surely == 0:
            cancel_batch(self.context)

    @precondition(lambda self: self.started and self.status != "cancelled")
    @rule()
    def retry(self) -> None:
        retry_batch(self.context)
        self.ends = {family: end for family, end in self.ends.items() if end[0] == "done"}

    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(days=1)

    @invariant()
    def a_family_has_one_row_and_ends_once_and_few_are_handed_out(self) -> None:
        found = self.rows()
        assert max(Counter(family for family, _, _ in found).values(), default=1) == 1
        assert sum(status == "handed out" for _, status, _ in found) <= 2
        ended = {family: (status, at) for family, status, at in found if status in ENDED}
        assert ended.items() >= self.ends.items(), "what has ended stays as it is"
        self.ends = ended

    @invariant()
    def done_means_all_and_counts_are_those_of_the_rows(self) -> None:
        if not self.started:
            return
        shown = show_batch(self.context)
        counts = Counter(status for _, status, _ in self.rows())
        assert (shown.done, shown.failed) == (counts["done"], counts["failed"])
        if shown.batch.status == "done":
            assert set(counts) <= ENDED
            assert self.must_end <= set(self.ends)
            assert shown.left == 0
        assert (shown.batch.summary is not None) == (shown.batch.status == "done")

    def teardown(self) -> None:
        """Once nothing goes wrong any more, it ends."""
        if self.status == "paused":
            self.resume()
        for _ in range(40):
            if self.status in {"none", "done", "cancelled"}:
                break
            self.time_passes()
            self.advance()
            for message in self.queue:
                if isinstance(message, EvaluateBatch):
                    evaluate_batch(self.context, message.batch_id)
                elif message.batch_id:
                    cluster_in_batch(self.context, message.batch_id, message.family_id)
            self.queue.clear()
        assert self.status in {"none", "done", "cancelled"}
        self.a_family_has_one_row_and_ends_once_and_few_are_handed_out()
        self.done_means_all_and_counts_are_those_of_the_rows()


def test_a_monthly_job_keeps_its_rules_whatever_happens(context: Context) -> None:
    limits = settings(max_examples=15, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(lambda: MonthlyJob(context), settings=limits)
