"""Families' counts in great numbers: drawn from families that were simulated in full.

An experiment over 10,000 families takes milliseconds this way.  What is drawn are whole families with all their
months, so that counts keep the spread between families and the likeness of a family's months that clustering gave
them.  The price: more families than were simulated are copies of these, so nothing rarer is ever seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.experiments import Counts
from eval.synthetic.directions import Array
from eval.synthetic.living import FamilyMonth


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """One metric's counts of each month: hits and misses, int64[families, months].

    shares: float64[months], hits of all cases of the families that were simulated.
    """

    hits: NDArray[np.int64]
    misses: NDArray[np.int64]
    shares: Array

    @classmethod
    def of(cls, months: Sequence[FamilyMonth], metric: str, *, first: int) -> "Pool":
        """Counts of a metric of whole faces or persons, from month `first` on; months under a fault are left out."""
        healthy = [one for one in months if one.fault is None]
        row = {family: number for number, family in enumerate(dict.fromkeys(one.family for one in healthy))}
        counts = np.zeros((2, len(row), max(one.month for one in healthy) + 1), np.int64)
        for one in healthy:
            counts[:, row[one.family], one.month] = one.counts.get(metric, (0, 0))
        hits, cases = counts[:, :, first:]
        return cls(hits, cases - hits, hits.sum(axis=0) / cases.sum(axis=0))

    @property
    def families(self) -> int:
        """How many there are."""
        return len(self.hits)

    @property
    def months(self) -> int:
        """How many months were counted."""
        return int(self.hits.shape[1])

    def draw(self, count: int, draw: np.random.Generator) -> "Pool":
        """So many families, each as likely as any."""
        return self.taken(draw.integers(self.families, size=count))

    def taken(self, families: NDArray[np.intp] | NDArray[np.bool_]) -> "Pool":
        """These families alone."""
        return replace(self, hits=self.hits[families], misses=self.misses[families])

    def counts(self, months: int) -> Counts:
        """Each family's total and cases over the first so many months."""
        hits, misses = (part[:, :months].sum(axis=1).astype(np.float64) for part in (self.hits, self.misses))
        return Counts(hits, hits + misses)

    def improved(self, effect: float, draw: np.random.Generator) -> "Pool":
        """The same with misses that turn into hits by chance, so that the metric rises by `effect` (falls, if < 0)."""
        if effect < 0:
            turned = -draw.binomial(self.hits, -effect / self.shares)
        else:
            turned = draw.binomial(self.misses, effect / (1 - self.shares))
        return replace(self, hits=self.hits + turned, misses=self.misses - turned)

    def disturbed(self, flips: float, draw: np.random.Generator) -> "Pool":
        """The same where a share `flips` of the rarer of hits and misses, and as many others, change places.

        Which ones is chance, so that the metric is expected to be what it was in every month.
        """
        rarer = flips * np.minimum(self.shares, 1 - self.shares)
        won = draw.binomial(self.misses, rarer / (1 - self.shares)) - draw.binomial(self.hits, rarer / self.shares)
        return replace(self, hits=self.hits + won, misses=self.misses - won)
