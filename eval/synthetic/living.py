"""Simulated families lived through month by month, by the product's own clustering and linking, without a database.

What each month counts in each family is kept, for every metric, with the truth beside it.  A family-month costs about
30 ms; families are independent, so any number of processes gives the same.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from eval.albums import AlbumFace
from eval.drift.distributions import NOBODY
from eval.months import Household, TrialArm
from eval.synthetic.counting import MonthCounts, run_month
from eval.synthetic.directions import Array
from eval.synthetic.families import START, Faces, Family, draw_family
from eval.synthetic.faults import Fault, damage
from eval.synthetic.households import Role
from eval.synthetic.parameters import World, load_world
from eval.synthetic.watching import watch
from facealbum.clustering import ClusterPlan, Observation
from facealbum.domain.faces import Box, Face
from facealbum.domain.ids import FaceId, FamilyId, PersonId, child_id, face_id, family_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender

_DETECTOR = "simulated"
_YEAR = 365.2425
_LANDMARKS = np.zeros((5, 2), np.float32)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is simulated: families of a seed over so many months under an arm; each fault befalls the last month."""

    seed: int
    months: int
    faults: tuple[Fault, ...] = ()
    world: World = field(default_factory=load_world)
    arm: TrialArm = field(default_factory=TrialArm)


@dataclass(frozen=True, slots=True, eq=False)
class FamilyMonth:
    """What one family's month counted: total and cases by metric, and the histogram of each watched distribution.

    month: since the start.  fault: what befell it.
    """

    family: FamilyId
    month: int
    fault: Fault | None
    counts: MonthCounts
    histograms: Mapping[str, NDArray[np.int64]]


def live_families(trial: Trial, numbers: Sequence[int], *, processes: int = 1) -> list[FamilyMonth]:
    """The months of these families, in the order of numbers; several processes give the same."""
    return _all(live_family, trial, numbers, processes)


def watch_families(trial: Trial, numbers: Sequence[int], *, processes: int = 1) -> list[FamilyMonth]:
    """The same without runs, at a tenth of the price: histograms only, and none of similarity."""
    return _all(watch_family, trial, numbers, processes)


def _all(
    live: Callable[[Trial, int], list[FamilyMonth]], trial: Trial, numbers: Sequence[int], processes: int
) -> list[FamilyMonth]:
    one = partial(live, trial)
    if processes == 1:
        return [month for number in numbers for month in one(number)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return [month for months in pool.map(one, numbers, chunksize=4) for month in months]


def watch_family(trial: Trial, number: int) -> list[FamilyMonth]:
    """The months of one family as analysis sees them, then its last month once more under each of the faults."""
    family = draw_family(trial.seed, number, months=trial.months, world=trial.world)
    last = trial.months - 1
    faulty = [(last, fault, damage(family, fault, since=last)) for fault in trial.faults]
    return [
        FamilyMonth(family_id(family.name), month, fault, {}, watch(seen, month))
        for month, fault, seen in [*((month, None, family) for month in range(trial.months)), *faulty]
    ]


def live_family(trial: Trial, number: int) -> list[FamilyMonth]:
    """The months of one family, then its last month once more under each of the faults."""
    family = draw_family(trial.seed, number, months=trial.months, world=trial.world)
    last = trial.months - 1
    home = _Home(Household(family.name, trial.arm, children_of(family)))
    months = [home.live(family, month) for month in range(last)]
    for fault in (None, *trial.faults):
        faulty = home.copy()
        if fault is Fault.SWAP:
            swap_siblings(faulty.household, family, faulty.members)
        seen = damage(family, fault, since=last) if fault else family
        months.append(faulty.live(seen, last, fault=fault))
    return months


@dataclass(slots=True, eq=False)
class _Home:
    """A family's albums, and who its faces really show."""

    household: Household
    members: dict[FaceId, str] = field(default_factory=dict)

    def copy(self) -> "_Home":
        """The same, to go another way."""
        now = self.household
        albums = replace(now, faces=dict(now.faces), person_of=dict(now.person_of), child_of=dict(now.child_of))
        return _Home(albums, dict(self.members))

    def live(self, family: Family, month: int, *, fault: Fault | None = None) -> FamilyMonth:
        """One month; without a face nothing is run, as in the product."""
        faces = family.faces[family.faces.month == month]
        seen = observe(family, faces)
        self.members |= {
            one.observation.face_id: str(who) for one, who in zip(seen, faces.person.tolist(), strict=True)
        }
        counts = run_month(self.household, calendar(month), seen, self.members) if seen else {}
        watched = watch(family, month, scores=_scores(self.household.plan, seen))
        return FamilyMonth(family_id(family.name), month, fault, counts, watched)


def _scores(plan: ClusterPlan, seen: Sequence[AlbumFace]) -> Array:
    """How alike each face is to the rest of its person, float64[n]; NOBODY where it has none."""
    score = {one.face_id: one.score for one in plan.attach}
    for group in plan.create:
        score |= dict(zip(group.face_ids, group.scores, strict=True))
    return np.array([score.get(one.observation.face_id, NOBODY) for one in seen], np.float64)


def calendar(month: int) -> Month:
    """The calendar month so many months after the start."""
    return Month(START.year + (START.month - 1 + month) // 12, (START.month - 1 + month) % 12 + 1)


def children_of(family: Family) -> tuple[Child, ...]:
    """The registered children who are born by the end, called by their rows in the household."""
    people, end = family.people, len(family.photos) / 12
    return tuple(
        Child(
            child_id(family_id(family.name), str(row)),
            str(row),
            date(START.year, START.month, 1) + timedelta(days=float(people.born[row]) * _YEAR),
            Gender.FEMALE if people.female[row] else Gender.MALE,
        )
        for row in np.flatnonzero(people.registered & (people.born < end)).tolist()
    )


def observe(family: Family, faces: Faces) -> list[AlbumFace]:
    """The faces as clustering and linking see them."""
    own, number_of = family_id(family.name), dict[int, int]()
    found = []
    for row, photo in enumerate(faces.photo.tolist()):
        number = number_of[photo] = number_of.get(photo, -1) + 1
        key = photo_id(own, str(photo))
        size, age, quality = float(faces.size[row]), float(faces.age[row]), float(faces.quality[row])
        taken_at = START.start() + timedelta(days=float(faces.moment[row]) * _YEAR)
        yaw, embedding = float(faces.yaw[row]), faces.embedding[row]
        face = Face(
            box=Box(0, 0, size, size),
            landmarks=_LANDMARKS,
            yaw=yaw,
            pitch=0,
            roll=0,
            age=age,
            p_female=float(faces.p_female[row]),
            quality=quality,
            score=1,
            embedding=embedding,
        )
        identity = face_id(key, _DETECTOR, number)
        seen = Observation(identity, key, taken_at, quality, yaw, size, embedding, age=age)
        found.append(AlbumFace(family.name, str(photo), seen, face))
    return found


def swap_siblings(household: Household, family: Family, members: dict[FaceId, str]) -> None:
    """In half of the photos the two children with most faces change places in the albums."""
    children = {str(row) for row in np.flatnonzero(family.people.role == Role.CHILD)}
    persons: dict[str, dict[PersonId, int]] = {}
    for face, person in household.person_of.items():
        if members[face] in children:
            own = persons.setdefault(members[face], {})
            own[person] = own.get(person, 0) + 1
    if len(persons) < 2:  # noqa: PLR2004 - two change places
        return
    first, second = sorted(persons, key=lambda one: (-sum(persons[one].values()), one))[:2]
    main = {one: max(persons[one], key=persons[one].__getitem__) for one in (first, second)}
    place = {main[first]: main[second], main[second]: main[first]}
    draw = np.random.default_rng([family.seed, family.number])
    photos = sorted({household.faces[face].photo for face in household.person_of})
    swapped = {photo for photo, chance in zip(photos, draw.uniform(size=len(photos)), strict=True) if chance < 1 / 2}
    for face, person in household.person_of.items():
        if household.faces[face].photo in swapped:
            household.person_of[face] = place.get(person, person)
