"""What features of a family's months and persons are read from, beside what clustering and linking read."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, Date, cast, func, select

from eval.metrics.slices import EVERYTHING
from facealbum.domain.ids import ChildId, FamilyId, PersonId
from facealbum.domain.months import Month
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import faces, links, photos


def load_link_probabilities(connection: Connection, family: FamilyId) -> dict[PersonId, tuple[ChildId, float]]:
    """The child that each linked person is, and how probably."""
    query = select(links.c.person_id, links.c.child_id, links.c.probability).where(links.c.family_id == family)
    return {PersonId(person): (ChildId(child), probability) for person, child, probability in connection.execute(query)}


def load_family_months(
    connection: Connection, family: FamilyId, arm_id: int | None, metrics: Collection[str]
) -> dict[Month, dict[str, float]]:
    """The number of photos and faces of each month that has any, and these metrics where they were measured."""
    found: dict[Month, dict[str, float]] = defaultdict(lambda: {"photos": 0, "faces": 0})
    for name, table, those in (("photos", photos, UPLOADED), ("faces", faces, ~faces.c.excluded)):
        month = cast(func.date_trunc("month", func.timezone("UTC", table.c.taken_at)), Date)
        query = select(month, func.count()).where(table.c.family_id == family, those).group_by(month)
        for day, count in connection.execute(query):
            found[Month(day.year, day.month)][name] = count
    measured = select(family_metrics.c.month, family_metrics.c.metric, family_metrics.c.total, family_metrics.c.cases)
    measured = measured.where(
        family_metrics.c.family_id == family,
        family_metrics.c.arm_id == arm_id,
        family_metrics.c.slice == EVERYTHING,
        family_metrics.c.metric.in_(metrics),
    )
    for day, metric, total, cases in connection.execute(measured):
        found[Month(day.year, day.month)][metric] = total / cases
    return dict(sorted(found.items()))
