"""From what happened in one family's month to its counts, by metric and slice.

The database groups the facts, so they are some dozens of rows however many faces there are; here is all the
arithmetic.  A metric without a case in a slice has no row.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from eval.metrics.slices import EVERYTHING
from facealbum.domain.ids import PersonId

_DIGITS = 6  # that are kept of sums of fractions, so that the order of adding doesn't show


class Count(NamedTuple):
    """What one family's month adds to a metric, in one slice."""

    metric: str
    slice: str
    total: float
    cases: float


class Part(NamedTuple):
    """So many of so many."""

    total: float
    cases: float


@dataclass(frozen=True, slots=True)
class FaceGroup:
    """Faces of the month that are of the same slices: all, those with a confirmed person, those linked to a child."""

    slices: tuple[str, ...]
    faces: int
    assigned: int
    linked: int


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person's confirmed faces up to the month's end, and the standard deviation of their implied births in years."""

    slices: tuple[str, ...]
    faces: int
    spread: float


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """How a pseudo-label came out of the clustering without pins."""

    slices: tuple[str, ...]
    mixing: bool
    disappearance: bool
    splitting: bool

    @property
    def breakage(self) -> bool:
        """Whether it broke in any way."""
        return self.mixing or self.disappearance or self.splitting


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """All that a family's month is measured by; `parts` are metrics that are counted as a whole, by their keys."""

    has_children: bool
    faces: tuple[FaceGroup, ...] = ()
    persons: tuple[PersonFacts, ...] = ()
    labels: tuple[LabelFacts, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)


def count_month(facts: MonthFacts) -> tuple[Count, ...]:
    """The family's counts, sorted by metric and slice."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(metric: str, slices: tuple[str, ...], total: float, cases: float) -> None:
        for one in (EVERYTHING, *slices):
            sums[metric, one][0] += total
            sums[metric, one][1] += cases

    for group in facts.faces:
        add("coverage", group.slices, group.assigned, group.faces)
        if facts.has_children:
            add("association", group.slices, group.linked, group.faces)
    for person in facts.persons:
        add("cluster_size", person.slices, person.faces, 1)
        if person.faces > 1:
            add("age_spread", person.slices, person.faces * person.spread, person.faces)
    for label in facts.labels:
        for kind in ("breakage", "mixing", "disappearance", "splitting"):
            add(kind, label.slices, getattr(label, kind), 1)
    for metric, part in facts.parts.items():
        add(metric, (), *part)
    return tuple(Count(*key, round(total, _DIGITS), cases) for key, (total, cases) in sorted(sums.items()) if cases)


Companies: TypeAlias = Mapping[PersonId, tuple[int, Decimal]]
"""Of each person the number of its faces and the sum of their hashes, by which sets of faces are told apart."""


def count_churn(before: Companies, after: Companies, merged: Mapping[PersonId, PersonId]) -> Part:
    """Faces whose companions changed without a recorded reason, of those that had a person before.

    after: of the same faces.  merged: whom a person became, the recorded reason.  A face that leaves a person for
    another changes the companions of all faces of both, as eval.truth.count_changed has it.
    """
    expected: dict[PersonId, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for person, (faces, mark) in before.items():
        heir = person
        while heir in merged and heir not in after:
            heir = merged[heir]
        expected[heir] = expected[heir][0] + faces, expected[heir][1] + mark
    changed = sum(faces for person, (faces, mark) in expected.items() if after.get(person) != (faces, mark))
    return Part(changed, sum(faces for faces, _ in before.values()))
