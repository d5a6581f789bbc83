"""The report that sets two runs side by side, of two arms or two months: each metric, and its difference by family.

Nobody fixed beforehand what counts, so it suggests and never decides; an experiment does.
"""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from eval.metrics import METRICS, Better, Estimate
from eval.metrics.change import Change
from eval.report.charts import Table, Whisker, WhiskerChart
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section
from eval.report.words import month as month_words
from facealbum.domain.months import Month

_CAUTION = (
    "Of metrics looked at together, one in twenty differs by chance; only an experiment, which fixes its metric "
    "beforehand, decides."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the two: an arm in a month, and the embedding models that it was computed with."""

    arm: str
    month: Month
    models: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"arm": self.arm, "month": str(self.month), "models": list(self.models)}


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric in both runs, and what changed from the first to the second."""

    metric: str
    first: Estimate
    second: Estimate
    change: Change

    @property
    def word(self) -> str:
        """What the interval lets one say."""
        change = self.change
        if change.value is None or not isfinite(change.high):
            return "too few families"
        if change.low <= 0 <= change.high:
            return "no difference seen"
        better = METRICS[self.metric].better
        if better is Better.NEITHER:
            return "differs"
        return "better" if (change.value > 0) == (better is Better.HIGHER) else "worse"

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        sides = {"first": self.first.to_dict(), "second": self.second.to_dict()}
        return {"metric": self.metric, **sides, "change": self.change.to_dict(), "conclusion": self.word}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, metric by metric."""

    first: Side
    second: Side
    differences: tuple[Difference, ...]

    @property
    def names(self) -> tuple[str, str]:
        """What tells the two apart: their arms, or their months under one arm."""
        if self.first.arm == self.second.arm:
            return month_words(self.first.month), month_words(self.second.month)
        return self.first.arm, self.second.arm

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        sides = {"first": self.first.to_dict(), "second": self.second.to_dict()}
        return {**sides, "metrics": [one.to_dict() for one in self.differences]}


def write_comparison(found: Comparison, *, now: datetime) -> Paper:
    """The paper of two runs."""
    first, second = found.names
    words = {
        word: ", ".join(METRICS[one.metric].title for one in found.differences if one.word == word)
        for word in ("better", "worse")
    }
    said = " and ".join(f"{word} in {metrics}" for word, metrics in words.items() if metrics)
    return Paper(
        kind="comparison",
        title=f"{second} beside {first}",
        subtitle=" and ".join(f"{side.arm} in {month_words(side.month)}" for side in (found.first, found.second)),
        generated_at=now,
        mood=Mood.OPEN,
        verdict=(f"{second} is {said} than {first}." if said else f"No metric tells {second} from {first}.", _CAUTION),
        totals=(
            (
                max((one.change.families for one in found.differences), default=0),
                "family in either",
                "families in either",
            ),
        ),
        sections=(_runs(found), _differences(found), _values(found)),
        figures=found.to_dict(),
    )


def _runs(found: Comparison) -> Section:
    rows = tuple(
        (name, side.arm, month_words(side.month), ", ".join(side.models))
        for name, side in zip(found.names, (found.first, found.second), strict=True)
    )
    words = "Where both have a family it is compared with itself, so what families always differ by drops out."
    return Section("The runs", (words,), (Table("Runs", ("Run", "Arm", "Month", "Embedding models"), rows),))


def _differences(found: Comparison) -> Section:
    rows = tuple(
        Whisker(
            METRICS[one.metric].title,
            _measured(one),
            lower_is_better=METRICS[one.metric].better is Better.LOWER,
            word=one.word,
        )
        for one in found.differences
    )
    first, second = found.names
    note = "Right of the line is better; of sizes, more. Every row has a scale of its own."
    return Section("Differences", blocks=(WhiskerChart(f"{second} less {first}", note, rows),))


def _measured(one: Difference) -> Measured:
    change, scale = one.change, Scale.POINTS if METRICS[one.metric].share else Scale.CHANGE
    low, high = (end if isfinite(end) else None for end in (change.low, change.high))
    return Measured(change.value, low, high, scale, families=change.families, level=change.level)


def _values(found: Comparison) -> Section:
    scales = {key: Scale.SHARE if metric.share else Scale.PLAIN for key, metric in METRICS.items()}
    rows = tuple(
        (
            METRICS[one.metric].title,
            Measured.of(one.first, scales[one.metric]),
            Measured.of(one.second, scales[one.metric]),
            METRICS[one.metric].unit,
        )
        for one in found.differences
    )
    columns = ("Metric", *found.names, "Unit")
    return Section("Both runs", blocks=(Table("Each metric with its counts", columns, rows),))
