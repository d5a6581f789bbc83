"""How many families an experiment needs, from how much families differed in the past."""

from dataclasses import dataclass
from math import ceil, inf, sqrt

from eval.experiments.effects import Counts, compare
from eval.experiments.plan import Plan


@dataclass(frozen=True, slots=True)
class Spread:
    """How much one family's share in a metric, or in the paired difference of two arms, varies.

    The squared error of a ratio over n families is the variance divided by n.  still: the variance of the past.  What
    gets better by d adds d * changed, as chance chooses the cases that change, and d² * uneven, as some families have
    more to better than others.
    """

    still: float
    changed: float = 0.0
    uneven: float = 0.0


def family_spread(control: Counts, treatment: Counts | None = None, *, higher_is_better: bool = True) -> Spread | None:
    """That of one arm, or with a treatment of the paired difference; None if unknown.

    Cases are taken to change one by one and alike wherever there is something to better; where whole persons change
    at once, it is more.
    """
    alone = _variance(control, Counts(0 * control.cases, control.cases))
    if treatment is None:
        return None if alone is None else Spread(alone)
    still = _variance(control, treatment)
    if still is None or alone is None:
        return None
    total, cases = float(control.total.sum()), float(control.cases.sum())
    if (control.total > control.cases).any():  # a mean, of which no case is a hit or a miss
        return Spread(still)
    room = 1 - total / cases if higher_is_better else total / cases
    return Spread(still, control.with_cases / cases, alone / room**2 if room else 0.0)


def families_needed(spread: Spread, plan: Plan) -> int:
    """Families in control and treatment together, or pairs, to find the minimum effect with the plan's power."""
    least = plan.minimum_effect
    variance = spread.still + least * spread.changed + least**2 * spread.uneven
    return max(2, ceil(variance * _arms_factor(plan) * (plan.reach / least) ** 2))


def smallest_effect(spread: Spread, families: int, plan: Plan) -> float:
    """The smallest difference that so many families find with the plan's power: where they are just enough."""
    if not families:
        return inf
    scale = _arms_factor(plan) * plan.reach**2 / families
    square, linear, constant = 1 - scale * spread.uneven, scale * spread.changed, scale * spread.still
    return (linear + sqrt(linear**2 + 4 * square * constant)) / (2 * square) if square > 0 else inf


def _variance(control: Counts, treatment: Counts) -> float | None:
    effect = compare(control, treatment, paired=True)
    return None if effect is None else effect.error**2 * (effect.freedom + 1)


def _arms_factor(plan: Plan) -> float:
    """How much more variance two arms of different families have than one of all."""
    control, treatment = (share / sum(plan.shares) for share in plan.shares)
    return 1.0 if plan.paired else 1 / control + 1 / treatment
