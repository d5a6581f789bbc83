"""What the page shows, as values.

Totals are given apart from pictures: a caller may hand over fewer pictures than there are faces, and the page says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from facealbum.clustering.intervals import Rate
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """The picture of one face (JPEG bytes), when it was taken, the age in years if known, the detector's score."""

    image: bytes
    taken_at: datetime
    age: float | None
    score: float
    photo: str


@dataclass(frozen=True, slots=True)
class PersonSection:
    """One person.  `child`: the linked child's name; `link_probability`: None where a user's word made the link.

    crops: from oldest to newest; more than the page shows are thinned out evenly over time.
    provisional: how many of the faces no monthly run has looked at yet.
    """

    label: str
    child: str | None
    link_probability: float | None
    months: tuple[Month, ...]
    faces: int
    first: date
    last: date
    mean_age: float | None
    crops: tuple[FaceCrop, ...]
    provisional: int = 0


@dataclass(frozen=True, slots=True)
class WaitingFaces:
    """Faces that belong to nobody yet: how many, and pictures of some or all."""

    total: int = 0
    crops: tuple[FaceCrop, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRow:
    """The figures of one month's run.

    new: faces that the month brought; assigned and waiting: faces with and without a person after the run;
    persons: known after the run; association: faces of registered children, of those that could be.
    mixing, disappearance, splitting, broken: labels that broke so, and in any way, of `labels` checked.
    """

    month: Month
    new: int
    assigned: int
    waiting: int
    persons: int
    association: Rate
    labels: int
    mixing: int
    disappearance: int
    splitting: int
    broken: int

    def __post_init__(self) -> None:
        for name in ("mixing", "disappearance", "splitting", "broken"):
            if not 0 <= getattr(self, name) <= self.labels:
                raise InvalidValueError(f"{name} must be 0 to labels ({self.labels}), got {getattr(self, name)}")

    @property
    def coverage(self) -> Rate:
        """Faces with a person, of all."""
        return Rate(self.assigned, self.assigned + self.waiting)

    @property
    def breakage(self) -> Rate:
        """Labels that broke in any way, of those checked."""
        return Rate(self.broken, self.labels)


@dataclass(frozen=True, slots=True)
class FamilyReport:
    """One family: `children` names every registered child, whether found in photos or not; `runs` oldest first.

    questions: what the family should look at, by the name of the child that it is about.
    """

    name: str
    children: tuple[str, ...]
    persons: tuple[PersonSection, ...]
    waiting: WaitingFaces
    runs: tuple[RunRow, ...]
    questions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A photo that could not be used, or not in full; `code` is that of facealbum.errors."""

    photo: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class AlbumReport:
    """The whole page; `period` is None where it holds everything."""

    title: str
    generated_at: datetime
    period: tuple[Month, Month] | None
    families: tuple[FamilyReport, ...]
    problems: tuple[Problem, ...]
