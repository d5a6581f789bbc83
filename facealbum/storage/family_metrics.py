"""What a family's month is measured by, read in a few grouped queries, and the counts that are kept of it.

A month's rows are written in the transaction that ends the month, and measured again they take the place of the
earlier ones, so nothing is ever counted twice.  All of it reads one family through its indexes.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    distinct,
    extract,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from eval.metrics.facts import Companies, Count, FaceGroup, LabelFacts, MonthFacts, Part, PersonFacts
from eval.metrics.slices import (
    AGE_EDGES,
    AGES,
    BOY,
    EVERYTHING,
    GIRL,
    PHOTO,
    POSES,
    QUALITIES,
    QUALITY_EDGES,
    TURN_EDGES,
    VIDEO,
    child_slices,
)
from facealbum.domain.ids import FamilyId, PersonId, RunId
from facealbum.domain.months import Month
from facealbum.storage.face_slices import FEMALE, band_of
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.schema import assignments, breakage, children, decisions, faces, links, persons, runs
from facealbum.storage.told import LIKELY_AGE, LIKELY_P_FEMALE

_YEAR_SECONDS = 365.25 * 86400


@dataclass(frozen=True, slots=True)
class MeasuredMonth:
    """Whose month was measured under which arm, and what made it what it is."""

    family_id: FamilyId
    arm_id: int
    month: Month
    run_id: RunId | None
    model: str
    code_version: str


def load_companies(
    connection: Connection, family: FamilyId, arm_id: int, *, before_run: RunId | None = None
) -> Companies:
    """The confirmed faces of each person as number and sum of hashes; those that `before_run` assigned are left out."""
    query = select(
        assignments.c.person_id,
        func.count(),
        func.sum(func.uuid_hash_extended(assignments.c.face_id, literal_column("0"))),
    ).where(confirmed_under(family, arm_id))
    if before_run is not None:
        query = query.where(assignments.c.run_id.is_distinct_from(before_run))
    found = connection.execute(query.group_by(assignments.c.person_id))
    return {PersonId(person): (count, mark) for person, count, mark in found}


def load_merged(connection: Connection, family: FamilyId, arm_id: int) -> dict[PersonId, PersonId]:
    """Whom each person was merged into, by users and runs."""
    query = select(persons.c.person_id, persons.c.merged_into).where(
        persons.c.family_id == family, persons.c.arm_id == arm_id, persons.c.merged_into.is_not(None)
    )
    return {PersonId(row.person_id): PersonId(row.merged_into) for row in connection.execute(query)}


def load_month_facts(connection: Connection, measured: MeasuredMonth) -> MonthFacts:
    """What the family's month is measured by, but for churn."""
    family, arm_id, month = measured.family_id, measured.arm_id, measured.month
    slices_of, has_children = _load_child_slices(connection, family, month)
    people = _load_persons(connection, measured, slices_of)
    confirmed = sum(person.faces for person in people)
    seen = faces_within(family, before=month.next().start())
    through = connection.execute(select(func.count()).select_from(faces).where(*seen)).scalar_one()
    return MonthFacts(
        has_children=has_children,
        faces=_load_face_groups(connection, family, arm_id, month),
        persons=people,
        labels=_load_labels(connection, measured, slices_of),
        parts={
            "collisions": _load_collisions(connection, family, arm_id, month),
            "corrections": load_corrections(connection, family, arm_id, month, confirmed=confirmed),
            "provisional_confirmed": _load_provisional(connection, measured),
            "waiting": Part(through - confirmed, through),
        },
    )


def load_corrected(connection: Connection, family: FamilyId, arm_id: int, month: Month) -> set[UUID]:
    """The faces that users took from a person of the arm in the month, by decisions that hold."""
    made = select(decisions.c.correction["places"]).where(
        decisions.c.family_id == family,
        decisions.c.arm_id == arm_id,
        decisions.c.undone_at.is_(None),
        decisions.c.decided_at >= month.start(),
        decisions.c.decided_at < month.next().start(),
    )
    return {
        UUID(change["key"][1])
        for places in connection.execute(made).scalars()
        for change in places
        if change["key"][0] == arm_id and change["before"] and _person(change["before"]) != _person(change["after"])
    }


def load_corrections(connection: Connection, family: FamilyId, arm_id: int, month: Month, *, confirmed: int) -> Part:
    """How many faces were corrected in the month, of these and the `confirmed` ones."""
    corrected = load_corrected(connection, family, arm_id, month)
    if not corrected:
        return Part(0, confirmed)
    held = count_confirmed(connection, family, arm_id, month, among=corrected)
    return Part(len(corrected), confirmed + len(corrected) - held)


def load_corrected_months(connection: Connection, family: FamilyId, arm_id: int) -> list[Month]:
    """The months in which users decided about the arm's persons since its corrections were counted, oldest first."""
    month = func.date_trunc("month", func.timezone("UTC", decisions.c.decided_at)).label("month")
    said = func.max(func.greatest(decisions.c.decided_at, decisions.c.undone_at))
    newest = select(month, said).where(decisions.c.family_id == family, decisions.c.arm_id == arm_id).group_by(month)
    found = {Month(row[0].year, row[0].month): row[1] for row in connection.execute(newest)}
    if not found:
        return []
    query = select(family_metrics.c.month, family_metrics.c.computed_at).where(
        family_metrics.c.family_id == family,
        family_metrics.c.arm_id == arm_id,
        family_metrics.c.metric == "corrections",
        family_metrics.c.slice == EVERYTHING,
    )
    counted = {Month(row.month.year, row.month.month): row.computed_at for row in connection.execute(query)}
    return sorted(month for month, said in found.items() if month not in counted or counted[month] < said)


def count_confirmed(
    connection: Connection, family: FamilyId, arm_id: int, month: Month, *, among: Collection[UUID] | None = None
) -> int:
    """How many faces up to the month's end have a confirmed person; of all, or among those named."""
    query = select(func.count()).where(
        confirmed_under(family, arm_id),
        assignments.c.face_id == faces.c.face_id,
        *faces_within(family, before=month.next().start()),
    )
    if among is not None:
        query = query.where(assignments.c.face_id.in_(among))
    return connection.execute(query).scalar_one()


def save_month(connection: Connection, measured: MeasuredMonth, counts: Iterable[Count], *, now: datetime) -> None:
    """Have exactly these counts of the family's month."""
    connection.execute(
        delete(family_metrics).where(
            family_metrics.c.family_id == measured.family_id,
            family_metrics.c.arm_id == measured.arm_id,
            family_metrics.c.month == _day(measured.month),
        )
    )
    rows = [_row(measured, count, now) for count in counts]
    if rows:
        connection.execute(insert(family_metrics), rows)


def save_count(connection: Connection, measured: MeasuredMonth, count: Count, *, now: datetime) -> None:
    """Have this count among the others of the month; one that says the same as before stays as it is."""
    statement = insert(family_metrics).values(_row(measured, count, now))
    values = {name: statement.excluded[name] for name in ("total", "cases")}
    changed = or_(*(family_metrics.c[name] != value for name, value in values.items()))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(family_metrics.primary_key),
            set_=values | {"computed_at": statement.excluded.computed_at},
            where=changed,
        )
    )


def _person(place: Mapping[str, Any] | None) -> str | None:
    return place["person_id"] if place else None


def _row(measured: MeasuredMonth, count: Count, now: datetime) -> dict[str, Any]:
    return {
        "family_id": measured.family_id,
        "arm_id": measured.arm_id,
        "month": _day(measured.month),
        **count._asdict(),
        "run_id": measured.run_id,
        "model": measured.model,
        "code_version": measured.code_version,
        "computed_at": now,
    }


def _load_child_slices(
    connection: Connection, family: FamilyId, month: Month
) -> tuple[Mapping[UUID, tuple[str, ...]], bool]:
    """The slices of each person who is linked to a child, and whether the family has children."""
    query = (
        select(children.c.birth_date, children.c.gender, links.c.person_id)
        .outerjoin(links, (links.c.family_id == children.c.family_id) & (links.c.child_id == children.c.child_id))
        .where(children.c.family_id == family)
    )
    rows = connection.execute(query).all()
    day = _day(month)
    return {
        row.person_id: child_slices((day - row.birth_date).days / 365.25, row.gender) for row in rows if row.person_id
    }, bool(rows)


def _load_face_groups(connection: Connection, family: FamilyId, arm_id: int, month: Month) -> tuple[FaceGroup, ...]:
    bands = (
        band_of(LIKELY_AGE, AGE_EDGES),
        LIKELY_P_FEMALE >= FEMALE,
        band_of(faces.c.quality, QUALITY_EDGES),
        band_of(func.abs(faces.c.yaw), TURN_EDGES),
        faces.c.track.is_not(None),
    )
    query = (
        select(*bands, func.count(), func.count(assignments.c.person_id), func.count(links.c.child_id))
        .select_from(faces)
        .outerjoin(assignments, confirmed_under(family, arm_id) & (assignments.c.face_id == faces.c.face_id))
        .outerjoin(links, (links.c.family_id == family) & (links.c.person_id == assignments.c.person_id))
        .where(*faces_within(family, since=month.start(), before=month.next().start()))
        .group_by(*(literal_column(str(place)) for place in range(1, len(bands) + 1)))
    )
    return tuple(
        FaceGroup(
            (AGES[age], GIRL if female else BOY, QUALITIES[quality], POSES[pose], VIDEO if video else PHOTO), *counts
        )
        for age, female, quality, pose, video, *counts in connection.execute(query)
    )


def _load_collisions(connection: Connection, family: FamilyId, arm_id: int, month: Month) -> Part:
    together = (
        select(func.count().label("faces"), func.count(distinct(assignments.c.person_id)).label("persons"))
        .select_from(faces)
        .join(assignments, confirmed_under(family, arm_id) & (assignments.c.face_id == faces.c.face_id))
        .where(*faces_within(family, since=month.start(), before=month.next().start()))
        .group_by(faces.c.photo_id)
        .having(func.count() > 1)
        .subquery()
    )
    total = func.coalesce(func.sum(together.c.faces - together.c.persons), 0)
    cases = func.coalesce(func.sum(together.c.faces), 0)
    return Part(*map(int, connection.execute(select(total, cases)).one()))


def _load_persons(
    connection: Connection, measured: MeasuredMonth, slices_of: Mapping[UUID, tuple[str, ...]]
) -> tuple[PersonFacts, ...]:
    born = extract("epoch", faces.c.taken_at) / _YEAR_SECONDS - LIKELY_AGE
    query = (
        select(assignments.c.person_id, func.count(), func.stddev_pop(born))
        .join(faces, assignments.c.face_id == faces.c.face_id)
        .where(
            confirmed_under(measured.family_id, measured.arm_id),
            *faces_within(measured.family_id, before=measured.month.next().start()),
        )
        .group_by(assignments.c.person_id)
    )
    return tuple(
        PersonFacts(slices_of.get(person, ()), count, float(spread))
        for person, count, spread in connection.execute(query)
    )


def _load_labels(
    connection: Connection, measured: MeasuredMonth, slices_of: Mapping[UUID, tuple[str, ...]]
) -> tuple[LabelFacts, ...]:
    kinds = breakage.c.mixing, breakage.c.disappearance, breakage.c.splitting
    query = select(breakage.c.person_id, *kinds).where(
        breakage.c.family_id == measured.family_id, breakage.c.run_id == measured.run_id
    )
    return tuple(LabelFacts(slices_of.get(person, ()), *broke) for person, *broke in connection.execute(query))


def _load_provisional(connection: Connection, measured: MeasuredMonth) -> Part:
    confirmed = runs.c.provisional_confirmed
    query = select(confirmed, confirmed + runs.c.provisional_moved + runs.c.provisional_dropped).where(
        runs.c.family_id == measured.family_id, runs.c.run_id == measured.run_id
    )
    return Part(*connection.execute(query).one())


def faces_within(family: FamilyId, *, since: datetime | None = None, before: datetime) -> list[ColumnElement[bool]]:
    """The family's faces that are none of those that a user called no face."""
    mine = [faces.c.family_id == family, ~faces.c.excluded, faces.c.taken_at < before]
    return mine if since is None else [*mine, faces.c.taken_at >= since]


def confirmed_under(family: FamilyId, arm_id: int) -> ColumnElement[bool]:
    """The assignments of the family that are no mere provisional matches under the arm."""
    return (assignments.c.family_id == family) & (assignments.c.arm_id == arm_id) & (assignments.c.state == "confirmed")


def _day(month: Month) -> date:
    return month.start().date()
