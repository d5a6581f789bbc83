"""How far a monthly job is, as an operator wants to see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from facealbum.steps.context import Context
from facealbum.steps.evaluate import read_alarms
from facealbum.storage.batch_families import count_by_status, count_ended
from facealbum.storage.batch_figures import FailedFamily, Failure, load_failed_families, load_failures, sum_figures
from facealbum.storage.batches import Batch, count_not_handed_out, load_batch, load_batches
from facealbum.storage.database import Transaction

_LATELY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch; its families by what became of them, and the faces of those that are done or failed."""

    batch: Batch
    done: int
    failed: int
    left: int
    assigned: int
    unassigned: int
    failed_faces: int
    per_minute: float | None
    failures: tuple[Failure, ...]

    @property
    def minutes_left(self) -> float | None:
        """At today's pace, where there is one."""
        return self.left / self.per_minute if self.per_minute else None

    @property
    def alarms(self) -> Sequence[str]:
        """What its evaluation raised."""
        return read_alarms(self.batch.summary)

    @property
    def has_problems(self) -> bool:
        """Whether somebody must look."""
        return bool(self.failed or self.alarms)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        batch = self.batch
        return {
            "run": batch.number,
            "month": str(batch.through),
            "arm": batch.arm,
            "status": batch.status,
            "started_at": batch.created_at,
            "finished_at": batch.finished_at,
            "families": {"done": self.done, "failed": self.failed, "left": self.left},
            "faces": {"assigned": self.assigned, "unassigned": self.unassigned, "failed": self.failed_faces},
            "families_per_minute": self.per_minute,
            "minutes_left": self.minutes_left,
            "failures": [{"code": one.code, "detail": one.detail, "families": one.families} for one in self.failures],
            "alarms": list(self.alarms),
            "summary": batch.summary,
        }


def show_batch(context: Context, number: int | None = None) -> BatchProgress:
    """The batch of this number, or the newest one; raises UnknownRunError."""
    with context.database.begin() as transaction:
        return _progress(transaction, load_batch(transaction, number), context.clock())


def list_batches(context: Context, *, before: int | None = None, limit: int | None = None) -> list[BatchProgress]:
    """The batches, the newest first; before: those with a smaller number."""
    with context.database.begin() as transaction:
        found = load_batches(transaction, before=before, limit=limit)
        return [_progress(transaction, batch, context.clock()) for batch in found]


def list_failed_families(context: Context, number: int, *, after: UUID | None, limit: int) -> list[FailedFamily]:
    """The batch's families that failed, in the order of their ids; raises UnknownRunError."""
    with context.database.begin() as transaction:
        batch = load_batch(transaction, number)
        return load_failed_families(transaction, batch.batch_id, after=after, limit=limit)


def _progress(transaction: Transaction, batch: Batch, now: datetime) -> BatchProgress:
    families = count_by_status(transaction, batch.batch_id)
    done, failed = (sum_figures(transaction, batch.batch_id, status) for status in ("done", "failed"))
    waiting = families.get("waiting", 0) + families.get("handed out", 0)
    return BatchProgress(
        batch,
        done=families.get("done", 0),
        failed=families.get("failed", 0),
        left=waiting + count_not_handed_out(transaction, batch),
        assigned=done.assigned,
        unassigned=done.faces - done.assigned,
        failed_faces=failed.faces,
        per_minute=_pace(transaction, batch, now),
        failures=tuple(load_failures(transaction, batch.batch_id)),
    )


def _pace(transaction: Transaction, batch: Batch, now: datetime) -> float | None:
    """Families that ended in a minute: lately, or all the time once the batch has ended."""
    end = batch.finished_at or now
    since = batch.created_at if batch.finished_at else max(batch.created_at, now - _LATELY)
    minutes = (end - since).total_seconds() / 60
    return count_ended(transaction, batch.batch_id, since=since) / minutes if minutes > 0 else None
