"""Simulated families lived through month by month, by the product's own clustering and linking, without a database.

What each month counts in each family is kept, for every metric, with the truth beside it.  A family-month costs about
30 ms; families are independent, so any number of processes gives the same.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np

from eval.albums import AlbumFace
from eval.months import Household, TrialArm
from eval.synthetic.counting import Run, count_month
from eval.synthetic.families import START, Faces, Family, draw_family
from eval.synthetic.faults import Fault, damage
from eval.synthetic.households import Role
from eval.synthetic.parameters import World, load_world
from facealbum.clustering import Observation
from facealbum.domain.faces import Box, Face
from facealbum.domain.ids import FaceId, FamilyId, PersonId, child_id, face_id, family_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender

_DETECTOR = "simulated"
_YEAR = 365.2425
_LANDMARKS = np.zeros((5, 2), np.float32)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is simulated: families of a seed over so many months under an arm, with a fault from a month on."""

    seed: int
    months: int
    world: World = field(default_factory=load_world)
    arm: TrialArm = field(default_factory=TrialArm)
    fault: Fault | None = None
    since: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FamilyMonth:
    """What one family's month counted: total and cases by metric; month: since the start."""

    family: FamilyId
    month: int
    counts: dict[str, tuple[float, float]]


def live_families(trial: Trial, numbers: Sequence[int], *, processes: int = 1) -> list[FamilyMonth]:
    """The months of these families, in the order of numbers; several processes give the same."""
    one = partial(live_family, trial)
    if processes == 1:
        return [month for number in numbers for month in one(number)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return [month for months in pool.map(one, numbers, chunksize=4) for month in months]


def live_family(trial: Trial, number: int) -> list[FamilyMonth]:
    """All months of one family in which it has faces."""
    family = draw_family(trial.seed, number, months=trial.months, world=trial.world)
    seen = damage(family, trial.fault, since=trial.since) if trial.fault else family
    return list(_live(seen, trial))


def _live(family: Family, trial: Trial) -> Iterator[FamilyMonth]:
    household = Household(family.name, trial.arm, children_of(family))
    members: dict[FaceId, str] = {}
    for month in range(trial.months):
        faces = family.faces[family.faces.month == month]
        if trial.fault is Fault.SWAP and month == trial.since:
            swap_siblings(household, family, members)
        if not len(faces):
            continue
        seen = observe(family, faces)
        members |= {one.observation.face_id: str(who) for one, who in zip(seen, faces.person.tolist(), strict=True)}
        before = dict(household.person_of)
        labels = household.live(calendar(month), seen)
        moved = {move.source: move.target for move in household.plan.move}
        kept = {face: moved.get(person, person) for face, person in before.items()}
        run = Run(kept, [one.observation.face_id for one in seen], labels)
        yield FamilyMonth(family_id(family.name), month, count_month(household, run, members))


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
