"""Families whose months are lived through again under an arm, in memory: nothing is read or written meanwhile.

What users said and the tracks of videos have no part: every arm is compared as it would do alone.  A family-month costs
some milliseconds to tens of them, the same for each arm.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import numpy as np

from eval.albums import Album, AlbumFace
from eval.experiments import Split, assign
from eval.months import Household, TrialArm
from eval.synthetic.counting import run_month
from eval.tuning.objective import MEASURES, Counts
from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child

SEARCHED, HELD_OUT = "searched", "held_out"

_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True, eq=False)
class PastFamily:
    """One family: its registered children, and its faces by month, oldest first."""

    name: str
    family_id: FamilyId
    children: tuple[Child, ...]
    months: tuple[tuple[Month, tuple[AlbumFace, ...]], ...]

    @classmethod
    def of(cls, name: str, children: Sequence[Child], faces: Sequence[AlbumFace]) -> "PastFamily":
        """The family with these faces, in any order."""
        ordered = sorted(faces, key=lambda face: (Month.of(face.observation.taken_at), face.observation.face_id))
        months = groupby(ordered, key=lambda face: Month.of(face.observation.taken_at))
        return cls(name, family_id(name), tuple(children), tuple((month, tuple(of_it)) for month, of_it in months))


def families_of(album: Album) -> list[PastFamily]:
    """The families of an album, by name."""
    of_family = groupby(sorted(album.faces, key=lambda face: face.family), key=lambda face: face.family)
    return [PastFamily.of(name, album.children.get(name, ()), list(faces)) for name, faces in of_family]


def split_families(families: Sequence[FamilyId], *, salt: str, held_out: float) -> Mapping[str, list[FamilyId]]:
    """The families to search on and those held out, each in an order that only the salt decides.

    By a hash of salt and family, so a family is on the same side whoever else there is, and none is on both.
    """
    split = Split(salt, ((SEARCHED, 1 - held_out), (HELD_OUT, held_out)))
    order = sorted(families, key=lambda family: hashlib.sha256(f"{salt}/order/{family}".encode()).digest())
    return {side: [one for one in order if assign(one, split) == side] for side in (SEARCHED, HELD_OUT)}


def relive(family: PastFamily, arm: TrialArm) -> tuple[Household, Counts]:
    """The family after its last month under the arm, and what all its months counted."""
    household, counts = Household(family.name, arm, family.children), np.zeros((len(MEASURES), 2))
    for month, faces in family.months:
        counted = run_month(household, month, faces, {})
        counts += [counted.get(name, (0, 0)) for name in MEASURES]
    counts[MEASURES.index("link_error")] = _count_link_error(household)
    return household, counts


def digest_families(families: Sequence[PastFamily]) -> str:
    """What tells one state of the families from another: 16 digits that say nothing of them."""
    told = hashlib.sha256()
    for family in families:
        told.update(family.family_id.bytes + repr(family.children).encode())
        for _, faces in family.months:
            for face in faces:
                told.update(face.observation.face_id.bytes + face.observation.embedding.tobytes())
    return told.hexdigest()[:16]


def _count_link_error(household: Household) -> tuple[float, float]:
    """Years by which all linked faces look off their child's age at the photo's date, and how many faces those are."""
    born = {
        child.child_id: datetime.combine(child.birth_date, datetime.min.time(), UTC) for child in household.children
    }
    off = [
        abs(seen.face.age - (seen.observation.taken_at - born[household.child_of[person]]).days / _YEAR_DAYS)
        for face, person in household.person_of.items()
        if person in household.child_of
        for seen in [household.faces[face]]
    ]
    return float(sum(off)), len(off)
