"""What the pages of a family show: its children and persons, one person's faces, a photo, a broken label.

Each look is one transaction and reads a bounded number of rows, however many faces there are.  Counts of faces are
those of now; timelines and who appears with whom are as of the last refresh of the schema `dashboard`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId, RunId
from facealbum.domain.months import Month
from facealbum.domain.people import Child
from facealbum.errors import UnknownPersonError, UnknownPhotoError, UnknownRunError
from facealbum.steps.context import Context
from facealbum.steps.explain import FaceExplanation, explain_photo
from facealbum.storage.dashboard.pages import Rows, load_page
from facealbum.storage.database import Transaction
from facealbum.storage.families import Family, load_children, load_family
from facealbum.storage.people import load_arm_id, load_served_arm_id
from facealbum.storage.serving import load_served_arm
from facealbum.storage.shown_faces import (
    Place,
    ShownFace,
    ShownPhoto,
    load_faces_by_id,
    load_faces_by_run,
    load_faces_in,
    load_faces_of,
    load_newest_moment,
    load_photo,
)
from facealbum.storage.shown_persons import (
    BrokenLabel,
    ShownPerson,
    count_waiting,
    load_broken_label,
    load_person_record,
    load_pictures,
    load_shown_person,
    load_shown_persons,
)

PERSONS, FACES = 24, 60
"""So many are on a page."""
MONTHS = 12
"""So many a timeline has at most."""
CHOICES = 400
"""So many persons may be chosen from, those with most faces first."""
MOST_WAITING = 1000
"""Waiting faces are counted so far."""


@dataclass(frozen=True, slots=True)
class FamilyLook:
    """A family with a page of its persons; after: where the next page begins, if there is one.

    rows: what the schema `dashboard` knows.  months: those of the timeline.  pictures: a face of each person shown.
    """

    family: Family
    children: Sequence[Child]
    persons: Sequence[ShownPerson]
    choices: Sequence[ShownPerson]
    after: tuple[int, PersonId] | None
    pictures: Mapping[PersonId, FaceId]
    waiting: int
    months: Sequence[Month]
    rows: Mapping[str, Rows]

    def titles(self) -> Mapping[UUID, str]:
        """How people call each person that may be chosen."""
        return _titles(self.choices)

    def timeline(self) -> Mapping[tuple[UUID, str], Any]:
        """The rows of the timeline by person and month, as 2026-10."""
        return {(row["person_id"], f"{row['month']:%Y-%m}"): row for row in self.rows["timeline"]}

    def links_of(self) -> Mapping[UUID, Rows]:
        """The links to each child, surest first."""
        found: dict[UUID, list[Any]] = defaultdict(list)
        for row in sorted(self.rows["links"], key=lambda row: -row["probability"]):
            found[row["child_id"]].append(row)
        return found

    def ages(self, child: Child, person: UUID) -> list[tuple[date, float, float]]:
        """By month of the timeline: how old the person looks, and how old the child was; in years."""
        return [
            (row["month"], row["age"], (row["month"] - child.birth_date).days / 365.25)
            for row in self.rows["timeline"]
            if row["person_id"] == person
        ]


@dataclass(frozen=True, slots=True)
class FacesLook:
    """Faces, of a person or of nobody; before: where the next page begins, if there is one.

    rows: what the schema `dashboard` knows of the person.
    """

    family: Family
    person: ShownPerson | None
    faces: Sequence[ShownFace]
    before: Place | None
    children: Sequence[Child]
    choices: Sequence[ShownPerson]
    rows: Mapping[str, Rows]

    def titles(self) -> Mapping[UUID, str]:
        """How people call each person that may be chosen."""
        return _titles(self.choices)

    def by_month(self) -> list[tuple[Month, list[ShownFace]]]:
        """The faces by the month in which they were taken, newest first."""
        found: dict[Month, list[ShownFace]] = defaultdict(list)
        for face in self.faces:
            found[Month.of(face.taken_at)].append(face)
        return list(found.items())


@dataclass(frozen=True, slots=True)
class PhotoLook:
    """A photo with its faces from left to right, and why each is where it is."""

    family: Family
    photo: ShownPhoto
    faces: Sequence[ShownFace]
    why: Mapping[FaceId, FaceExplanation]
    choices: Sequence[ShownPerson]

    def titles(self) -> Mapping[UUID, str]:
        """How people call each person that may be chosen."""
        return _titles(self.choices)


@dataclass(frozen=True, slots=True)
class LabelLook:
    """A broken label: faces that the person has from before the run or elsewhere, and those that the run gave it."""

    family: Family
    person: ShownPerson
    label: BrokenLabel
    earlier: Sequence[ShownFace]
    joined: Sequence[ShownFace]


@dataclass(frozen=True, slots=True)
class MergedPerson:
    """Who a person is today that was merged away."""

    person_id: PersonId


def look_at_family(
    context: Context, family: FamilyId, *, until: Month | None = None, after: tuple[int, PersonId] | None = None
) -> FamilyLook:
    """The family, with persons after this place and a timeline that ends with `until`; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        arm = load_served_arm(transaction, family)
        arm_id = load_arm_id(transaction, arm)
        choices = load_shown_persons(transaction, family, arm_id, limit=CHOICES)
        persons = load_shown_persons(transaction, family, arm_id, limit=PERSONS + 1, after=after) if after else choices
        months = _timeline(until or Month.of(load_newest_moment(transaction, family) or context.clock()))
        rows = load_page(transaction, "family", family=family, arm=arm, month=months[-1].start().date())
        shown = persons[:PERSONS]
        wanted = {one.person_id for one in shown} | {PersonId(row["person_id"]) for row in rows["links"]}
        return FamilyLook(
            known,
            load_children(transaction, family),
            shown,
            choices,
            (shown[-1].faces, shown[-1].person_id) if len(persons) > PERSONS else None,
            load_pictures(transaction, family, arm_id, wanted),
            count_waiting(transaction, family, arm_id, most=MOST_WAITING),
            _from_the_first_seen(months, rows["timeline"]),
            rows,
        )


def look_at_person(
    context: Context, family: FamilyId, person: PersonId, *, before: Place | None = None
) -> FacesLook | MergedPerson:
    """A page of the person's faces; raises UnknownFamilyError and UnknownPersonError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        record = load_person_record(transaction, family, person)
        if record is None:
            raise UnknownPersonError(f"the family has no person with the id {person}; it may have been undone")
        if record.merged_into is not None:
            return MergedPerson(record.merged_into)
        shown = load_shown_person(transaction, family, record.arm_id, person)
        return _faces(transaction, known, record.arm_id, shown, before)


def look_at_waiting(context: Context, family: FamilyId, *, before: Place | None = None) -> FacesLook:
    """A page of the faces that have no person; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        return _faces(transaction, known, load_served_arm_id(transaction, family), None, before)


def look_at_faces(context: Context, family: FamilyId, faces: Sequence[FaceId]) -> FacesLook:
    """These faces as they are now; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        arm_id = load_served_arm_id(transaction, family)
        found = load_faces_by_id(transaction, family, arm_id, faces)
        children = load_children(transaction, family)
        choices = load_shown_persons(transaction, family, arm_id, limit=CHOICES)
        return FacesLook(known, None, found, None, children, choices, {})


def pictures_of(context: Context, family: FamilyId, persons: Sequence[PersonId]) -> Mapping[PersonId, FaceId]:
    """A good face of each person of the arm that the family is shown."""
    with context.database.begin() as transaction:
        return load_pictures(transaction, family, load_served_arm_id(transaction, family), persons)


def look_at_photo(context: Context, family: FamilyId, photo: PhotoId) -> PhotoLook:
    """The photo; raises UnknownFamilyError and UnknownPhotoError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        found = load_photo(transaction, family, photo)
        if found is None:
            raise UnknownPhotoError(f"the family has no photo with the id {photo}; it may have been deleted")
        arm_id = load_served_arm_id(transaction, family)
        faces = load_faces_in(transaction, family, arm_id, photo)
        choices = load_shown_persons(transaction, family, arm_id, limit=CHOICES)
    why = explain_photo(context, found.key, family=known.name) if faces and arm_id is not None else []
    return PhotoLook(known, found, faces, {one.face_id: one for one in why}, choices)


def look_at_label(context: Context, family: FamilyId, run: RunId, person: PersonId) -> LabelLook:
    """What became of the person's label in the run; raises UnknownFamilyError, UnknownPersonError, UnknownRunError."""
    with context.database.begin() as transaction:
        known = load_family(transaction, family)
        label = load_broken_label(transaction, family, run, person)
        if label is None:
            raise UnknownRunError(f"no run {run} of the family knew a person {person}")
        shown = load_shown_person(transaction, family, label.arm_id, person)
        if shown is None:
            raise UnknownPersonError(f"the family has no person with the id {person}; it may have been undone")
        earlier, joined = load_faces_by_run(transaction, family, label.arm_id, person, run, limit=FACES)
        return LabelLook(known, shown, label, earlier, joined)


def _faces(
    transaction: Transaction, family: Family, arm_id: int | None, person: ShownPerson | None, before: Place | None
) -> FacesLook:
    who = person.person_id if person else None
    found = load_faces_of(transaction, family.family_id, arm_id, who, limit=FACES + 1, before=before)
    shown = found[:FACES]
    return FacesLook(
        family,
        person,
        shown,
        shown[-1].place if len(found) > FACES else None,
        load_children(transaction, family.family_id),
        load_shown_persons(transaction, family.family_id, arm_id, limit=CHOICES),
        load_page(transaction, "person", family=family.family_id, person=who) if who else {},
    )


def _titles(persons: Sequence[ShownPerson]) -> Mapping[UUID, str]:
    return {one.person_id: one.title for one in persons}


def _timeline(last: Month) -> list[Month]:
    months = [last]
    while len(months) < MONTHS:
        months.insert(0, months[0].before())
    return months


def _from_the_first_seen(months: list[Month], timeline: Rows) -> list[Month]:
    """The months from the first in which anybody is seen; all of them if nobody ever is."""
    seen = {f"{row['month']:%Y-%m}" for row in timeline}
    first = next((number for number, month in enumerate(months) if str(month) in seen), 0)
    return months[first:]
