"""What a check for drift found, as figures that reports show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eval.drift.attribution import Contribution
from eval.drift.distributions import BINNING, DISTRIBUTIONS
from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence, Term, join_sentences

Against = Literal["baseline", "before", "training"]
_ABOUT = {
    "baseline": Sentence("the quiet months"),
    "before": Sentence("the month before"),
    "training": Sentence("the training set"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One distribution against what it is compared with.

    distance: Jensen-Shannon, 0 to 1.  threshold: None where nothing is judged, for the reason in `unjudged`.
    counts, counts_before: of each bin.  groups: which photos the change comes from, where it is an alarm.
    """

    distribution: str
    distance: float
    threshold: float | None
    counts: tuple[int, ...]
    counts_before: tuple[int, ...]
    groups: tuple[Contribution, ...] = ()
    unjudged: str = ""

    @property
    def alarm(self) -> bool:
        """Whether it is further away than quiet months are."""
        return self.threshold is not None and self.distance > self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, with the edges between the bins."""
        about = DISTRIBUTIONS[self.distribution]
        return {
            "distribution": self.distribution,
            "about": about.about,
            "unit": about.unit,
            "edges": list(about.edges),
            "distance": self.distance,
            "threshold": self.threshold,
            "alarm": self.alarm,
            "unjudged": self.unjudged,
            "cases": sum(self.counts),
            "cases_before": sum(self.counts_before),
            "counts": list(self.counts),
            "counts_before": list(self.counts_before),
            "groups": [one.to_dict() for one in self.groups],
        }


@dataclass(frozen=True, slots=True)
class DriftReport:
    """A month of one model version against its quiet months, the month before, or a training set.

    analyzer: the digest of the model versions.  months: what it is compared with; none for a training set.
    false_alarms: the chance that a quiet month raises any alarm of this report; None for a training set.
    """

    month: Month
    analyzer: str
    models: Mapping[str, str]
    against: Against
    months: tuple[Month, ...]
    false_alarms: float | None
    changes: tuple[Change, ...]

    @property
    def alarms(self) -> list[Sentence]:
        """One line for each distribution that has drifted, the farthest first."""
        moved = [one for one in self.changes if one.alarm and one.threshold is not None]
        moved.sort(key=lambda one: one.distance / (one.threshold or 1), reverse=True)
        return [self._line(one) for one in moved]

    @property
    def what(self) -> str:
        """What the month is compared with, in words."""
        ends = [str(month) for month in dict.fromkeys((*self.months[:1], *self.months[-1:]))]
        return f"{_ABOUT[self.against]} ({' to '.join(ends)})" if ends else _ABOUT[self.against]

    def _line(self, one: Change) -> Sentence:
        said = Sentence(
            "%(about)s: distance %(distance)s to %(against)s, more than %(threshold)s (n = %(now)s and %(before)s)",
            about=Term(DISTRIBUTIONS[one.distribution].about),
            distance=Number(one.distance, 3),
            against=_ABOUT[self.against],
            threshold=Number(one.threshold or 0, 3),
            now=sum(one.counts),
            before=sum(one.counts_before),
        )
        groups = [group.words() for group in one.groups]
        return join_sentences([said, *(groups or [Sentence("all groups changed alike")])])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "month": str(self.month),
            "analyzer": self.analyzer,
            "models": dict(self.models),
            "against": self.against,
            "months": [str(month) for month in self.months],
            "false_alarms": self.false_alarms,
            "binning": BINNING,
            "changes": [one.to_dict() for one in self.changes],
            "alarms": self.alarms,
        }
