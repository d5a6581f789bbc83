"""What was counted in a month by one model version: histograms, by buckets of families and by groups of photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.months import Month

BUCKETS = 64
"""Families fall into so many buckets by their ids, which are as good as random."""
Counts: TypeAlias = NDArray[np.int64]
"""int64[bins] of all families, or int64[BUCKETS, bins]."""
Groups: TypeAlias = Mapping[str, Counts]
"""int64[bins] of each group, named as "camera:Apple iPhone 15"; those of one kind add up to all."""


@dataclass(frozen=True, slots=True, eq=False)
class MonthCounts:
    """by_bucket: int64[BUCKETS, bins] of each distribution.  by_group: int64[bins] of each one's groups."""

    month: Month
    by_bucket: Mapping[str, Counts]
    by_group: Mapping[str, Groups]

    def cases(self, distribution: str) -> int:
        """How many faces or photos were counted."""
        return int(self.by_bucket[distribution].sum()) if distribution in self.by_bucket else 0

    def filled_buckets(self, distribution: str) -> int:
        """In how many buckets there is a count."""
        return int(self.by_bucket[distribution].any(axis=1).sum()) if distribution in self.by_bucket else 0


def add_up(months: Sequence[MonthCounts], distribution: str) -> tuple[Counts, dict[str, Counts]]:
    """One distribution over several months: int64[bins] of all, and of each group."""
    total = np.sum([one.by_bucket[distribution].sum(axis=0) for one in months], axis=0)
    groups: dict[str, Counts] = {}
    for one in months:
        for group, counts in one.by_group.get(distribution, {}).items():
            groups[group] = groups[group] + counts if group in groups else counts
    return total, groups
