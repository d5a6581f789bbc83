"""What an experiment has shown so far, and what one would need: figures from the database, verdicts from eval."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np

from eval.experiments import Counts, Kind, Plan, Verdict, compare, families_needed, family_spread, judge
from eval.experiments import smallest_effect as smallest
from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.steps.embedders import installed_space
from facealbum.storage.analyses import ensure_space
from facealbum.storage.audit import Entry, load_entries
from facealbum.storage.batches import load_batches
from facealbum.storage.database import Transaction
from facealbum.storage.experiment_counts import Sums, load_last_month, load_past, load_sums
from facealbum.storage.experiments import SERVED, Experiment, ExperimentArm, count_assigned, load_experiment
from facealbum.storage.families import count_families
from facealbum.storage.reembeddings import count_left
from facealbum.storage.spaces import load_space

PRESENT = ("coverage", "waiting")  # every family that was counted has these


@dataclass(frozen=True, slots=True)
class Before:
    """How a treatment's families differed from the control's before it began, when all were under one arm."""

    arm: str
    months: int
    effect: float
    p: float


@dataclass(frozen=True, slots=True)
class Unseen:
    """Faces that an arm can't see: not yet embedded for its space, and lost to it for good."""

    without: int
    lost: int


@dataclass(frozen=True, slots=True)
class Status:
    """An experiment as far as it may be told: families by arm, months that are over, verdicts by treatment.

    unseen: of a running experiment, by arm of another space than analysis fills: faces without a vector of it (the
    monthly job embeds them before it computes the arm), and those that can't have one.
    """

    experiment: Experiment
    assigned: Mapping[str, int]
    months_over: int
    before: tuple[Before, ...]
    verdicts: Mapping[str, Mapping[str, Any]]
    unseen: Mapping[str, Unseen]
    trail: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """What past months say of a plan; needed: families in control and treatment together, or pairs.

    past: families that were counted; available: families there are.  needed and smallest_effect (with those that are
    available) are None if nothing was counted.  paired: whether past months of both arms were there to be paired.
    """

    past: int
    available: int
    needed: int | None
    smallest_effect: float | None
    paired: bool


def show_experiment(context: Context, name: str) -> Status:
    """How far the experiment is; raises InvalidValueError if there is none."""
    with context.database.begin() as transaction:
        experiment = load_experiment(transaction, name)
        names: dict[int | None, str] = {arm.arm_id: arm.name for arm in experiment.arms}
        none = "held out" if experiment.mode == SERVED else "all arms"
        assigned = count_assigned(transaction, experiment.experiment_id)
        over = count_months_over(context, transaction, experiment)
        verdicts = experiment.verdicts
        if verdicts is None and experiment.first_month is not None:
            verdicts = {arm: one.to_dict() for arm, one in judge_experiment(transaction, experiment, over).items()}
        return Status(
            experiment,
            {names.get(arm, none): families for arm, families in assigned.items()},
            over,
            _look_before(transaction, experiment),
            verdicts or {},
            _count_unseen(transaction, experiment) if experiment.status == "running" else {},
            tuple(load_entries(transaction, f"experiment {name}")),
        )


def _count_unseen(transaction: Transaction, experiment: Experiment) -> dict[str, Unseen]:
    spaces = {arm.name: load_space(transaction, arm.name) for arm in experiment.arms}
    filled = installed_space(transaction)
    lefts = {
        arm: count_left(transaction, ensure_space(transaction, space))
        for arm, space in spaces.items()
        if space is not None and space != filled
    }
    return {arm: Unseen(left.without, left.lost) for arm, left in lefts.items() if left.without or left.lost}


def count_months_over(context: Context, transaction: Transaction, experiment: Experiment) -> int:
    """How many of its months every arm has done; one that a monthly job is at work on is not over."""
    last = load_last_month(transaction, experiment)
    if last is None or experiment.first_month is None:
        return 0
    over = [last, Month.of(context.clock()).before()]
    over += [batch.through.before() for batch in load_batches(transaction) if batch.open]
    return len(list(experiment.first_month.through(min(over))))


def judge_experiment(transaction: Transaction, experiment: Experiment, months_over: int) -> dict[str, Verdict]:
    """The verdict on each treatment.

    A fixed plan is judged over its months, and where these brought too few families over as many more as it takes.
    """
    agreed = Plan.from_dict(experiment.plan)
    months = min(agreed.months, months_over)
    while True:
        verdicts = _judge_over(transaction, experiment, agreed, months)
        enough = all(_enough(agreed, verdict) for verdict in verdicts.values())
        if enough or months >= months_over or agreed.kind is Kind.SEQUENTIAL:
            return verdicts
        months += 1


def _enough(plan: Plan, verdict: Verdict) -> bool:
    return (min(verdict.families) if plan.paired else sum(verdict.families)) >= plan.families


def _judge_over(transaction: Transaction, experiment: Experiment, agreed: Plan, months: int) -> dict[str, Verdict]:
    first = last = experiment.first_month
    assert first is not None and last is not None, "it was started"  # noqa: S101, PT018
    for _ in range(months - 1):
        last = last.next()
    counted = {*metrics_of(agreed), *PRESENT}
    sums = load_sums(transaction, experiment, counted, months=(first, last)) if months else {}
    return judge_sums(experiment, sums, months)


def metrics_of(plan: Plan) -> tuple[str, ...]:
    """What decides: the primary metric, then the guardrails."""
    return (plan.metric, *(rail.metric for rail in plan.guardrails))


def judge_sums(experiment: Experiment, sums: Sums, months: int) -> dict[str, Verdict]:
    """The verdict on each treatment by the sums over so many months, `coverage` and `waiting` among them."""
    agreed = Plan.from_dict(experiment.plan)
    verdicts = {}
    for arm in experiment.treatments:
        plan = replace(agreed, shares=(experiment.control.share, arm.share))
        primary, *rails = (
            _arms(sums, experiment.control, arm, metric, paired=plan.paired) for metric in metrics_of(plan)
        )
        verdicts[arm.name] = judge(*primary, plan, months, guardrails=rails)
    return verdicts


def _arms(
    sums: Sums, control: ExperimentArm, treatment: ExperimentArm, metric: str, *, paired: bool
) -> tuple[Counts, Counts]:
    """Both arms' counts; of paired arms with a row for each family of either, NaN where an arm did not count it."""
    present = [_present(sums, arm.arm_id) for arm in (control, treatment)]
    rows = [sorted(present[0] | present[1])] * 2 if paired else [sorted(families) for families in present]
    first, second = (
        _counts(sums.get((arm.arm_id, metric), {}), families, there)
        for arm, families, there in zip((control, treatment), rows, present, strict=True)
    )
    return first, second


def _present(sums: Sums, arm_id: int) -> set[UUID]:
    return {family for (arm, _), by_family in sums.items() if arm == arm_id for family in by_family}


def _counts(by_family: Mapping[UUID, tuple[float, float]], families: list[UUID], present: set[UUID]) -> Counts:
    missing = (np.nan, np.nan)
    rows = [by_family.get(family, (0.0, 0.0)) if family in present else missing for family in families]
    table = np.array(rows, np.float64).reshape(-1, 2)
    return Counts(table[:, 0], table[:, 1])


def _look_before(transaction: Transaction, experiment: Experiment) -> tuple[Before, ...]:
    """The A/A check: over as many months before as the plan has, under the control's arm."""
    last = experiment.first_month
    if last is None or experiment.mode != SERVED:
        return ()
    plan, control = Plan.from_dict(experiment.plan), experiment.control
    first = last = last.before()
    for _ in range(plan.months - 1):
        first = first.before()
    sums = load_sums(transaction, experiment, {plan.metric}, months=(first, last), under=control.arm_id)
    found = []
    for arm in experiment.treatments:
        effect = compare(*_arms(sums, control, arm, plan.metric, paired=False), paired=False)
        if effect is not None:
            found.append(Before(arm.name, plan.months, effect.value, effect.p))
    return tuple(found)


def estimate_power(transaction: Transaction, plan: Plan, control: int, treatment: int) -> Power:
    """How many families the plan needs, from the newest past months of the arms.

    Pairs differ less than families do; unless both arms have a past, they are taken to differ as much.
    """
    past = load_past(transaction, control, plan.metric, months=plan.months)
    other = load_past(transaction, treatment, plan.metric, months=plan.months) if plan.paired else {}
    both = sorted(past.keys() & other.keys())
    families = both or sorted(past)
    now = _counts(past, families, {*families})
    beside = _counts(other, both, {*both}) if both else None
    spread = family_spread(now, beside, higher_is_better=plan.higher_is_better)
    available = count_families(transaction)
    if spread is None:
        return Power(len(past), available, None, None, paired=False)
    return Power(
        len(families),
        available,
        families_needed(spread, plan),
        smallest(spread, available, plan),
        paired=bool(both),
    )
