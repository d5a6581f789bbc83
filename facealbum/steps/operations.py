"""What operators look at: how the installation stands, how far a monthly job is, and what a month did with a family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from facealbum.clustering import PlanChange, compare_plans
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import UnknownRunError
from facealbum.steps.batch_progress import BatchProgress, show_batch
from facealbum.steps.context import Context
from facealbum.storage.audit import Entry, load_newest_entries
from facealbum.storage.batches import load_batches
from facealbum.storage.dashboard.pages import Rows, load_page
from facealbum.storage.explanations import load_plan
from facealbum.storage.families import load_family
from facealbum.storage.serving import load_installed_arm, load_served_arm

COUNTED_FAMILIES = 100_000
"""The installation's sums are of at most so many families."""
_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """The installation today; alarms: those of the newest monthly job.  Rows are as `load_page` gives them."""

    arm: str
    today: date
    installation: Any
    photos: Rows
    queue: Rows
    metrics: Rows
    jobs: Rows
    alarms: Sequence[str]


@dataclass(frozen=True, slots=True)
class JobLook:
    """A monthly job, its failures, what its month changed against the one before, and who steered it."""

    progress: BatchProgress
    failures: Rows
    families: Rows
    change: Rows
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """A family's runs under the arm that it is shown, and what one of them did; plan: None where none is on record."""

    family_id: FamilyId
    arm: str
    runs: Rows
    run: Any
    plan: PlanChange | None


def look_at_overview(context: Context) -> Overview:
    """How the installation stands, under its own arm."""
    today = context.clock().date()
    with context.database.begin() as transaction:
        arm = load_installed_arm(transaction)
        rows = load_page(transaction, "overview", arm=arm, day=today)
        newest = load_batches(transaction, limit=1)
    alarms = [alarm for batch in newest for alarm in (batch.summary or {}).get("alarms", ())]
    (installation,) = rows.pop("installation")
    return Overview(arm, today, installation, **rows, alarms=alarms)


def look_at_job(context: Context, number: int) -> JobLook:
    """How far a monthly job is, and what it did; raises UnknownRunError."""
    progress = show_batch(context, number)
    batch = progress.batch
    with context.database.begin() as transaction:
        rows = load_page(transaction, "run", number=number)
        month = load_page(transaction, "run_month", arm=batch.arm, month=batch.through.start().date())
        entries = load_newest_entries(transaction, subject=f"run {number}", before=None, limit=_ENTRIES)
    return JobLook(progress, rows["failures"], rows["families"], month["change"], entries)


def look_at_change(context: Context, family: FamilyId, month: Month | None = None) -> FamilyChange:
    """What the run of the month did, or the newest one; raises UnknownFamilyError, UnknownRunError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        arm = load_served_arm(transaction, family)
        runs = load_page(transaction, "changes", family=family, arm=arm)["runs"]
        done = [run for run in runs if run["status"] == "done"]
        places = [place for place, run in enumerate(done) if month is None or run["month"] == month.start().date()]
        if not places and month is not None:
            raise UnknownRunError(f"expected a month that the family was run for under {arm}, got {month}")
        if not places:
            return FamilyChange(family, arm, runs, None, None)
        now, *earlier = done[places[-1] :: -1]
        plan = load_plan(transaction, family, now["run_id"])
        before = load_plan(transaction, family, earlier[0]["run_id"]) if earlier else None
    return FamilyChange(family, arm, runs, now, compare_plans(before, plan) if plan else None)
