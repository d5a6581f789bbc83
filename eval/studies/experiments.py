"""Whether experiments keep their promises: false alarms at the nominal rate, power, and splits that are off found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.experiments import Kind, Outcome, Plan, arms_mismatch, family_spread, judge, smallest_effect
from eval.experiments.mismatch import MISMATCH
from eval.metrics import METRICS, Better
from eval.metrics.estimates import wilson
from eval.studies.pool import Pool
from eval.studies.tables import share, table

_FLIPS = 0.2  # share of the rarer of hits and misses that change places with others between two shadow arms
_NOMINAL = 0.05
_FOUND = (Outcome.BETTER, Outcome.WORSE)
EFFECTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
SIZES = (1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the studies are."""

    experiments: int
    families: int
    seed: int = 6


@dataclass(frozen=True, slots=True)
class Rate:
    """How often experiments found a difference; effect: the true one, in the metric's unit."""

    metric: str
    kind: Kind
    paired: bool
    effect: float
    found: int
    experiments: int

    @property
    def low(self) -> float:
        """The lower end of Wilson's 95 % interval."""
        return wilson(self.found / self.experiments, self.experiments)[0]

    @property
    def high(self) -> float:
        """The upper end of it."""
        return wilson(self.found / self.experiments, self.experiments)[1]


def plan_for(metric: str, pool: Pool, families: int, *, kind: Kind, paired: bool) -> Plan:
    """The plan that asks for the smallest effect that so many families can find with a power of .8.

    Their past is that of as many families: of a shadow arm in the few that were simulated, chance tells too much.
    """
    better = METRICS[metric].better is Better.HIGHER
    plan = Plan(metric, better, 1.0, pool.months, families, kind=kind, paired=paired)
    draw = np.random.default_rng(0)
    past = pool.draw(families, draw)
    treated = past.disturbed(_FLIPS, draw).counts(pool.months) if paired else None
    spread = family_spread(past.counts(pool.months), treated, higher_is_better=better)
    assert spread is not None, "the pool has families with cases"  # noqa: S101
    return replace(plan, minimum_effect=smallest_effect(spread, families, plan))


def finds(pool: Pool, plan: Plan, effect: float, draw: np.random.Generator) -> bool:
    """Whether one experiment whose treatment moves the metric by `effect` finds any difference, at any look."""
    families = pool.draw(plan.families, draw)
    if plan.paired:
        control, treated = families, families.disturbed(_FLIPS, draw)
    else:
        first = draw.uniform(size=plan.families) < 1 / 2
        control, treated = families.taken(first), families.taken(~first)
    if effect:
        treated = treated.improved(effect, draw)
    looks = range(1, plan.months + 1) if plan.kind is Kind.SEQUENTIAL else (plan.months,)
    return any(
        judge(control.counts(look), treated.counts(look), plan, look if plan.kind is Kind.SEQUENTIAL else None).outcome
        in _FOUND
        for look in looks
    )


def measure(metric: str, pool: Pool, effect: float, size: Size, *, kind: Kind, paired: bool) -> Rate:
    """How often experiments find a difference that is `effect` times the smallest that their plan is made for."""
    plan = plan_for(metric, pool, size.families, kind=kind, paired=paired)
    true = effect * plan.minimum_effect * (1 if plan.higher_is_better else -1)
    found = sum(
        finds(pool, plan, true, np.random.default_rng([size.seed, number])) for number in range(size.experiments)
    )
    return Rate(metric, kind, paired, true, found, size.experiments)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How often the check of the families' numbers refuses an experiment of so many families split so."""

    families: int
    share: float
    refused: int
    experiments: int


def split(families: int, share_of_first: float, experiments: int, *, seed: int = 6) -> Mismatch:
    """The check on arms that were to be halves."""
    first = np.random.default_rng([seed, families]).binomial(families, share_of_first, size=experiments)
    refused = sum(arms_mismatch((one, families - one), (0.5, 0.5)) < MISMATCH for one in first.tolist())
    return Mismatch(families, share_of_first, refused, experiments)


def study_null(pools: Mapping[str, Pool], size: Size) -> list[Rate]:
    """Experiments without any difference: each metric at a fixed horizon, sequentially, and in pairs."""
    ways = ((Kind.FIXED, False), (Kind.SEQUENTIAL, False), (Kind.FIXED, True), (Kind.SEQUENTIAL, True))
    return [
        measure(metric, pool, 0.0, size, kind=kind, paired=paired)
        for metric, pool in pools.items()
        for kind, paired in ways
    ]


def study_power(metric: str, pool: Pool, size: Size) -> list[Rate]:
    """Experiments with a known improvement, in steps of the smallest that the plan is made for."""
    ways = ((Kind.FIXED, False), (Kind.SEQUENTIAL, False), (Kind.FIXED, True))
    return [
        measure(metric, pool, effect, size, kind=kind, paired=paired) for kind, paired in ways for effect in EFFECTS
    ]


def render_null(rates: Sequence[Rate]) -> str:
    """A row a metric and way."""
    return table(
        ("metric", "decided", "arms", "experiments", "found a difference (95 %)", "5 % within"),
        [
            (
                rate.metric,
                rate.kind,
                _arms(rate),
                str(rate.experiments),
                share(rate.found, rate.experiments),
                "yes" if rate.low <= _NOMINAL <= rate.high else "below" if rate.high < _NOMINAL else "no",
            )
            for rate in rates
        ],
    )


def render_power(rates: Sequence[Rate]) -> str:
    """A row a way, a column an effect."""
    ways = dict.fromkeys((rate.kind, rate.paired) for rate in rates)
    rows = []
    for kind, paired in ways:
        own = [rate for rate in rates if (rate.kind, rate.paired) == (kind, paired)]
        smallest = own[EFFECTS.index(1.0)].effect
        found = [f"{rate.found / rate.experiments:.2f}" for rate in own]
        rows.append((kind, _arms(own[0]), f"{smallest:.4f}", str(own[0].experiments), *found))
    return table(("decided", "arms", "smallest effect", "experiments", *(f"{one:g} of it" for one in EFFECTS)), rows)


def render_splits(found: Sequence[Mismatch]) -> str:
    """A row a size, with healthy splits beside the skewed ones."""
    return table(
        ("families", "split", "experiments", "refused (95 %)"),
        [
            (
                f"{one.families:,}",
                f"{one.share:.0%} / {1 - one.share:.0%}",
                str(one.experiments),
                share(one.refused, one.experiments),
            )
            for one in found
        ],
    )


def _arms(rate: Rate) -> str:
    return "shadow, the same families" if rate.paired else "served, halves"
