"""What an experiment says after so many months, in words that hold: better, worse, the same, not yet, or not valid.

Looking early is safe: a fixed plan tells nothing of the result before its horizon, and a sequential one has wider
limits at each look (repeated confidence intervals: Jennison and Turnbull, JRSS B 1989), which all hold together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from math import ceil
from typing import Any, Self

import numpy as np

from eval.experiments.effects import Counts, Effect, compare
from eval.experiments.mismatch import MISMATCH, arms_mismatch, pairs_mismatch
from eval.experiments.plan import Guardrail, Kind, Plan

FEWEST_FAMILIES = 20  # with cases, in either arm; below, Student's t is no good guide to ratios


class Outcome(StrEnum):
    """What may be concluded."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference larger than the minimum effect"
    UNDECIDED = "undecided"
    REFUSED = "refused"


class Wait(StrEnum):
    """Why no effect is told yet."""

    MONTHS = "months"
    """Its months are not over; looking early would make chance look like an effect."""
    FAMILIES = "families"
    """Fewer families than were agreed on took part."""
    CASES = "cases"
    """Too few families have a case of what is measured, so nothing can be computed, however long it went on."""


@dataclass(frozen=True, slots=True)
class GuardrailVerdict:
    """One guardrail's difference with its interval; passed: shown to be no worse than tolerated; None: open."""

    metric: str
    tolerated: float
    effect: float | None
    low: float | None
    high: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome and its reason, and the figures that may be shown; without a decision that is allowed these are None.

    families: counted in control and treatment.  effect: treatment - control, with the interval low to high of `level`.
    p: only of a fixed plan at its horizon.  mismatch: p-value of the check of the families' numbers.
    more_families: how many are still needed for the minimum effect; None if unknown or enough.
    waits: why no effect is told; None of one that is, and of what is refused.  with_cases: families in control and
    treatment that have a case, where these are too few.
    """

    outcome: Outcome
    reason: str
    metric: str
    look: int
    families: tuple[int, int]
    mismatch: float
    level: float
    control: float | None = None
    treatment: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    guardrails: tuple[GuardrailVerdict, ...] = ()
    more_families: int | None = None
    waits: Wait | None = None
    with_cases: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, of an earlier release as well."""
        rails = tuple(GuardrailVerdict(**one) for one in values["guardrails"])
        waits, cases = values.get("waits"), values.get("with_cases")
        read = {"outcome": Outcome(values["outcome"]), "families": tuple(values["families"]), "guardrails": rails}
        told = {"waits": waits and Wait(waits), "with_cases": cases and tuple(cases)}
        return cls(**{**values, **read, **told})


def judge(
    control: Counts,
    treatment: Counts,
    plan: Plan,
    look: int | None = None,
    *,
    guardrails: Sequence[tuple[Counts, Counts]] = (),
) -> Verdict:
    """The verdict after `look` months, or at the end of the plan.

    control, treatment: the primary metric's sums by family over these months; of paired arms with a row for each
    family that either arm counted, NaN where an arm did not.  guardrails: the same for each of the plan's guardrails.
    """
    month = plan.months if look is None else min(look, plan.months)
    families, mismatch = _check(control, treatment, plan)
    verdict = Verdict(Outcome.UNDECIDED, "", plan.metric, month, families, mismatch, plan.level)
    if mismatch < MISMATCH:
        missing = f"families are missing: {families[0]} and {families[1]} are no chance (p = {mismatch:.1g})"
        return replace(verdict, outcome=Outcome.REFUSED, reason=missing)
    control, treatment = _complete(control, treatment, plan)
    if waiting := _waits(plan, look, control.families if plan.paired else control.families + treatment.families):
        return replace(verdict, waits=waiting[0], reason=waiting[1])
    effect, with_cases = compare(control, treatment, paired=plan.paired), (control.with_cases, treatment.with_cases)
    if effect is None or min(with_cases) < FEWEST_FAMILIES:
        few = "only {} families in the control and {} in the treatment have a case".format(*with_cases)
        reason = f"{few}, of {FEWEST_FAMILIES} that each needs"
        return replace(verdict, waits=Wait.CASES, with_cases=with_cases, reason=reason)
    critical = plan.critical(month)
    rails = tuple(
        _guard(rail, compare(*_complete(*pair, plan), paired=plan.paired), critical)
        for rail, pair in zip(plan.guardrails, guardrails, strict=True)
    )
    low, high = effect.interval(critical)
    outcome, reason = _conclude(plan, low, high, rails)
    return replace(
        verdict,
        outcome=outcome,
        reason=reason,
        control=effect.control,
        treatment=effect.treatment,
        effect=effect.value,
        low=low,
        high=high,
        p=effect.p if plan.kind is Kind.FIXED else None,
        guardrails=rails,
        more_families=_more_families(plan, effect, control, treatment) if outcome is Outcome.UNDECIDED else None,
    )


def _check(control: Counts, treatment: Counts, plan: Plan) -> tuple[tuple[int, int], float]:
    """How many families each arm counted, and the p-value that nothing but chance made it so."""
    here, there = ~np.isnan(control.cases), ~np.isnan(treatment.cases)
    families = int(here.sum()), int(there.sum())
    if plan.paired:
        return families, pairs_mismatch(int((here & ~there).sum()), int((there & ~here).sum()))
    return families, arms_mismatch(families, plan.shares)


def _complete(control: Counts, treatment: Counts, plan: Plan) -> tuple[Counts, Counts]:
    """Of paired arms the families that both counted."""
    if not plan.paired:
        return control, treatment
    both = ~(np.isnan(control.cases) | np.isnan(treatment.cases))
    return Counts(control.total[both], control.cases[both]), Counts(treatment.total[both], treatment.cases[both])


def _waits(plan: Plan, look: int | None, families: int) -> tuple[Wait, str] | None:
    """Why nothing may be said yet."""
    if look is None:
        return None
    if plan.kind is Kind.SEQUENTIAL:
        return None if look > 0 else (Wait.MONTHS, "no month is over yet")
    if look < plan.months:
        return Wait.MONTHS, f"{look} of {plan.months} months are over, with {families} of {plan.families} families"
    if families < plan.families:
        return Wait.FAMILIES, f"its months are over, but only {families} of {plan.families} families took part"
    return None


def _guard(rail: Guardrail, effect: Effect | None, critical: float) -> GuardrailVerdict:
    if effect is None:
        return GuardrailVerdict(rail.metric, rail.tolerated, None, None, None, passed=None)
    low, high = effect.interval(critical)
    worst, best = _gain(low, high, higher_is_better=rail.higher_is_better)
    passed = True if worst > -rail.tolerated else False if best < -rail.tolerated else None
    return GuardrailVerdict(rail.metric, rail.tolerated, effect.value, low, high, passed)


def _gain(low: float, high: float, *, higher_is_better: bool) -> tuple[float, float]:
    """The interval as what is gained, from the worst to the best."""
    return (low, high) if higher_is_better else (-high, -low)


def _conclude(plan: Plan, low: float, high: float, rails: Sequence[GuardrailVerdict]) -> tuple[Outcome, str]:
    worst, best = _gain(low, high, higher_is_better=plan.higher_is_better)
    least = plan.minimum_effect
    if harmed := [rail.metric for rail in rails if rail.passed is False]:
        return Outcome.WORSE, f"harms {', '.join(harmed)} by more than is tolerated"
    if best < 0:
        return Outcome.WORSE, f"{plan.metric} is worse"
    if worst > 0:
        if unsure := [rail.metric for rail in rails if not rail.passed]:
            return Outcome.UNDECIDED, f"{plan.metric} is better, but harm to {', '.join(unsure)} is not ruled out"
        return Outcome.BETTER, f"{plan.metric} is better" + (
            ", by less than the minimum effect" if best < least else ""
        )
    if -least < worst and best < least:
        return Outcome.SAME, f"{plan.metric} differs by less than the minimum effect, if at all"
    return Outcome.UNDECIDED, f"{plan.metric} may be better, worse or the same"


def _more_families(plan: Plan, effect: Effect, control: Counts, treatment: Counts) -> int | None:
    """How many the plan's power needs beyond those that are there, if families go on to differ as these do."""
    here = control.families if plan.paired else control.families + treatment.families
    needed = here * (effect.error * plan.reach / plan.minimum_effect) ** 2
    return ceil(needed - here) if needed > here else None
