"""What a labelled sample says of each slice, and of two arms in each.

A slice is a part of the population, so its rate follows from those items that are in it, with the weights that they
have (Cochran, Sampling Techniques, 3rd ed., 5A.14): it needs no sample of its own, and is as unbiased as the sample is.
A face is in the slices of what is estimated of it, whatever an arm decided; a pair in those of either face; clusters
are of many faces and tell none.  Whether age and gender are right is told of faces that annotators confirmed as a
person who is linked to a child, by this child's age and gender as registered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from uuid import UUID

import numpy as np
from scipy.special import stdtrit

from eval.annotation.estimate import (
    MEASURES,
    Counted,
    Sample,
    SliceFigure,
    count_items,
    estimate_rate,
    firm_answers,
    turned,
    under,
    variance_of,
    weigh,
)
from eval.annotation.items import Answer, Item, Kind
from eval.annotation.settle import Settled
from eval.fairness.gate import FEWEST, LEVEL, SliceChange, widen_unseen
from eval.fairness.slices import Standing, level_among, stand
from eval.metrics.definitions import Better
from eval.metrics.estimates import Array, Estimate
from eval.metrics.slices import EVERYTHING

_NOTHING = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of an item's faces, whatever annotators say of it.

    slices: as estimated.  child_slices: of the child that the person is linked to, at the photo's date.
    age_right, gender_right: whether what is estimated is that child's; None where that isn't registered.
    """

    slices: tuple[str, ...]
    child_slices: tuple[str, ...] = ()
    age_right: bool | None = None
    gender_right: bool | None = None


@dataclass(frozen=True, slots=True)
class _Rate:
    """What answers count, what their opposites would, and the slices of each item."""

    counted: Counted
    other: Counted
    slices: Mapping[UUID, tuple[str, ...]]

    def within(self, part: str) -> tuple[Counted, Counted]:
        """The same of one slice alone."""

        def only(counted: Counted) -> Counted:
            def here(item: Item, settled: Settled) -> tuple[float, float]:
                inside = part == EVERYTHING or part in self.slices.get(item.item_id, ())
                return counted(item, settled) if inside else _NOTHING

            return here

        return only(self.counted), only(self.other)


def estimate_slices(
    sample: Sample, settled: Mapping[UUID, Settled | None], asked: Mapping[UUID, Asked]
) -> Iterator[SliceFigure]:
    """Every rate of every arm by slice; raises as `estimate_rate`."""
    firm = firm_answers(settled)
    for arm in sample.arms:
        for measure, rate in _rates(sample.kind, arm, asked).items():
            yield from _beside_all(sample, firm, rate, measure=measure, arm=arm)


def compare_arms(
    sample: Sample, settled: Mapping[UUID, Settled | None], asked: Mapping[UUID, Asked]
) -> dict[str, tuple[SliceChange, ...]]:
    """By measure, how much worse the second arm is than the first in each slice; nothing of one arm alone."""
    if len(sample.arms) == 1:
        return {}
    firm = firm_answers(settled)
    sides = [_rates(sample.kind, arm, asked) for arm in sample.arms]
    return {
        measure: tuple(
            _change(sample, firm, part, rate.within(part), sides[1][measure].within(part)) for part in _parts(rate)
        )
        for measure, rate in sides[0].items()
        if measure in MEASURES[sample.kind]
    }


def _rates(kind: Kind, arm: str, asked: Mapping[UUID, Asked]) -> dict[str, _Rate]:
    if kind is Kind.CLUSTERS:
        return {}
    slices = {item: one.slices for item, one in asked.items()}
    found = {
        measure: _Rate(counted := under(arm, measured), turned(counted), slices)
        for measure, measured in MEASURES[kind].items()
    }
    if kind is Kind.FACES:
        of_child = {item: one.child_slices for item, one in asked.items()}
        for measure in ("age_right", "gender_right"):
            right = {item: known for item, one in asked.items() if (known := getattr(one, measure)) is not None}
            counted, opposite = (_of_confirmed(arm, right, wrong=wrong) for wrong in (False, True))
            found[measure] = _Rate(counted, opposite, of_child)
    return found


def _of_confirmed(arm: str, right: Mapping[UUID, bool], *, wrong: bool) -> Counted:
    def counted(item: Item, settled: Settled) -> tuple[float, float]:
        known = item.arm == arm and settled.answer is Answer.YES and item.item_id in right
        return (float(right[item.item_id] != wrong), 1.0) if known else _NOTHING

    return counted


def _parts(rate: _Rate) -> list[str]:
    return [EVERYTHING, *sorted({part for some in rate.slices.values() for part in some})]


def _beside_all(
    sample: Sample, firm: Mapping[UUID, Settled], rate: _Rate, *, measure: str, arm: str
) -> Iterator[SliceFigure]:
    def estimate(part: str, level: float) -> tuple[Estimate, int]:
        counted, other = rate.within(part)
        return estimate_rate(sample, firm, counted, other=other, level=level)

    first = {part: found for part in _parts(rate) if (found := estimate(part, LEVEL))[1]}
    among = sum(one.families >= FEWEST for part, (one, _) in first.items() if part)
    for part, (one, items) in first.items():
        if not part:
            standing = Standing.ALIKE if one.families >= FEWEST else Standing.FEW
            yield SliceFigure(measure, arm, part, items, one, standing)
            continue
        wider, _ = estimate(part, level_among(among))
        whole = first[EVERYTHING][0].value
        judged = one.families >= FEWEST and whole is not None and wider.value is not None
        standing = stand(wider, whole, Better.HIGHER) if judged and whole is not None else Standing.FEW
        yield SliceFigure(measure, arm, part, items, wider, standing)


def _change(
    sample: Sample,
    firm: Mapping[UUID, Settled],
    part: str,
    present: tuple[Counted, Counted],
    candidate: tuple[Counted, Counted],
) -> SliceChange:
    """The difference of the two rates, by its linearised error (as `variance_of` has it) and Student's t."""
    items, weights = weigh(sample, firm)
    counts = [[count_items(items, firm, one) for one in side] for side in (present, candidate)]
    used = np.flatnonzero(np.array([one[:, 1] for side in counts for one in side]).any(axis=0))
    families = len({items[place].family_id for place in used})
    totals = [weights @ side[0] for side in counts]
    if not all(total[1] for total in totals):
        return SliceChange(part, 1.0, 0.0, -1.0, 1.0, families)
    values = [float(total / cases) for total, cases in totals]
    errors = [_errors(side, value, cases) for side, value, (_, cases) in zip(counts, values, totals, strict=True)]
    residual, other = (first - second for first, second in zip(*errors, strict=True))
    freedom = max(1, families - len({items[place].stratum for place in used}))
    half = -float(stdtrit(freedom, (1 - LEVEL) / 2)) * sqrt(variance_of(items, weights, residual, other))
    worse = values[0] - values[1]
    differ = np.flatnonzero((counts[0][0] != counts[1][0]).any(axis=1))
    changed = len({items[place].family_id for place in differ})
    low, high = widen_unseen(worse, (worse - half, worse + half), families=families, changed=changed)
    return SliceChange(part, 1 - values[0], worse, low, high, families)


def _errors(side: list[Array], value: float, cases: float) -> tuple[Array, Array]:
    """Each item's part in the error of the ratio, and what that were with the opposite answer."""
    residual, other = ((one[:, 0] - value * one[:, 1]) / cases for one in side)
    return np.asarray(residual), np.asarray(other)
