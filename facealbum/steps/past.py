"""How long it is kept what rows held before they changed: for ever, or for so many months as the settings tell."""

from collections.abc import Collection
from dataclasses import dataclass

from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.storage.past_months import add_past_months, drop_past_months, load_past_months

_AHEAD = 2


@dataclass(frozen=True, slots=True)
class PastPlan:
    """Months to make before they begin, and to drop.  since: the first that is kept, None if all are."""

    made: tuple[Month, ...]
    dropped: tuple[Month, ...]
    since: Month | None


def plan_past(there: Collection[Month], today: Month, *, keep: int) -> PastPlan:
    """What to do in the month `today`; keep: whole months before it, 0 for all."""
    coming, since = today, today
    made = []
    for _ in range(_AHEAD):
        coming = coming.next()
        made += [] if coming in there else [coming]
    for _ in range(keep):
        since = since.before()
    dropped = sorted(month for month in there if keep and month < since)
    return PastPlan(tuple(made), tuple(dropped), since if keep else None)


def tend_past(context: Context) -> PastPlan:
    """Make the months to come and drop those that nobody is to know of any more; tells what was done."""
    with context.database.begin() as transaction:
        there, now = load_past_months(transaction)
        plan = plan_past(there, Month.of(now), keep=context.settings.past_months)
        if plan.made:
            add_past_months(transaction, plan.made)
        if plan.since is not None:
            drop_past_months(transaction, plan.dropped, since=plan.since)
    return plan
