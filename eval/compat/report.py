"""Whether a new space may take an old one's place: the rates of all families, held against limits.

A check passes if its whole interval is on the right side of its limit (non-inferiority); with fewer families than
`Limits.families` an interval says nothing, and the value is judged.  What has no case can't be lost, so it passes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from eval.compat.measures import FamilyMeasures
from eval.compat.sums import Draws, Sums, interval
from eval.metrics import Estimate

_PAIRS = ("old", "new", "cross")
_RUNS = ("old", "new", "mixed")
_KINDS = ("any", "mixing", "disappearance", "splitting")
_RATES = {"far_1": 0.01, "far_01": 0.001}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a change of space may cost, at most.

    hit_rate: points of TAR at FAR 1 %, stored with new vectors against old with old ones.
    neighbours: points of neighbours kept, new vectors among stored ones against new ones alone.
    centroids: the least share of persons that stay nearest to themselves.
    broken: points of broken labels, mixed against old.
    families: from how many on intervals are judged.
    """

    hit_rate: float = 0.05
    neighbours: float = 0.1
    centroids: float = 0.9
    broken: float = 0.05
    families: int = 10


@dataclass(frozen=True, slots=True)
class Check:
    """A value held against its limit: a difference, or for `centroids` a share.

    low, high: None with too few families.  at_least: whether the limit is a lower one.
    """

    key: str
    value: float | None
    low: float | None
    high: float | None
    limit: float
    at_least: bool
    cases: int

    @property
    def passed(self) -> bool:
        """Whether the end that is the worse one keeps the limit; without a case there is nothing to lose."""
        worst = self.low if self.at_least else self.high
        worst = self.value if worst is None else worst
        if worst is None:
            return True
        return worst >= self.limit if self.at_least else worst <= self.limit


@dataclass(frozen=True, slots=True)
class CompatReport:
    """How a new space would do in the place of the old one, in families with faces that have vectors in both.

    remedy: where the vectors of known faces come from in the new space: "reembedding", or an adapter's name.
    hit_rates: TAR by FAR ("far_1", "far_01") and side ("old", "new", "cross"); value None with fewer pairs of two
    people than 1 / FAR.  shift: degrees between a person's new and its stored centroid, on average.
    broken: labels by run ("old", "new", "mixed") and kind ("any", "mixing", "disappearance", "splitting").
    """

    source: str
    target: str
    remedy: str
    families: int
    faces: int
    persons: int
    true_pairs: int
    false_pairs: int
    hit_rates: Mapping[str, Mapping[str, Estimate]]
    neighbours: Mapping[str, Estimate]
    centroids: Estimate
    shift: Estimate
    broken: Mapping[str, Mapping[str, Estimate]]
    checks: tuple[Check, ...]
    limits: Limits

    @property
    def passed(self) -> bool:
        """Whether the new space may take the old one's place."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        plain = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        checks = [asdict(one) | {"passed": one.passed} for one in self.checks]
        return plain | {"checks": checks, "limits": asdict(self.limits), "passed": self.passed}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        read = {name: _read(values[name]) for name in cls.__dataclass_fields__}
        checks = (Check(**{name: one[name] for name in Check.__dataclass_fields__}) for one in values["checks"])
        return cls(**read | {"checks": tuple(checks), "limits": Limits(**values["limits"])})


def compare(
    families: Iterable[FamilyMeasures],
    *,
    source: str,
    target: str,
    remedy: str = "reembedding",
    limits: Limits = Limits(),
    seed: int = 0,
) -> CompatReport:
    """The report of all families together; the same for the same families in the same order."""
    some = list(families)
    sums = Sums(some, seed=seed)
    broken = sums.counts("broken")
    return CompatReport(
        source=source,
        target=target,
        remedy=remedy,
        families=len(some),
        faces=sum(one.faces for one in some),
        persons=sum(one.persons for one in some),
        true_pairs=sums.pairs(same=True),
        false_pairs=sums.pairs(same=False),
        hit_rates={
            name: {side: sums.hit_rate(row, far) for row, side in enumerate(_PAIRS)} for name, far in _RATES.items()
        },
        neighbours={side: sums.estimate(sums.counts(f"neighbours_{side}")) for side in ("new", "mixed")},
        centroids=sums.estimate(sums.counts("centroids")),
        shift=sums.estimate(sums.counts("shift")),
        broken={
            run: {kind: sums.estimate(broken[:, row, column]) for column, kind in enumerate(_KINDS)}
            for row, run in enumerate(_RUNS)
        },
        checks=_check(sums, limits, families=len(some)),
        limits=limits,
    )


def _check(sums: Sums, limits: Limits, *, families: int) -> tuple[Check, ...]:
    """Each measure with its limit."""
    known = families >= limits.families
    far = _RATES["far_1"]
    hits = sums.hit_rates(_PAIRS.index("cross"), far) - sums.hit_rates(_PAIRS.index("old"), far)
    mixed = sums.counts("neighbours_mixed")
    kept = sums.ratios(mixed) - sums.ratios(sums.counts("neighbours_new"))
    centroids = sums.counts("centroids")
    broken = sums.counts("broken")[:, :, _KINDS.index("any")]
    after, before = (sums.ratios(broken[:, _RUNS.index(run)]) for run in ("mixed", "old"))
    return (
        _judge("hit_rate", hits, -limits.hit_rate, cases=sums.pairs(same=True), known=known),
        _judge("neighbours", kept, -limits.neighbours, cases=mixed[..., 1].sum(), known=known),
        _judge("centroids", sums.ratios(centroids), limits.centroids, cases=centroids[:, 1].sum(), known=known),
        _judge("broken", after - before, limits.broken, cases=broken[:, 0, 1].sum(), known=known, at_least=False),
    )


def _judge(key: str, drawn: Draws, limit: float, *, cases: float, known: bool, at_least: bool = True) -> Check:
    if np.isnan(drawn[0]):
        return Check(key, None, None, None, limit, at_least, int(cases))
    low, high = interval(drawn) if known else (None, None)
    return Check(key, float(drawn[0]), low, high, limit, at_least, int(cases))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field of a report
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value.to_dict() if isinstance(value, Estimate) else value


def _read(value: Any) -> Any:  # noqa: ANN401 - any field of a report
    if not isinstance(value, Mapping):
        return value
    return Estimate.from_dict(value) if "cases" in value else {key: _read(one) for key, one in value.items()}
