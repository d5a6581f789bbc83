"""One arm's or baseline's months on an album, and everything that is measured of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import process_time

from eval.breakage import Ceiling, judge_labels
from eval.months import Household, TrialArm
from eval.provisional import Foretold, foretell
from eval.rivals import LivedMonth
from eval.truth import Members, count_changed
from facealbum.clustering.intervals import Rate
from facealbum.domain.ids import FaceId, PersonId
from facealbum.domain.months import Month

DOUBTS = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2)


@dataclass(slots=True)
class Life:
    """What an album's months came to.

    households: each family as the last month left it.  churn: by month, of all faces of earlier months those whose
    companions changed.  ceilings: by month, the labels that its runs were given.  foretold: by doubt, the provisional
    matches.  seconds: process time of all runs together.
    """

    name: str
    households: Mapping[str, Household] = field(default_factory=dict)
    churn: dict[Month, Rate] = field(default_factory=dict)
    ceilings: dict[Month, Ceiling] = field(default_factory=dict)
    foretold: dict[float, Foretold] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def changed(self) -> Rate:
        """Churn of all months together."""
        return Rate(sum(one.hits for one in self.churn.values()), sum(one.cases for one in self.churn.values()))

    @property
    def ceiling(self) -> Ceiling:
        """The labels of all months together."""
        return Ceiling([label for ceiling in self.ceilings.values() for label in ceiling.labels])


def live(name: str, months: Iterable[LivedMonth], members: Members, *, provisional_arm: TrialArm | None = None) -> Life:
    """Follow the months to their end; with an arm its provisional matches are measured as well."""
    life, before, seen, start = Life(name), dict[FaceId, PersonId](), frozenset[FaceId](), process_time()
    for month, households, broken in months:
        life.seconds += process_time() - start
        after = {face: person for one in households.values() for face, person in one.person_of.items()}
        faces = frozenset(face for one in households.values() for face in one.faces)
        if known := seen & members.keys():
            life.churn[month] = Rate(count_changed(before, after, known), len(known))
        if labels := judge_labels(broken, before, members):
            life.ceilings[month] = Ceiling(labels)
        if provisional_arm:
            _foretell(life, households, before, faces - seen, provisional_arm)
        life.households, before, seen = households, after, faces
        start = process_time()
    return life


def _foretell(
    life: Life,
    households: Mapping[str, Household],
    before: Mapping[FaceId, PersonId],
    new: frozenset[FaceId],
    arm: TrialArm,
) -> None:
    """Add the matches of this month's new faces."""
    for household in households.values():
        if mine := new & household.faces.keys():
            found = foretell(household, before, mine, parameters=arm.clustering, doubts=DOUBTS)
            for doubt, counts in found.items():
                life.foretold[doubt] = life.foretold.get(doubt, Foretold()) + counts
