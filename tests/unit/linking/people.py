"""Children, and persons whose faces look as old as they are, for tests."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child, Gender
from facealbum.linking import FaceEvidence, LinkParameters, PersonEvidence

PARAMETERS = LinkParameters()
MAI_BORN, REN_BORN = date(2015, 3, 1), date(2020, 6, 1)


def child_id(number: int) -> ChildId:
    return ChildId(UUID(int=number))


def person_id(number: int) -> PersonId:
    return PersonId(UUID(int=1000 + number))


def child(number: int, born: date, gender: Gender = Gender.UNKNOWN) -> Child:
    return Child(child_id(number), f"child {number}", born, gender)


MAI = child(1, MAI_BORN, Gender.FEMALE)
REN = child(2, REN_BORN, Gender.MALE)


def faces_of(
    born: date,
    *,
    start: date = date(2024, 1, 10),
    count: int = 8,
    p_female: float = 0.5,
    error: float = 0.0,
    spread: float = 0.4,
) -> tuple[FaceEvidence, ...]:
    """A face every 30 days, each judged `error` years too old, give or take `spread`."""
    found = []
    for number in range(count):
        moment = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(days=30 * number)
        age = (moment.date() - born).days / 365.2425 + error + spread * (-1) ** number
        found.append(FaceEvidence(moment, max(0.0, age), p_female, 0.8))
    return tuple(found)


def person(
    number: int,
    faces: Iterable[FaceEvidence],
    *,
    meets: Iterable[int] = (),
    linked: int | None = None,
    rejected: Iterable[int] = (),
    confirmed: bool = False,
) -> PersonEvidence:
    return PersonEvidence(
        person_id=person_id(number),
        faces=tuple(faces),
        meets=frozenset(map(person_id, meets)),
        linked=None if linked is None else child_id(linked),
        rejected_children=frozenset(map(child_id, rejected)),
        confirmed=confirmed,
    )
