"""Experiments from their creation to their end: each change is one transaction, on record with who made it.

What was agreed at creation never changes, but for more traffic.  Starting, stopping and rolling back change one row
each; which families take part shows as the monthly job comes to them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from eval.experiments import Guardrail, Kind, Outcome, Plan, Split
from eval.metrics import METRICS, Better, Metric
from facealbum.domain.months import Month
from facealbum.domain.names import expect_name
from facealbum.domain.sentences import Sentence
from facealbum.errors import ConflictError, InvalidValueError
from facealbum.steps.arm_plans import FOLLOWING, load_side
from facealbum.steps.arms import expect_arm, install_arm, take_back_promotion
from facealbum.steps.context import Context
from facealbum.steps.experiment_results import Power, count_months_over, estimate_power, judge_experiment
from facealbum.storage.audit import save_entry
from facealbum.storage.database import Transaction
from facealbum.storage.experiments import (
    SERVED,
    SHADOW,
    Experiment,
    ExperimentArm,
    load_experiment,
    load_experiments,
    save_experiment,
    update_experiment,
)
from facealbum.storage.observations import Arm
from facealbum.storage.reembeddings import count_left
from facealbum.storage.serving import delete_serving, load_installed_arm, load_promotions

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "start": ("draft",),
    "grow": ("draft", "running"),
    "stop": ("running",),
    "conclude": ("running",),
    "rollback": ("running", "stopped", "concluded"),
    "release": ("concluded",),
}
"""What may be done to an experiment, and in which status."""

DECIDING: tuple[Metric, ...] = tuple(
    metric for metric in METRICS.values() if not metric.needs_truth and metric.better is not Better.NEITHER
)
"""The metrics that an experiment can be decided by, or guard."""
_ONLY_WHAT_IS_SEEN = ("corrections", "provisional_confirmed")
_TOLERATED_COVERAGE = 0.01


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be agreed; shares by arm, the first being the control.

    minimum_effect: in the metric's unit.  guardrails: tolerated harm by metric; coverage is always among them.
    families: None takes what past months say that it needs.
    """

    name: str
    mode: str
    shares: tuple[tuple[str, float], ...]
    metric: str
    minimum_effect: float
    months: int
    families: int | None = None
    kind: Kind = Kind.FIXED
    guardrails: Mapping[str, float] = field(default_factory=dict)
    holdout: float = 0.0
    traffic: float = 1.0
    alpha: float = 0.05
    power: float = 0.8
    salt: str | None = None


def create_experiment(context: Context, draft: Draft, *, author: str, dry_run: bool = False) -> tuple[Plan, Power]:
    """Agree on an experiment; tells its plan and what past months say of its power.  With `dry_run` nothing is kept.

    Raises InvalidValueError for whatever can't be, and if the number of families is neither given nor to be told.
    """
    with context.database.begin(trial=dry_run) as transaction:
        return add_experiment(context, transaction, draft, author=author)


def add_experiment(context: Context, transaction: Transaction, draft: Draft, *, author: str) -> tuple[Plan, Power]:
    """The same in the caller's transaction."""
    expect_name(draft.name)
    split = Split(draft.salt or draft.name, draft.shares, draft.holdout, draft.traffic)
    if draft.mode not in {SERVED, SHADOW}:
        raise InvalidValueError(f"the mode must be {SERVED} or {SHADOW}, got {draft.mode!r}")
    if draft.mode == SHADOW and draft.holdout:
        raise InvalidValueError(Sentence("families are held out of what is served; in the shadow nobody is treated"))
    if len(draft.shares) < 2:  # noqa: PLR2004 - one to compare with
        raise InvalidValueError(f"an experiment must have two arms or more, got {[name for name, _ in draft.shares]}")
    if any(one.name == draft.name for one in load_experiments(transaction)):
        raise ConflictError(Sentence("there is an experiment %(name)s; choose another name", name=repr(draft.name)))
    sides = [
        ExperimentArm(_arm(context, transaction, name).arm_id, name, share, control=not place)
        for place, (name, share) in enumerate(draft.shares)
    ]
    plan, power = _agree(transaction, draft, sides)
    agreed = {"name": draft.name, "mode": draft.mode, "salt": split.salt, "plan": plan.to_dict()}
    save_experiment(transaction, sides, now=context.clock(), **agreed, holdout=split.holdout, traffic=split.traffic)
    detail = {**agreed, "arms": dict(draft.shares), "holdout": split.holdout, "traffic": split.traffic}
    _record(context, transaction, "create", draft.name, author, detail)
    return plan, power


def _arm(context: Context, transaction: Transaction, name: str) -> Arm:
    """The arm; one that follows the release is there before its first run, too."""
    return load_side(transaction, name, context.settings).arm if name in FOLLOWING else expect_arm(transaction, name)


def _agree(transaction: Transaction, draft: Draft, sides: list[ExperimentArm]) -> tuple[Plan, Power]:
    tolerated = dict(draft.guardrails)
    if draft.metric != "coverage":
        tolerated.setdefault("coverage", _TOLERATED_COVERAGE)
    plan = Plan(
        draft.metric,
        _metric(draft.metric, draft.mode).better is Better.HIGHER,
        draft.minimum_effect,
        draft.months,
        families=draft.families or 2,
        kind=draft.kind,
        paired=draft.mode == SHADOW,
        alpha=draft.alpha,
        power=draft.power,
        shares=(sides[0].share, sides[1].share),
        comparisons=len(sides) - 1,
        guardrails=tuple(
            Guardrail(key, _metric(key, draft.mode).better is Better.HIGHER, harm) for key, harm in tolerated.items()
        ),
    )
    power = estimate_power(transaction, plan, sides[0].arm_id, sides[1].arm_id)
    families = draft.families or power.needed
    if families is None:
        raise InvalidValueError(
            f"no past month tells how much families differ in {draft.metric}; give the number of families"
        )
    return replace(plan, families=families), power


def _metric(key: str, mode: str) -> Metric:
    """The metric; raises InvalidValueError for one that no experiment of this mode can be decided by."""
    metric = next((one for one in DECIDING if one.key == key), None)
    if metric is None:
        raise InvalidValueError(f"a metric must be one of {', '.join(one.key for one in DECIDING)}; got {key!r}")
    if mode == SHADOW and key in _ONLY_WHAT_IS_SEEN:
        raise InvalidValueError(f"nobody sees what an arm does in the shadow, so {key} can't tell; use {SERVED}")
    return metric


def start_experiment(context: Context, name: str, *, author: str, first_month: Month | None = None) -> Experiment:
    """Let families take part, as the monthly job comes to them; first_month: the first that counts, or this one.

    Raises InvalidValueError unless it is a draft whose arms can be computed and, to be served, whose control is what
    families see, with no other experiment that serves.
    """
    now = context.clock()
    first = first_month or Month.of(now)
    with _changing(context, name, "start", author, first_month=str(first)) as (transaction, experiment):
        if experiment.mode == SERVED:
            _expect_servable(transaction, experiment)
            if first < Month.of(now):
                raise InvalidValueError(f"families saw no arm of it in {first}; it may begin in {Month.of(now)}")
        for arm in experiment.arms:
            without = count_left(transaction, expect_arm(transaction, arm.name).space_id).without
            if without:
                raise ConflictError(
                    f"{without} faces have no embedding of the space of {arm.name}; embed them by `facealbum reembed`"
                )
        update_experiment(
            transaction, experiment.experiment_id, status="running", started_at=now, first_month=first.start().date()
        )
    with context.database.begin() as transaction:
        return load_experiment(transaction, name)


def _expect_servable(transaction: Transaction, experiment: Experiment) -> None:
    installed = load_installed_arm(transaction)
    if experiment.control.name != installed:
        raise ConflictError(f"the control must be what families see, {installed}; got {experiment.control.name}")
    others = [one.name for one in load_experiments(transaction, status="running") if one.mode == SERVED]
    if others:
        raise ConflictError(f"experiment {others[0]!r} serves families already; conclude or stop it first")


def grow_experiment(context: Context, name: str, traffic: float, *, author: str) -> None:
    """Let more families take part; whoever does already stays in its arm.  Raises InvalidValueError for fewer."""
    with _changing(context, name, "grow", author, traffic=traffic) as (transaction, experiment):
        if not experiment.traffic <= traffic <= 1:
            raise InvalidValueError(
                Sentence(
                    "traffic may only grow, from %(now)s up to 1; got %(wanted)s",
                    now=str(experiment.traffic),
                    wanted=str(traffic),
                )
            )
        update_experiment(transaction, experiment.experiment_id, traffic=traffic)


def stop_experiment(context: Context, name: str, *, author: str) -> None:
    """End it without a verdict; families see the installation's arm again at once."""
    with _changing(context, name, "stop", author) as (transaction, experiment):
        update_experiment(transaction, experiment.experiment_id, status="stopped", ended_at=context.clock())


def conclude_experiment(context: Context, name: str, *, author: str, promote: bool = False) -> Mapping[str, Any]:
    """End it with its verdicts, by treatment; with `promote` the one that is better becomes the installation's arm.

    Families that were held out then stay with the control until they are released.  Raises InvalidValueError if no
    arm, or more than one, may be promoted, and what the gate between embedding spaces raises.
    """
    now = context.clock()
    with _changing(context, name, "conclude", author, promote=promote) as (transaction, experiment):
        over = count_months_over(context, transaction, experiment)
        verdicts = judge_experiment(transaction, experiment, over)
        told = {arm: verdict.to_dict() for arm, verdict in verdicts.items()}
        update_experiment(transaction, experiment.experiment_id, status="concluded", ended_at=now, verdicts=told)
        if not promote:
            delete_serving(transaction, experiment.experiment_id)
            return told
        better = [arm for arm, verdict in verdicts.items() if verdict.outcome is Outcome.BETTER]
        if len(better) != 1:
            said = "; ".join(f"{arm}: {verdict.outcome}, {verdict.reason}" for arm, verdict in verdicts.items())
            raise ConflictError(Sentence("one arm must be better to be promoted; %(said)s", said=said))
        arm = expect_arm(transaction, better[0])
        install_arm(transaction, arm, author=author, now=now, experiment_id=experiment.experiment_id)
        return told


def rollback_experiment(context: Context, name: str, *, author: str) -> None:
    """Put families back on what they saw before it, at once; what users corrected meanwhile stays.

    Raises InvalidValueError if another arm was promoted since.
    """
    now = context.clock()
    with _changing(context, name, "rollback", author) as (transaction, experiment):
        update_experiment(transaction, experiment.experiment_id, status="rolled_back", ended_at=now)
        promoted = [one for one in load_promotions(transaction) if one.experiment_id == experiment.experiment_id]
        if promoted:
            newest = load_promotions(transaction)[0]
            if newest.number != promoted[0].number:
                raise ConflictError(
                    Sentence("%(arm)s was promoted since; use `facealbum arms` to choose another", arm=newest.arm)
                )
            take_back_promotion(transaction, author=author, now=now)


def release_holdout(context: Context, name: str, *, author: str) -> int:
    """Let the families that were held out see what all others do; tells how many families an experiment held."""
    with _changing(context, name, "release", author) as (transaction, experiment):
        return delete_serving(transaction, experiment.experiment_id)


def list_experiments(context: Context) -> list[Experiment]:
    """Every experiment, the newest first."""
    with context.database.begin() as transaction:
        return load_experiments(transaction)


@contextmanager
def _changing(
    context: Context, name: str, action: str, author: str, **detail: object
) -> Iterator[tuple[Transaction, Experiment]]:
    """A transaction that holds the experiment and records what is done to it; refused in any other status."""
    with context.database.begin() as transaction:
        experiment = load_experiment(transaction, name, lock=True)
        if experiment.status not in ALLOWED[action]:
            raise ConflictError(
                f"to {action} an experiment it must be {' or '.join(ALLOWED[action])}; {name!r} is {experiment.status}"
            )
        yield transaction, experiment
        _record(context, transaction, action, name, author, detail)


def _record(
    context: Context, transaction: Transaction, action: str, name: str, author: str, detail: Mapping[str, Any]
) -> None:
    save_entry(transaction, action, f"experiment {name}", author=author, now=context.clock(), detail=detail)
