"""Which arm's persons a family is shown: one line to write, so that a switch and its undoing are instant.

An experiment that serves comes first.  Otherwise it is the arm that was promoted last, as soon as it has come as far
with the family as the arms before it; until then the family sees the one before, so no album is ever empty or old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId
from facealbum.storage.experiment_schema import experiment_families, experiments, promotions, serving
from facealbum.storage.schema import arms, runs

DEFAULT_ARM = "default"
"""The installation's arm before any other is promoted; it follows the release's parameters and the chosen model."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """An arm became the installation's; undoes: the number of the promotion that this one takes back."""

    number: int
    arm: str
    at: datetime
    author: str
    experiment_id: int | None
    undoes: int | None


def load_promotions(connection: Connection) -> list[Promotion]:
    """Every promotion, the newest first."""
    query = select(
        promotions.c.number,
        arms.c.name,
        promotions.c.at,
        promotions.c.author,
        promotions.c.experiment_id,
        promotions.c.undoes,
    ).join(arms)
    return [Promotion(*row) for row in connection.execute(query.order_by(promotions.c.number.desc()))]


def load_installed_arm(connection: Connection) -> str:
    """The installation's arm: what a family sees unless an experiment says otherwise."""
    query = select(arms.c.name).join(promotions).order_by(promotions.c.number.desc()).limit(1)
    return connection.execute(query).scalar() or DEFAULT_ARM


def save_promotion(
    connection: Connection,
    arm_id: int,
    *,
    author: str,
    now: datetime,
    experiment_id: int | None = None,
    undoes: int | None = None,
) -> int:
    """Make the arm the installation's from now on; tells the promotion's number."""
    number = connection.execute(select(func.coalesce(func.max(promotions.c.number), 0) + 1)).scalar_one()
    given = {"arm_id": arm_id, "at": now, "author": author, "experiment_id": experiment_id, "undoes": undoes}
    connection.execute(insert(promotions).values(number=number, **given))
    return int(number)


def load_served_arm(connection: Connection, family: FamilyId) -> str:
    """The arm whose persons the family is shown."""
    return _load_of_experiment(connection, family) or _load_promoted(connection, family) or DEFAULT_ARM


def save_serving(connection: Connection, family: FamilyId, arm_id: int, *, experiment_id: int, now: datetime) -> None:
    """Show the family this arm for as long as the experiment runs; once it does, nothing changes."""
    new = insert(serving).values(family_id=family, arm_id=arm_id, experiment_id=experiment_id, since=now)
    news = {name: new.excluded[name] for name in ("arm_id", "experiment_id", "since")}
    other = serving.c.experiment_id != new.excluded.experiment_id
    connection.execute(new.on_conflict_do_update(index_elements=[serving.c.family_id], set_=news, where=other))


def delete_serving(connection: Connection, experiment_id: int) -> int:
    """Let the experiment's families go; tells how many there were."""
    return connection.execute(serving.delete().where(serving.c.experiment_id == experiment_id)).rowcount


def count_shown(connection: Connection, experiment_id: int) -> dict[str, int]:
    """How many families see each arm because of the experiment."""
    shown = _of_experiments().subquery()
    query = select(shown.c.name, func.count()).where(shown.c.experiment_id == experiment_id).group_by(shown.c.name)
    return {row[0]: row[1] for row in connection.execute(query)}


def count_computed(connection: Connection, arm: str) -> int:
    """How many families the arm was computed for."""
    query = select(func.count(runs.c.family_id.distinct())).join(arms, arms.c.arm_id == runs.c.arm_id)
    return connection.execute(query.where(arms.c.name == arm, runs.c.status == "done")).scalar_one()


def _load_of_experiment(connection: Connection, family: FamilyId) -> str | None:
    shown = _of_experiments().subquery()
    return connection.execute(select(shown.c.name).where(shown.c.family_id == family)).scalar_one_or_none()


def _of_experiments() -> Select[tuple[UUID, int, str]]:
    """What families see by an experiment that runs; whoever it holds out stays with the control after its end, too."""
    mine = (experiment_families.c.family_id == serving.c.family_id) & (
        experiment_families.c.experiment_id == serving.c.experiment_id
    )
    held = and_(experiments.c.status == "concluded", experiment_families.c.arm_id.is_(None))
    return (
        select(serving.c.family_id, serving.c.experiment_id, arms.c.name)
        .select_from(serving)
        .join(arms, arms.c.arm_id == serving.c.arm_id)
        .join(experiments, experiments.c.experiment_id == serving.c.experiment_id)
        .join(experiment_families, mine)
        .where(or_(experiments.c.status == "running", held))
    )


def _load_promoted(connection: Connection, family: FamilyId) -> str | None:
    newest = (
        select(func.max(runs.c.month))
        .where(runs.c.family_id == family, runs.c.arm_id == promotions.c.arm_id, runs.c.status == "done")
        .scalar_subquery()
    )
    query = select(arms.c.name, promotions.c.undoes.is_not(None), newest).join(arms)
    found = connection.execute(query.order_by(promotions.c.number.desc())).all()
    return _choose([(row[0], bool(row[1]), row[2]) for row in found])


def _choose(promoted: Sequence[tuple[str, bool, date | None]]) -> str | None:
    """Of arms, newest promotion first, whether each was a rollback and its newest month: the one to show."""
    for place, (name, rollback, month) in enumerate(promoted):
        before = [other for _, _, other in promoted[place + 1 :] if other is not None]
        if rollback or (not before if month is None else all(month >= other for other in before)):
            return name
    return None
