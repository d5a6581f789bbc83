"""The rows of one family's album that users' decisions may change, under every arm, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId, RunId

Key = TypeVar("Key")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class FaceRow:
    """A face: in which photo, when, and how good (0 to 1)."""

    photo_id: PhotoId
    taken_at: datetime
    quality: float


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person of an arm; `run_id` is None for one that a user split off."""

    arm_id: int
    run_id: RunId | None
    name: str | None = None
    hidden: bool = False
    merged_into: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Whom a face belongs to under one arm."""

    person_id: PersonId
    run_id: RunId | None
    state: str
    score: float
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class LinkRow:
    """The child that a person is; `confirmed` if a user said so."""

    child_id: ChildId
    run_id: RunId | None
    probability: float
    evidence: Mapping[str, Any]
    confirmed: bool
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """What a user says of a face instead of the models: age in years, P(female), or None for "not that"."""

    value: float | None


@dataclass(slots=True)
class Album:
    """All rows of a family; places by arm and face, links by person; `excluded` has those that are no faces.

    facts: by the face and what is said of it, Kind.AGE or Kind.GENDER.
    """

    faces: dict[FaceId, FaceRow] = field(default_factory=dict)
    persons: dict[PersonId, PersonRow] = field(default_factory=dict)
    places: dict[tuple[int, FaceId], Place] = field(default_factory=dict)
    links: dict[PersonId, LinkRow] = field(default_factory=dict)
    excluded: dict[FaceId, bool] = field(default_factory=dict)
    facts: dict[tuple[FaceId, Kind], Fact] = field(default_factory=dict)
    children: frozenset[ChildId] = frozenset()

    def copy(self) -> "Album":
        """One that can be changed without changing this one."""
        return replace(
            self,
            persons=dict(self.persons),
            places=dict(self.places),
            links=dict(self.links),
            excluded=dict(self.excluded),
            facts=dict(self.facts),
        )

    def goodness(self, face: FaceId) -> tuple[float, FaceId]:
        """How good a face is; no two are equally good."""
        return self.faces[face].quality, face

    def merged(self) -> dict[PersonId, PersonId]:
        """Whom each merged person was merged into."""
        return {key: row.merged_into for key, row in self.persons.items() if row.merged_into is not None}


@dataclass(frozen=True, slots=True)
class Change(Generic[Key, Row]):
    """A row before and after; None where there is none."""

    key: Key
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Correction:
    """Every row that a decision changes, each part sorted by key."""

    persons: tuple[Change[PersonId, PersonRow], ...] = ()
    places: tuple[Change[tuple[int, FaceId], Place], ...] = ()
    links: tuple[Change[PersonId, LinkRow], ...] = ()
    excluded: tuple[Change[FaceId, bool], ...] = ()
    facts: tuple[Change[tuple[FaceId, Kind], Fact], ...] = ()

    def touched(self) -> set[tuple[str, object]]:
        """The rows it changes."""
        return {
            *(("person", change.key) for change in self.persons),
            *(("place", change.key) for change in self.places),
            *(("link", change.key) for change in self.links),
            *(("face", change.key) for change in self.excluded),
            *(("fact", change.key) for change in self.facts),
        }


def compare_albums(before: Album, after: Album) -> Correction:
    """What has to change for one album to become the other."""
    return Correction(
        persons=_changes(before.persons, after.persons),
        places=_changes(before.places, after.places),
        links=_changes(before.links, after.links),
        excluded=_changes(before.excluded, after.excluded),
        facts=_changes(before.facts, after.facts),
    )


def correct_album(album: Album, correction: Correction) -> Album:
    """The album with every row as it is after the correction."""
    after = album.copy()
    parts: tuple[tuple[dict[Any, Any], tuple[Change[Any, Any], ...]], ...] = (
        (after.persons, correction.persons),
        (after.places, correction.places),
        (after.links, correction.links),
        (after.excluded, correction.excluded),
        (after.facts, correction.facts),
    )
    for rows, changes in parts:
        for change in changes:
            rows.pop(change.key, None)
            if change.after is not None:
                rows[change.key] = change.after
    return after


def _changes(before: Mapping[Any, Row], after: Mapping[Any, Row]) -> tuple[Change[Any, Row], ...]:
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return tuple(Change(key, before.get(key), after.get(key)) for key in keys)
