"""The mix of what drives links, and whether a month's is still that of quiet months.

Each input's contribution to the log odds of each link falls into a bin; months are compared by the Jensen-Shannon
distance of these histograms, with thresholds drawn from quiet months as for drift (eval.drift.thresholds).  A mix that
moves says that links are made for other reasons, not that they are wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.drift.check import FALSE_ALARMS, FEWEST_BUCKETS, MOST_MONTHS
from eval.drift.counts import Counts
from eval.drift.distance import js_distance
from eval.drift.thresholds import FEWEST_MONTHS, thresholds
from facealbum.domain.months import Month
from facealbum.linking import INPUTS

EDGES = (-8.0, -4.0, -2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Between the bins, in natural logarithms; they never change, so months can be compared for ever."""
FEWEST_LINKS = 200


@dataclass(frozen=True, slots=True, eq=False)
class MonthMix:
    """Of each input int64[BUCKETS, bins], how many links it adds so much to; and the mean of what it adds."""

    month: Month
    counts: Mapping[str, Counts]
    means: Mapping[str, float]

    @property
    def links(self) -> int:
        """How many were counted."""
        return max((int(counts.sum()) for counts in self.counts.values()), default=0)

    def is_judged(self) -> bool:
        """Whether there is enough to judge."""
        filled = [int(counts.any(axis=1).sum()) for counts in self.counts.values()]
        return self.links >= FEWEST_LINKS and min(filled, default=0) >= FEWEST_BUCKETS


@dataclass(frozen=True, slots=True)
class InputChange:
    """An input against the months before; threshold: None where nothing is judged."""

    input: str
    distance: float
    threshold: float | None

    @property
    def alarm(self) -> bool:
        """Whether it is further away than quiet months are."""
        return self.threshold is not None and self.distance > self.threshold


def compare_mix(now: MonthMix, quiet: Sequence[MonthMix]) -> tuple[InputChange, ...]:
    """Each input of the month against the sum of the quiet months, at most the first twelve; none without any."""
    shared = [name for name in INPUTS if all(name in one.counts for one in (now, *quiet))]
    if not quiet:
        return ()
    limits: Mapping[str, float] = {}
    if len(quiet) >= FEWEST_MONTHS and all(one.is_judged() for one in (now, *quiet)):
        counts = {name: np.stack([one.counts[name] for one in quiet]) for name in shared}
        cases = {name: int(now.counts[name].sum()) for name in shared}
        limits = thresholds(counts, cases, months_before=len(quiet), rate=FALSE_ALARMS / 2)
    return tuple(
        InputChange(
            name,
            float(js_distance(now.counts[name].sum(axis=0), sum(one.counts[name].sum(axis=0) for one in quiet))),
            limits.get(name),
        )
        for name in shared
    )


def quiet_months(months: Sequence[Month], loud: set[Month], *, before: Month) -> list[Month]:
    """Which months to compare with: the first twelve earlier ones that raised no alarm."""
    return [one for one in sorted(months) if one < before and one not in loud][:MOST_MONTHS]
