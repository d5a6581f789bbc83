"""What operators look at: how the installation stands, how far a monthly job is, and what a month did with a family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from facealbum.clustering import PlanChange, compare_plans
from facealbum.domain.ids import FamilyId, RunId
from facealbum.errors import UnknownRunError
from facealbum.steps.batch_progress import BatchProgress, show_batch
from facealbum.steps.context import Context
from facealbum.steps.evaluate import read_alarms
from facealbum.storage.audit import Entry, load_newest_entries
from facealbum.storage.batches import load_batches
from facealbum.storage.dashboard.pages import Rows, load_page
from facealbum.storage.database import Transaction
from facealbum.storage.explanations import load_plan
from facealbum.storage.families import load_family
from facealbum.storage.serving import load_installed_arm, load_promotions, load_served_arm

COUNTED_FAMILIES = 100_000
"""The installation's sums are of at most so many families."""
_ENTRIES, _ARMS = 20, 5


@dataclass(frozen=True, slots=True)
class Overview:
    """The installation today; alarms: those of the newest monthly job.  Rows are as `load_page` gives them.

    metrics: of the arm that is measured, which is the one before while the installation's own is not measured yet.
    """

    arm: str
    measured: str
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
    """How the installation stands."""
    today = context.clock().date()
    with context.database.begin() as transaction:
        rows = load_page(transaction, "overview", day=today)
        arm = load_installed_arm(transaction)
        measured, metrics = _measured(transaction, arm)
        newest = load_batches(transaction, limit=1)
    alarms = [alarm for batch in newest for alarm in read_alarms(batch.summary)]
    (installation,) = rows.pop("installation")
    return Overview(arm, measured, today, installation, **rows, metrics=metrics, alarms=alarms)


def _measured(transaction: Transaction, arm: str) -> tuple[str, Rows]:
    """The arm, or the newest that was installed before it and has been measured, with its months."""
    earlier = [one.arm for one in load_promotions(transaction)][:_ARMS]
    for one in dict.fromkeys((arm, *earlier)):
        if found := load_page(transaction, "overview_metrics", arm=one)["metrics"]:
            return one, found
    return arm, []


def look_at_job(context: Context, number: int) -> JobLook:
    """How far a monthly job is, and what it did; raises UnknownRunError."""
    progress = show_batch(context, number)
    batch = progress.batch
    with context.database.begin() as transaction:
        rows = load_page(transaction, "run", number=number)
        month = load_page(transaction, "run_month", arm=batch.arm, month=batch.through.start().date())
        entries = load_newest_entries(transaction, subject=f"run {number}", before=None, limit=_ENTRIES)
    return JobLook(progress, rows["failures"], rows["families"], month["change"], entries)


def look_at_change(context: Context, family: FamilyId, run: RunId | None = None) -> FamilyChange:
    """What this run did, or the newest that had any faces to look at; raises UnknownFamilyError, UnknownRunError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        arm = load_served_arm(transaction, family)
        runs = load_page(transaction, "changes", family=family, arm=arm)["runs"]
        done = [one for one in runs if one["status"] == "done"]
        places = [place for place, one in enumerate(done) if (one["run_id"] == run if run else one["faces"])]
        if run and not places:
            raise UnknownRunError(f"expected a run of the family under {arm}, got {run}")
        if not places:
            return FamilyChange(family, arm, runs, None, None)
        now, *earlier = done[places[-1] :: -1]
        plan = load_plan(transaction, family, now["run_id"])
        before = load_plan(transaction, family, earlier[0]["run_id"]) if earlier else None
    return FamilyChange(family, arm, runs, now, compare_plans(before, plan) if plan else None)
