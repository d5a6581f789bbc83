"""Precision and recall of the whole population from the labelled part of it.

Totals are Horvitz-Thompson's (each answer counts for 1 / its inclusion probability), rates the ratio of two of them,
which is Hajek's estimate.  The variance is that of the linearised ratio around the mean of each stratum, with the
finite population correction, added up by family before it is squared: with one item a family it is the textbook's of
a stratified sample, and a sample of everything has none.  A stratum whose answers are all alike is taken to vary like
one that has half an answer more of either kind.  Intervals are Wilson's with the sample size that has this variance
(Franco, Little, Louis and Slud, Comparative study of confidence intervals for proportions in complex sample surveys,
2019), with Student's t for few families; one family alone counts as one case.

An item without an answer is taken to be like the answered ones of its stratum; `unsure` is no answer here, and what
it could change is told as `if_unsure_wrong` and `if_unsure_right`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import sqrt
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from eval.annotation.agreement import Agreement
from eval.annotation.design import StratumSize
from eval.annotation.items import Answer, Item, Kind
from eval.annotation.settle import Settled
from eval.fairness.gate import SliceChange
from eval.metrics.estimates import Estimate, wilson
from facealbum.domain.sentences import Sentence, Share
from facealbum.errors import InvalidValueError

Counted = Callable[[Item, Settled], tuple[float, float]]
"""What an answer adds to the two totals of a rate."""

MIN_RESPONSE = 0.8


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate under one arm: of so many answered items, with its interval; and what the unsure ones could make of it."""

    measure: str
    arm: str
    items: int
    estimate: Estimate
    if_unsure_wrong: float | None
    if_unsure_right: float | None


@dataclass(frozen=True, slots=True)
class SliceFigure:
    """A rate of one slice under an arm, or of all with the empty slice; the intervals of all slices hold together.

    standing: `worse`, `alike` or `better` than all, or `too few` families to say.
    """

    measure: str
    arm: str
    slice: str
    items: int
    estimate: Estimate
    standing: str


@dataclass(frozen=True, slots=True)
class StratumAnswers:
    """What became of one stratum's items; gone: their family was deleted since."""

    stratum: str
    population: float
    drawn: int
    gone: int
    answers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AnnotationEstimate:
    """What a labelled sample says; response: answered items, the unsure ones among them, of those drawn.

    unsettled: annotators gave one answer as often as another.  settled_by: how different answers became one.
    changes: of two arms, by measure, how much worse the second is in each slice.
    """

    sample: str
    kind: str
    drawn: int
    answered: int
    unsure: int
    unsettled: int
    disputed: int
    response: float
    settled_by: str
    strata: tuple[StratumAnswers, ...]
    figures: tuple[Figure, ...]
    agreement: tuple[Agreement, ...]
    slices: tuple[SliceFigure, ...] = ()
    changes: Mapping[str, tuple[SliceChange, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as it was drawn, and those of its items whose family is still there."""

    name: str
    kind: Kind
    arms: tuple[str, ...]
    strata: tuple[StratumSize, ...]
    items: tuple[Item, ...]


def estimate_sample(
    sample: Sample,
    settled: Mapping[UUID, Settled | None],
    *,
    agreement: Sequence[Agreement] = (),
    arbiter: str | None = None,
    min_response: float = MIN_RESPONSE,
) -> AnnotationEstimate:
    """Every rate that this kind of sample tells.

    Raises InvalidValueError if fewer than `min_response` of the items, or none of a stratum, have an answer.
    """
    strata = tuple(_strata(sample, settled))
    drawn = sum(one.drawn for one in strata)
    counts = Counter(answer for one in strata for answer, count in one.answers.items() for _ in range(count))
    answered = sum(counts[answer] for answer in Answer)
    response = answered / drawn if drawn else 0.0
    if response < min_response:
        raise InvalidValueError(
            Sentence(
                "%(answered)s of the %(drawn)s items of %(sample)s are answered, less than %(least)s; label more, or"
                " say with --min-response that fewer must do",
                answered=answered,
                drawn=drawn,
                sample=sample.name,
                least=Share(min_response, 0),
            )
        )
    return AnnotationEstimate(
        sample=sample.name,
        kind=sample.kind.value,
        drawn=drawn,
        answered=answered,
        unsure=counts[Answer.UNSURE],
        unsettled=counts["unsettled"],
        disputed=sum(one.disputed for one in settled.values() if one),
        response=response,
        settled_by=f"the word of {arbiter} where there is one, else the majority" if arbiter else "the majority",
        strata=strata,
        figures=tuple(_figures(sample, settled)),
        agreement=tuple(agreement),
    )


def _strata(sample: Sample, settled: Mapping[UUID, Settled | None]) -> Iterator[StratumAnswers]:
    for one in sample.strata:
        items = [item for item in sample.items if item.stratum == one.stratum]
        said = Counter(_told(settled, item) for item in items)
        answers = {name: said[name] for name in (*Answer, "unsettled", "none")}
        yield StratumAnswers(one.stratum, one.population, one.drawn, one.drawn - len(items), answers)


def _told(settled: Mapping[UUID, Settled | None], item: Item) -> str:
    if item.item_id not in settled:
        return "none"
    found = settled[item.item_id]
    return found.answer if found else "unsettled"


def _figures(sample: Sample, settled: Mapping[UUID, Settled | None]) -> Iterator[Figure]:
    firm = firm_answers(settled)
    unsure = {item: one for item, one in settled.items() if one and one.answer is Answer.UNSURE}
    for arm in sample.arms:
        for measure, counted in MEASURES[sample.kind].items():
            estimate, items = estimate_rate(sample, firm, under(arm, counted))
            if not items:
                continue
            bounds = [
                estimate_rate(
                    sample, firm | {item: _as_if(answer, one) for item, one in unsure.items()}, under(arm, counted)
                )
                for answer in (Answer.NO, Answer.YES)
            ]
            values = [bound.value for bound, _ in bounds if bound.value is not None]
            yield Figure(measure, arm, items, estimate, min(values, default=None), max(values, default=None))


def _as_if(answer: Answer, unsure: Settled) -> Settled:
    """The settled answer as it could have been."""
    return replace(unsure, answer=answer, odd=())


def firm_answers(settled: Mapping[UUID, Settled | None]) -> dict[UUID, Settled]:
    """Those that say something: neither unsure nor unsettled."""
    return {item: one for item, one in settled.items() if one and one.answer is not Answer.UNSURE}


def under(arm: str, counted: "Measure") -> Counted:
    """What the measure counts of the arm's items."""

    def of_arm(item: Item, settled: Settled) -> tuple[float, float]:
        return counted(arm, item, settled) if item.arm in {None, arm} else (0.0, 0.0)

    return of_arm


def turned(counted: Counted) -> Counted:
    """What the other answer would have added."""

    def other(item: Item, settled: Settled) -> tuple[float, float]:
        yes = settled.answer is Answer.YES
        return counted(item, replace(settled, answer=Answer.NO if yes else Answer.YES, odd=(1,) if yes else ()))

    return other


def estimate_rate(
    sample: Sample,
    settled: Mapping[UUID, Settled],
    counted: Counted,
    *,
    other: Counted | None = None,
    level: float = 0.95,
) -> tuple[Estimate, int]:
    """The rate, and the number of items that it is of; other: what the opposite of an answer would have added.

    That tells how much a stratum whose answers are all alike may vary.  Raises InvalidValueError if no item of a
    stratum has an answer.
    """
    items, weights = weigh(sample, settled)
    counts, others = (count_items(items, settled, one) for one in (counted, other or turned(counted)))
    used = int((counts[:, 1] + others[:, 1] > 0).sum())
    return _ratio(items, weights, counts, others, level), used


def weigh(sample: Sample, settled: Mapping[UUID, Settled]) -> tuple[list[Item], NDArray[np.float64]]:
    """The answered items, and for how many units each of them stands; raises as `estimate_rate`."""
    items = [item for item in sample.items if item.item_id in settled]
    drawn = {one.stratum: one.drawn for one in sample.strata}
    answered = Counter(item.stratum for item in items)
    lost = [name for name, count in drawn.items() if count and not answered[name]]
    if lost:
        raise InvalidValueError(
            Sentence("no item of the stratum %(name)s has a sure answer; label some of each", name=lost[0])
        )
    return items, np.array([drawn[item.stratum] / answered[item.stratum] / item.probability for item in items])


def count_items(items: Sequence[Item], settled: Mapping[UUID, Settled], counted: Counted) -> NDArray[np.float64]:
    """float64[items, 2]: what each answer adds to the two totals of a rate."""
    return np.array([counted(item, settled[item.item_id]) for item in items], np.float64).reshape(-1, 2)


def _ratio(
    items: Sequence[Item],
    weights: NDArray[np.float64],
    counts: NDArray[np.float64],
    others: NDArray[np.float64],
    level: float,
) -> Estimate:
    """The weighted ratio of float64[items, 2] totals and cases; others: what the other answer would have added."""
    total, cases = (float(value) for value in weights @ counts)
    used = counts[:, 1] + others[:, 1] > 0
    families = len({item.family_id for item, one in zip(items, used, strict=True) if one})
    if not cases:
        return Estimate(None, 0.0, 1.0, total, cases, families, level)
    value = total / cases
    if families == 1 and not np.allclose(weights, 1):  # it tells nothing of how families differ
        return Estimate(value, *wilson(value, 1, level=level), total, cases, families, level)
    residual, other = ((one[:, 0] - value * one[:, 1]) / cases for one in (counts, others))
    variance = variance_of(items, weights, residual, other)
    if not variance:
        return Estimate(value, value, value, total, cases, families, level)
    shrunk = (used.sum() * value + 0.5) / (used.sum() + 1)
    strata = len({item.stratum for item, one in zip(items, used, strict=True) if one})
    tail = (1 + level) / 2
    few = float(ndtri(tail) / stdtrit(max(1, families - strata), tail))
    low, high = wilson(value, shrunk * (1 - shrunk) / variance * few**2, level=level)
    return Estimate(value, low, high, total, cases, families, level)


def variance_of(
    items: Sequence[Item], weights: NDArray[np.float64], residual: NDArray[np.float64], other: NDArray[np.float64]
) -> float:
    """Of a ratio or a difference of two, from each item's part in its error; other: the same with the other answer."""
    families, family = np.unique([str(item.family_id) for item in items], return_inverse=True)
    names, stratum = np.unique([item.stratum for item in items], return_inverse=True)
    of_family, alike = np.zeros(len(families)), 0.0
    for number in range(len(names)):
        here = stratum == number
        n, rest = int(here.sum()), max(0.0, 1 - here.sum() / weights[here].sum())
        parts = weights[here] * residual[here]
        if np.ptp(parts) > 0 and n > 1:
            np.add.at(of_family, family[here], (parts - parts.mean()) * sqrt(rest * n / (n - 1)))
        else:
            spread = (weights * (residual - other))[here]
            counted = int((spread != 0).sum())  # a rate may be of a part of the stratum
            alike += rest * float(spread @ spread) * _shy(counted)
    return alike + float(of_family @ of_family)


def _shy(n: int) -> float:
    """The variance of one answer where all of n are alike, with half an answer more of either kind."""
    share = 0.5 / (n + 1)
    return share * (1 - share)


Measure = Callable[[str, Item, Settled], tuple[float, float]]


def _right(_: str, __: Item, settled: Settled) -> tuple[float, float]:
    return float(settled.answer is Answer.YES), 1.0


def _linked_right(arm: str, item: Item, settled: Settled) -> tuple[float, float]:
    return _right(arm, item, settled) if item.child_id else (0.0, 0.0)


def _precision(arm: str, item: Item, settled: Settled) -> tuple[float, float]:
    return _right(arm, item, settled) if arm in item.together else (0.0, 0.0)


def _recall(arm: str, item: Item, settled: Settled) -> tuple[float, float]:
    same = float(settled.answer is Answer.YES)
    return (same if arm in item.together else 0.0), same


def _cluster_precision(_: str, item: Item, settled: Settled) -> tuple[float, float]:
    return item.size * (1 - len(settled.odd) / len(item.faces)), item.size


MEASURES: Mapping[Kind, Mapping[str, Measure]] = {
    Kind.FACES: {"assignment_precision": _right, "link_precision": _linked_right},
    Kind.PAIRS: {"pairwise_precision": _precision, "pairwise_recall": _recall},
    Kind.CLUSTERS: {"cluster_precision": _cluster_precision, "pure_clusters": _right},
}
"""What each kind of sample tells, of an arm, an item and its answer."""
