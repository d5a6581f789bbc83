"""Whether each fault raises the right alarm within one run, and nothing else: a table of fault by alarm.

All families' months are judged as the monthly job does: metrics by control limits (eval.metrics.control), what
analysis finds by distances (eval.drift).  The fault befalls the last month only.  Metrics and similarity come from
families that were lived through, all other distributions from many more that were only looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eval.drift.check import compare_with_months
from eval.drift.counts import BUCKETS, MonthCounts
from eval.metrics import METRICS, estimate_ratio
from eval.metrics.arrivals import Arrivals, find_arrival_alarms
from eval.metrics.control import MonthPoint, track_months
from eval.studies.tables import table
from eval.synthetic.faults import Fault
from eval.synthetic.living import FamilyMonth, calendar

_SPACE = "drift direction"
_ARRIVALS = "arrivals"
RIGHT: Mapping[Fault, frozenset[str]] = MappingProxyType(
    {
        Fault.NOISE: frozenset({"coverage", "waiting", "drift similarity", _SPACE}),
        Fault.SWAP: frozenset(
            {"breakage", "mixing", "splitting", "provisional_confirmed", "age_spread", "drift similarity"}
        ),
        Fault.AGE: frozenset({"drift age", "age_spread"}),
        Fault.RECALL: frozenset({"drift faces"}),
        Fault.SPACES: frozenset({"coverage", "waiting", "drift similarity", "splitting", _SPACE}),
        Fault.MONTH: frozenset({_ARRIVALS}),
        Fault.DOUBLE: frozenset({_ARRIVALS, "drift similarity"}),
    }
)
"""Which alarms speak of what is wrong."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The alarms of one month: the metrics outside their limits, `arrivals`, and the distributions that drifted."""

    fault: Fault | None
    metrics: tuple[str, ...]
    drifted: tuple[str, ...]
    faces: int

    @property
    def names(self) -> list[str]:
        """All of them; those of single directions of the embedding space as one."""
        drift = dict.fromkeys(_SPACE if one.startswith("direction") else f"drift {one}" for one in self.drifted)
        return [*self.metrics, *drift]

    @property
    def right(self) -> list[str]:
        """Those that speak of the fault."""
        wanted = RIGHT[self.fault] if self.fault else frozenset()
        return [name for name in self.names if name in wanted]


def study_alarms(lived: Sequence[FamilyMonth], watched: Sequence[FamilyMonth], *, first: int) -> list[Raised]:
    """The alarms of the last month, healthy and under each fault, against the months from `first` on."""
    faults = dict.fromkeys(one.fault for one in lived)
    last = max(one.month for one in lived)
    before = [_fleet(lived, watched, month, None) for month in range(first, last)]
    return [_raised(before, _fleet(lived, watched, last, fault)) for fault in faults]


@dataclass(frozen=True, slots=True, eq=False)
class _Fleet:
    """All families' month."""

    fault: Fault | None
    points: Mapping[str, MonthPoint]
    watched: MonthCounts
    families: int

    @property
    def arrivals(self) -> Arrivals:
        return Arrivals(self.watched.month, self.families, self.watched.cases("age"))


def _fleet(lived: Sequence[FamilyMonth], watched: Sequence[FamilyMonth], month: int, fault: Fault | None) -> _Fleet:
    counts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    buckets: dict[str, NDArray[np.int64]] = {}

    def add(one: FamilyMonth, key: str) -> None:
        histogram = one.histograms[key]
        buckets.setdefault(key, np.zeros((BUCKETS, len(histogram)), np.int64))[one.family.int % BUCKETS] += histogram

    for one in _of(lived, month, fault):
        for metric, pair in one.counts.items():
            counts[metric].append(pair)
        add(one, "similarity")
    families = 0
    for one in _of(watched, month, fault):
        families += bool(one.histograms["age"].any())
        for key in one.histograms:
            add(one, key)
    when = calendar(month)
    points = {metric: MonthPoint(when, estimate_ratio(np.array(pairs, np.float64))) for metric, pairs in counts.items()}
    return _Fleet(fault, points, MonthCounts(when, buckets, {}), families)


def _of(months: Sequence[FamilyMonth], month: int, fault: Fault | None) -> Iterator[FamilyMonth]:
    return (one for one in months if one.month == month and one.fault is fault)


def _raised(before: Sequence[_Fleet], now: _Fleet) -> Raised:
    metrics = []
    for metric, about in METRICS.items():
        points = [one.points[metric] for one in (*before, now) if metric in one.points]
        if metric not in now.points or about.needs_truth or now.points[metric].estimate.value is None:
            continue
        if track_months(metric, points)[-1].worse:
            metrics.append(metric)
    if find_arrival_alarms([one.arrivals for one in before], now.arrivals):
        metrics.append(_ARRIVALS)
    quiet = [one.watched for one in before]
    changes = [*compare_with_months(now.watched, quiet, quiet), *compare_with_months(now.watched, quiet[-1:], quiet)]
    drifted = dict.fromkeys(one.distribution for one in changes if one.alarm)
    return Raised(now.fault, tuple(metrics), tuple(drifted), now.watched.cases("age"))


def render_alarms(found: Sequence[Raised]) -> str:
    """A row a fault; alarms that speak of it are bold."""
    rows = []
    for one in found:
        cells = [f"**{name}**" if name in one.right else name for name in one.names]
        verdict = "-" if one.fault is None else "yes" if one.right else "no"
        others = [name for name in one.names if name not in one.right]
        rows.append((one.fault or "none", f"{one.faces:,}", ", ".join(cells) or "none", verdict, str(len(others))))
    return table(("fault", "faces of the month", "alarms", "right one raised", "others"), rows)
