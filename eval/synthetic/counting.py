"""One family's month in memory: the run, and what every metric counts in it.

The product finds the same facts in SQL (facealbum.storage.family_metrics); what is made of them is eval.metrics' alone.
Corrections are not counted, as only users make them.  With truth given, the metrics that need it are counted beside,
over all faces up to the month's end.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from eval.albums import AlbumFace
from eval.metrics.agreement import count_agreement
from eval.metrics.facts import (
    FaceGroup,
    LabelFacts,
    MonthFacts,
    Part,
    PersonFacts,
    count_churn,
    count_month,
)
from eval.months import Household
from eval.provisional import foretell
from eval.truth import Members, PersonOf
from facealbum.clustering.match import DOUBT
from facealbum.domain.ids import FaceId, PersonId, PhotoId
from facealbum.domain.months import Month

MonthCounts: TypeAlias = Mapping[str, tuple[float, float]]
"""Total and cases of each metric that has any, by its key."""

_YEAR = 365.2425 * 86_400


def run_month(household: Household, month: Month, faces: Sequence[AlbumFace], members: Members) -> MonthCounts:
    """One run of the household on the month's faces, and what it counts; members: of these and all earlier faces."""
    before = dict(household.person_of)
    broken = household.live(month, faces)
    new = [face.observation.face_id for face in faces]
    after = household.person_of
    placed = [face for face in new if face in after]
    linked = sum(after[face] in household.child_of for face in placed)
    facts = MonthFacts(
        has_children=bool(household.children),
        faces=(FaceGroup((), len(new), len(placed), linked),),
        persons=_persons(household),
        labels=tuple(LabelFacts((), one.mixing, one.disappearance, one.splitting) for one in broken),
        parts={
            "waiting": Part(len(household.faces) - len(after), len(household.faces)),
            "collisions": _collisions(household, placed),
            "churn": _churn(household, before),
            "provisional_confirmed": _provisional(household, before, new),
        },
    )
    known = {face: members[face] for face in household.faces if face in members}
    counts = (*count_month(facts), *count_agreement({face: after[face] for face in known if face in after}, known))
    return {one.metric: (one.total, one.cases) for one in counts}


def _persons(household: Household) -> tuple[PersonFacts, ...]:
    births: dict[PersonId, list[float]] = defaultdict(list)
    for face, person in household.person_of.items():
        seen = household.faces[face]
        births[person].append(seen.observation.taken_at.timestamp() / _YEAR - seen.face.age)
    return tuple(PersonFacts((), len(dates), float(np.std(dates))) for dates in births.values())


def _collisions(household: Household, placed: Collection[FaceId]) -> Part:
    photos: dict[PhotoId, list[PersonId]] = defaultdict(list)
    for face in placed:
        photos[household.faces[face].observation.photo_id].append(household.person_of[face])
    several = [persons for persons in photos.values() if len(persons) > 1]
    return Part(sum(len(persons) - len(set(persons)) for persons in several), sum(map(len, several)))


def _churn(household: Household, before: PersonOf) -> Part:
    """Merges that the run's plan records are no churn."""
    merged = {move.source: move.target for move in household.plan.move}
    after = {face: household.person_of[face] for face in before}
    return count_churn(_companies(before), _companies(after), merged)


def _companies(person_of: PersonOf) -> dict[PersonId, tuple[int, Decimal]]:
    faces, marks = Counter(person_of.values()), Counter[PersonId]()
    for face, person in person_of.items():
        marks[person] += hash(face)
    return {person: (count, Decimal(marks[person])) for person, count in faces.items()}


def _provisional(household: Household, before: PersonOf, new: Collection[FaceId]) -> Part:
    found = foretell(household, before, new, parameters=household.arm.clustering, doubts=(DOUBT,)) if before else {}
    return Part(found[DOUBT].confirmed, found[DOUBT].matched) if found else Part(0, 0)
