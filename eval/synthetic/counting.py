"""What every metric counts in one family's month, from the family before and after the run, in memory.

The product counts the same in SQL (facealbum.storage.family_metrics); definitions are those of eval.metrics.  With
truth given, the metrics that need it are counted beside, over all faces up to the month's end.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import comb
from typing import TypeAlias

import numpy as np

from eval.months import Household
from eval.provisional import foretell
from eval.truth import Members, PersonOf, bcubed, count_changed
from facealbum.clustering import LabelBreakage
from facealbum.clustering.match import DOUBT
from facealbum.domain.ids import FaceId, PersonId, PhotoId

MonthCounts: TypeAlias = Mapping[str, tuple[float, float]]
"""Total and cases of each metric, by its key."""

_SECONDS = 365.2425 * 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of a family: the persons before it with its recorded moves made, the month's faces, what broke."""

    before: PersonOf
    new: Collection[FaceId]
    labels: Collection[LabelBreakage]


def count_month(household: Household, run: Run, members: Members) -> dict[str, tuple[float, float]]:
    """The counts of all metrics but corrections, which only users make; metrics with neither total nor cases too."""
    after, new = household.person_of, run.new
    placed = [face for face in new if face in after]
    sizes = Counter(after.values())
    found: dict[str, tuple[float, float]] = {
        "association": (
            sum(after[face] in household.child_of for face in placed),
            len(new) if household.children else 0,
        ),
        "coverage": (len(placed), len(new)),
        "waiting": (len(household.faces) - len(after), len(household.faces)),
        "cluster_size": (len(after), len(sizes)),
        "churn": (count_changed(run.before, after, run.before), len(run.before)),
        "age_spread": _age_spread(household),
        "collisions": _collisions(household, placed),
        "provisional_confirmed": _provisional(household, run),
    }
    return found | _breakage(run.labels) | _truth(household, members)


def _breakage(labels: Collection[LabelBreakage]) -> dict[str, tuple[float, float]]:
    cases = len(labels)
    return {
        "breakage": (sum(label.broken for label in labels), cases),
        "mixing": (sum(label.mixing for label in labels), cases),
        "disappearance": (sum(label.disappearance for label in labels), cases),
        "splitting": (sum(label.splitting for label in labels), cases),
    }


def _age_spread(household: Household) -> tuple[float, float]:
    """Faces times the standard deviation of their person's implied birth dates, in years."""
    births: dict[PersonId, list[float]] = defaultdict(list)
    for face, person in household.person_of.items():
        seen = household.faces[face]
        births[person].append(seen.observation.taken_at.timestamp() / _SECONDS - seen.face.age)
    several = [dates for dates in births.values() if len(dates) > 1]
    return sum(len(dates) * float(np.std(dates)) for dates in several), sum(map(len, several))


def _collisions(household: Household, placed: Collection[FaceId]) -> tuple[float, float]:
    photos: dict[PhotoId, list[PersonId]] = defaultdict(list)
    for face in placed:
        photos[household.faces[face].observation.photo_id].append(household.person_of[face])
    several = [persons for persons in photos.values() if len(persons) > 1]
    return sum(len(persons) - len(set(persons)) for persons in several), sum(map(len, several))


def _provisional(household: Household, run: Run) -> tuple[float, float]:
    if not run.before:
        return 0, 0
    found = foretell(household, run.before, run.new, parameters=household.arm.clustering, doubts=(DOUBT,))
    return (found[DOUBT].confirmed, found[DOUBT].matched) if found else (0, 0)


def _truth(household: Household, members: Members) -> dict[str, tuple[float, float]]:
    who = {face: members[face] for face in household.faces if face in members}
    if not who:
        return {}
    group = {face: household.person_of[face] for face in who if face in household.person_of}
    scores, faces = bcubed(group, who), len(who)
    both = _pairs(Counter((person, who[face]) for face, person in group.items()))
    return {
        "bcubed_precision": (scores.precision * faces, faces),
        "bcubed_recall": (scores.recall * faces, faces),
        "pairwise_precision": (both, _pairs(Counter(group.values()))),
        "pairwise_recall": (both, _pairs(Counter(who.values()))),
    }


def _pairs(sizes: Counter[object]) -> int:
    return sum(comb(size, 2) for size in sizes.values())
