"""Whether albums are as good for every slice: what the monthly sums said of each, and the gate on the worst one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.fairness.gate import (
    USUAL,
    Bounds,
    PairedSums,
    SliceChange,
    Verdict,
    WorstSlice,
    compare_slices,
    judge_worst_slice,
)
from eval.fairness.slices import SliceStanding
from eval.metrics.definitions import METRICS
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence, Term, join_sentences
from facealbum.errors import NothingMeasuredError
from facealbum.steps.context import Context
from facealbum.steps.metrics import expect_metric, find_arm
from facealbum.storage.database import Transaction
from facealbum.storage.fairness import load_newest_month, load_slices, sum_slices
from facealbum.storage.metric_totals import ArmMonth
from facealbum.storage.samples import load_samples

GATED = ("coverage", "association", "breakage")
"""What no slice may lose by a new version: every purity beside its coverage."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """How slices stood in each month under an arm, by metric and slice."""

    arm: str
    months: Mapping[Month, Sequence[SliceStanding]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = [
            {"month": str(month), "metric": one.metric, "slice": one.slice, **one.estimate.to_dict()}
            | {"standing": one.standing.value}
            for month, found in self.months.items()
            for one in found
        ]
        return {"arm": self.arm, "slices": rows}


@dataclass(frozen=True, slots=True)
class SliceGate:
    """What the gate says of each metric, and of all: fails if any fails, passes if all pass.

    labelled: the same of what annotators said of both arms, which is of few faces: it fails a candidate, and never
    keeps one from passing by what it doesn't know.
    """

    metrics: Mapping[str, WorstSlice]
    labelled: Mapping[str, WorstSlice] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Of all metrics together."""
        said = {one.verdict for one in self.metrics.values()}
        if Verdict.FAIL in said | {one.verdict for one in self.labelled.values()}:
            return Verdict.FAIL
        return Verdict.PASS if said == {Verdict.PASS} else Verdict.UNKNOWN

    @property
    def reason(self) -> Sentence:
        """In words, those metrics first that decide."""
        every = {**self.metrics, **self.labelled}
        decide = [
            Sentence(
                "%(metric)s: %(reason)s",
                metric=Term(METRICS[name].title if name in METRICS else name),
                reason=one.reason,
            )
            for name, one in every.items()
            if one.verdict is self.verdict
        ]
        return join_sentences(decide or [Sentence("no metric was given")])

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        figures, labelled = ({name: one.to_dict() for name, one in of.items()} for of in (self.metrics, self.labelled))
        return {"verdict": self.verdict.value, "reason": self.reason, "metrics": figures, "labelled": labelled}


def load_fairness(
    context: Context, first: Month | None = None, last: Month | None = None, *, arm: str | None = None
) -> Fairness:
    """Of these months, or without them of the newest one; raises InvalidValueError and NothingMeasuredError."""
    with context.database.begin() as transaction:
        chosen = find_arm(transaction, arm)
        newest = load_newest_month(transaction, chosen.arm_id)
        end = last or newest
        found = load_slices(transaction, chosen.arm_id, first or end, end) if end else {}
    if not found:
        raise NothingMeasuredError(
            f"no slices were measured under the arm {chosen.name!r} then;"
            " `facealbum cluster` and the monthly job measure each month that they run"
        )
    return Fairness(chosen.name, found)


def judge_arms(
    context: Context,
    candidate: str,
    *,
    month: Month | None = None,
    present: str | None = None,
    metrics: Sequence[str] = GATED,
    bounds: Bounds = USUAL,
) -> SliceGate:
    """Whether an arm makes any slice worse than the present one, in the same families and month.

    Without a month the newest that both have; where there is none, nothing is known.  Raises InvalidValueError.
    """
    with context.database.begin() as transaction:
        return judge_slices_of(transaction, candidate, month=month, present=present, metrics=metrics, bounds=bounds)


def judge_slices_of(
    transaction: Transaction,
    candidate: str,
    *,
    month: Month | None = None,
    present: str | None = None,
    metrics: Sequence[str] = GATED,
    bounds: Bounds = USUAL,
) -> SliceGate:
    """The same in the caller's transaction."""
    for metric in metrics:
        expect_metric(metric)
    arms = find_arm(transaction, present), find_arm(transaction, candidate)
    labelled = _judge_labelled(transaction, arms[0].name, arms[1].name, bounds)
    newest = [load_newest_month(transaction, arm.arm_id) for arm in arms]
    shared = month or min((one for one in newest if one is not None), default=None)
    if shared is None:
        return SliceGate({metric: judge_worst_slice((), bounds) for metric in metrics}, labelled)
    first, second = (ArmMonth(arm.arm_id, shared) for arm in arms)
    return SliceGate(
        {
            metric: judge_worst_slice(
                compare_slices(_comparable(sum_slices(transaction, first, second, metric)), METRICS[metric].better),
                bounds,
            )
            for metric in metrics
        },
        labelled,
    )


def _judge_labelled(transaction: Transaction, present: str, candidate: str, bounds: Bounds) -> dict[str, WorstSlice]:
    """What the newest concluded sample of each kind that was drawn under both arms says."""
    found: dict[str, WorstSlice] = {}
    for sample in load_samples(transaction):
        if sample.estimate is None or {present, candidate} != set(sample.design.arms):
            continue
        for measure, changes in sample.estimate.get("changes", {}).items():
            read = [SliceChange(**one) for one in changes]
            sides = read if sample.design.arms[0] == present else [one.reversed() for one in read]
            found.setdefault(measure, judge_worst_slice(sides, bounds))
    return found


def _comparable(slices: Mapping[str, PairedSums]) -> dict[str, PairedSums]:
    """Without the slices by model, which are other ones under another arm."""
    return {name: one for name, one in slices.items() if not name.startswith("model:")}
