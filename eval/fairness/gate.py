"""A gate on the worst slice: a candidate that is better on the whole may be worse for babies.

Each slice is compared within the same families.  To fail, one slice suffices, so each is judged at a part of the rate
of false alarms (Bonferroni).  To pass, every slice must be shown to stay within its bound, which needs no such
correction (intersection-union test; Berger 1982).  In between, and without enough families, the answer is `unknown`:
no candidate passes on no data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

import numpy as np
from scipy.special import stdtrit

from eval.metrics.change import estimate_change
from eval.metrics.definitions import Better
from eval.metrics.estimates import Array
from facealbum.domain.sentences import Number, Sentence, Term, join_sentences
from facealbum.errors import InvalidValueError

LEVEL = 0.95
FEWEST = 20
"""Slices of fewer families are named, and not judged."""
_FEW = 10  # families that changed, below which their spread says too little of what might have changed


class Verdict(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


_SAID = {
    Verdict.PASS: Sentence("every slice stays within its bound; the nearest to it is"),
    Verdict.FAIL: Sentence("a slice gets worse"),
    Verdict.UNKNOWN: Sentence("it isn't sure that every slice stays within its bound; the least sure is"),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much worse a slice may get: the larger of `absolute` and of `relative` times what is wrong in it today."""

    absolute: float = 0.02
    relative: float = 0.1
    fewest: int = FEWEST

    def __post_init__(self) -> None:
        if not (self.absolute > 0 and self.relative >= 0 and self.fewest > 1):
            raise InvalidValueError(f"bounds must be above 0, of at least 2 families; got {self}")


USUAL = Bounds()
"""Without a reason for others."""


@dataclass(frozen=True, slots=True)
class SliceChange:
    """How much worse the candidate is in a slice, with the 95 % interval; below 0: better.

    wrong: how much is wrong under the present version, such as 1 - coverage.  families: those with a case.
    """

    slice: str
    wrong: float
    worse: float
    low: float
    high: float
    families: int

    def reversed(self) -> "SliceChange":
        """How much worse the present version is than the candidate."""
        return SliceChange(self.slice, self.wrong + self.worse, -self.worse, -self.high, -self.low, self.families)

    def surely_above(self, bound: float, *, among: int) -> bool:
        """Whether it is worse at all, sure even as the worst of so many slices, and by more than the bound."""
        freedom = max(self.families - 1, 1)
        wider = stdtrit(freedom, 1 - (1 - LEVEL) / 2 / among) / stdtrit(freedom, (1 + LEVEL) / 2)
        return self.worse > bound and self.worse - wider * (self.worse - self.low) > 0


@dataclass(frozen=True, slots=True)
class WorstSlice:
    """What the gate says, and of which slice; None where no slice can be judged.

    bound: how much worse that slice may be.  judged: how many slices were; few: those of too few families.
    """

    verdict: Verdict
    worst: SliceChange | None
    bound: float
    judged: int
    few: tuple[str, ...]

    @property
    def reason(self) -> Sentence:
        """In words."""
        said = Sentence("no slice has enough families") if self.worst is None else self._of(self.worst)
        if not self.few:
            return said
        return join_sentences([said, Sentence("too few families in %(slices)s", slices=", ".join(self.few))])

    def _of(self, worst: SliceChange) -> Sentence:
        return Sentence(
            "%(said)s: %(slice)s, worse by %(worse)s (%(low)s to %(high)s) of at most %(bound)s, in %(families)s"
            " families, of %(judged)s slices",
            said=_SAID[self.verdict],
            slice=Term(worst.slice or "all"),
            worse=Number(worst.worse, 4),
            low=Number(worst.low, 4),
            high=Number(worst.high, 4),
            bound=Number(self.bound, 4),
            families=worst.families,
            judged=self.judged,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON; an end that is infinite is None."""
        worst = None
        if self.worst is not None:
            ends = {name: value if isfinite(value := getattr(self.worst, name)) else None for name in ("low", "high")}
            worst = asdict(self.worst) | ends
        return asdict(self) | {"verdict": self.verdict.value, "worst": worst, "few": list(self.few)}


def judge_worst_slice(changes: Iterable[SliceChange], bounds: Bounds = USUAL) -> WorstSlice:
    """Pass, fail or unknown, over all slices of a metric."""
    found = sorted(changes, key=lambda one: one.slice)
    few = tuple(one.slice or "all" for one in found if one.families < bounds.fewest)
    judged = [one for one in found if one.families >= bounds.fewest]
    if not judged:
        return WorstSlice(Verdict.UNKNOWN, None, bounds.absolute, 0, few)
    bound_of = {one.slice: max(bounds.absolute, bounds.relative * one.wrong) for one in judged}
    failing = [one for one in judged if one.surely_above(bound_of[one.slice], among=len(judged))]
    if failing:
        worst = max(failing, key=lambda one: one.worse - bound_of[one.slice])
        return WorstSlice(Verdict.FAIL, worst, bound_of[worst.slice], len(judged), few)
    worst = max(judged, key=lambda one: one.high - bound_of[one.slice])
    sure = worst.high <= bound_of[worst.slice]
    return WorstSlice(Verdict.PASS if sure else Verdict.UNKNOWN, worst, bound_of[worst.slice], len(judged), few)


@dataclass(frozen=True, slots=True)
class PairedSums:
    """Of one slice, sums over families of total and cases under the present version, and under the candidate.

    sums: float64[4].  squares: float64[4, 4], sums of all products of these.  changed: families whose share differs.
    """

    sums: Array
    squares: Array
    families: int
    changed: int

    @classmethod
    def of(cls, counts: Array) -> "PairedSums":
        """From float64[families, 4]; families without a case are left out."""
        rows = np.asarray(counts, np.float64).reshape(-1, 4)
        rows = rows[rows[:, [1, 3]].any(axis=1)]
        changed = int((rows[:, 0] * rows[:, 3] != rows[:, 2] * rows[:, 1]).sum())
        return cls(rows.sum(axis=0), rows.T @ rows, len(rows), changed)


def compare_slices(slices: Mapping[str, PairedSums], better: Better) -> list[SliceChange]:
    """How much worse each slice of a metric gets that is a share, from families counted under both versions.

    A slice that has cases under one version only is left to doubt.  Where fewer than ten families changed, as many
    more might as are likely to be missed among so many (the "rule of three"), and change from right to wrong.
    Raises InvalidValueError for a metric that has no better side.
    """
    if better is Better.NEITHER:
        raise InvalidValueError("only a metric of which more or less is better can get worse; choose another one")
    found = []
    for name, one in sorted(slices.items()):
        change = estimate_change(one.sums, one.squares, one.families, level=LEVEL)
        if change.before is None or change.after is None or change.value is None:
            found.append(SliceChange(name, 1.0, 0.0, -1.0, 1.0, one.families))
            continue
        higher = better is Better.HIGHER
        worse, low, high = -change.value if higher else change.value, change.low, change.high
        low, high = (-high, -low) if higher else (low, high)
        low, high = widen_unseen(worse, (low, high), families=one.families, changed=one.changed)
        wrong = 1 - change.before if higher else change.before
        found.append(SliceChange(name, wrong, worse, low, high, one.families))
    return found


def widen_unseen(worse: float, interval: tuple[float, float], *, families: int, changed: int) -> tuple[float, float]:
    """The interval where fewer than ten families changed: as many more might as are likely to be missed."""
    if changed >= _FEW:
        return interval
    unseen = 1 - ((1 - LEVEL) / 2) ** (1 / max(families, 1))
    return min(interval[0], worse - unseen), max(interval[1], worse + unseen)


def read_training(slices: Mapping[str, Mapping[str, Any]], metric: str, better: Better) -> list[SliceChange]:
    """The same of a training, from its slices.json, which tells candidate minus baseline with 95 % intervals."""
    found = []
    for name, metrics in sorted(slices.items()):
        if (one := metrics.get(metric)) is None:
            continue
        value, low, high = (one["difference"][end] for end in ("value", "low", "high"))
        wrong = one["baseline"]["value"]
        if better is Better.HIGHER:
            value, low, high, wrong = -value, -high, -low, 1 - wrong
        found.append(SliceChange(name, wrong, value, low, high, int(one["n"])))
    return found
