"""How many families an experiment needs, from how much families differed in the past."""

from math import ceil, inf, sqrt

from eval.experiments.effects import Counts, compare
from eval.experiments.plan import Plan


def family_variance(control: Counts, treatment: Counts | None = None) -> float | None:
    """Variance of one family's share in the metric, or with a treatment in the paired difference; None if unknown.

    The squared error of a ratio over n families is this divided by n.
    """
    effect = compare(control, treatment or Counts(0 * control.cases, control.cases), paired=True)
    return None if effect is None else effect.error**2 * (effect.freedom + 1)


def families_needed(variance: float, plan: Plan) -> int:
    """Families in control and treatment together, or pairs, to find the minimum effect with the plan's power."""
    return max(2, ceil(variance * _arms_factor(plan) * (plan.reach / plan.minimum_effect) ** 2))


def smallest_effect(variance: float, families: int, plan: Plan) -> float:
    """The smallest difference that so many families find with the plan's power."""
    return sqrt(variance * _arms_factor(plan) / families) * plan.reach if families else inf


def _arms_factor(plan: Plan) -> float:
    """How much more variance two arms of different families have than one of all."""
    control, treatment = (share / sum(plan.shares) for share in plan.shares)
    return 1.0 if plan.paired else 1 / control + 1 / treatment
