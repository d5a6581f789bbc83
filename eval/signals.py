"""What other systems tell of families, as rates for each served family, arm and month.

Pure.  Such signals are not ours: they come late, from part of the families, and for reasons that are none of ours;
the caveats say so beside the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from eval.metrics.estimates import Estimate, estimate_pairs
from facealbum.domain.months import Month

SEVERAL = "several"
"""Stands for the arm where a family was shown more than one within the month."""

CAVEATS = (
    "Whoever writes or buys was not chosen by chance: compare arms of one experiment in one month, not months.",
    f"A family that was shown several arms within a month counts under {SEVERAL!r}, and under none of them.",
    "Before a promoted arm has caught up with a family it is shown the one before; its signals count for the new one.",
    "A month is complete once 95% of what was ever told of such things would have arrived; later it may still grow.",
    "Lags are of what has arrived: what has not yet makes them look shorter, old records told at once longer.",
)


@dataclass(frozen=True, slots=True)
class ToldTotals:
    """So many families of an arm of which the same total of a kind was told, in so many signals in all."""

    arm: str
    kind: str
    total: float
    families: int
    signals: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Hours from happening to arrival, over `signals`; complete months wait for the 95th percentile."""

    source: str
    kind: str
    signals: int
    median: float
    p90: float
    p95: float


@dataclass(frozen=True, slots=True)
class SignalRate:
    """The signals of a kind in a month: their total for each family that was served, with its interval by family."""

    month: str
    arm: str
    kind: str
    signals: int
    families: int
    estimate: Estimate
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self) | {"estimate": self.estimate.to_dict()}


@dataclass(frozen=True, slots=True)
class SignalFigures:
    """Everything to show of signals."""

    rates: tuple[SignalRate, ...]
    lags: tuple[Lag, ...]
    caveats: tuple[str, ...] = CAVEATS

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "rates": [one.to_dict() for one in self.rates],
            "lags": [asdict(one) for one in self.lags],
            "caveats": list(self.caveats),
        }


def rate_signals(
    month: Month, served: Mapping[str, int], told: Sequence[ToldTotals], lags: Sequence[Lag], *, now: datetime
) -> list[SignalRate]:
    """The rates of every kind that was told of the month, for each arm that served families.

    served: families by arm; those of which nothing was told are cases too.
    """
    rates = []
    for kind in sorted({one.kind for one in told}):
        slowest = max((lag.p95 for lag in lags if lag.kind == kind), default=0.0)
        complete = (now - month.next().start()).total_seconds() / 3600 >= slowest
        for arm, families in sorted(served.items()):
            mine = [one for one in told if (one.arm, one.kind) == (arm, kind)]
            silent = families - sum(one.families for one in mine)
            totals = np.array([0.0, *(one.total for one in mine)])
            times = np.array([max(0, silent), *(one.families for one in mine)], np.int64)
            estimate = estimate_pairs(np.column_stack([totals, np.ones(len(totals))])[times > 0], times[times > 0])
            signals = sum(one.signals for one in mine)
            rates.append(SignalRate(str(month), arm, kind, signals, families, estimate, complete))
    return rates
