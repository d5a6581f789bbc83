"""Experiments: what was agreed, who takes part, and what was counted of both.

Whoever changes an experiment holds its row, so two who end it take turns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import UnknownExperimentError
from facealbum.storage.experiment_schema import experiment_arms, experiment_families, experiments
from facealbum.storage.schema import arms

SERVED, SHADOW = "served", "shadow"


@dataclass(frozen=True, slots=True)
class ExperimentArm:
    """One arm of an experiment, with its share of the families that take part."""

    arm_id: int
    name: str
    share: float
    control: bool


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was agreed when it was created, and how far it is.

    mode: `served` shows each family its arm; `shadow` computes all arms for each family and shows none of them.
    plan: as eval.experiments.Plan writes it, for the first treatment.  verdicts: by treatment, once it was concluded.
    """

    experiment_id: int
    name: str
    mode: str
    status: str
    salt: str
    holdout: float
    traffic: float
    plan: Mapping[str, Any]
    first_month: Month | None
    verdicts: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    arms: tuple[ExperimentArm, ...]

    @property
    def control(self) -> ExperimentArm:
        """The arm that the others are compared with."""
        return next(arm for arm in self.arms if arm.control)

    @property
    def treatments(self) -> tuple[ExperimentArm, ...]:
        """The arms that are tried."""
        return tuple(arm for arm in self.arms if not arm.control)


def save_experiment(connection: Connection, sides: Sequence[ExperimentArm], *, now: datetime, **agreed: object) -> None:
    """A new experiment, a draft; agreed: name, mode, salt, holdout, traffic, plan."""
    statement = insert(experiments).values(status="draft", created_at=now, **agreed)
    identity = connection.execute(statement.returning(experiments.c.experiment_id)).scalar_one()
    rows = [
        {"experiment_id": identity, "position": place, "arm_id": one.arm_id, "share": one.share, "control": one.control}
        for place, one in enumerate(sides)
    ]
    connection.execute(insert(experiment_arms), rows)


def load_experiments(connection: Connection, *, status: str | None = None) -> list[Experiment]:
    """Every experiment, or those of this status, the newest first."""
    query = select(experiments).order_by(experiments.c.experiment_id.desc())
    rows = connection.execute(query if status is None else query.where(experiments.c.status == status)).all()
    sides = _load_sides(connection, [row.experiment_id for row in rows])
    return [_experiment(row, sides[row.experiment_id]) for row in rows]


def load_experiment(connection: Connection, name: str, *, lock: bool = False) -> Experiment:
    """The experiment of this name, held until the transaction ends if asked; raises UnknownExperimentError."""
    query = select(experiments).where(experiments.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownExperimentError(f"no experiment is called {name!r}; `facealbum experiment list` shows all")
    return _experiment(row, _load_sides(connection, [row.experiment_id])[row.experiment_id])


def update_experiment(connection: Connection, experiment_id: int, **values: object) -> None:
    """Change these columns of an experiment that the caller has locked."""
    connection.execute(update(experiments).where(experiments.c.experiment_id == experiment_id).values(**values))


def is_in_running_experiment(connection: Connection, arm: str) -> bool:
    """Whether the arm takes part in an experiment that runs, so that it must stay as it is."""
    query = select(func.count()).select_from(experiment_arms).join(arms).join(experiments)
    found = connection.execute(query.where(arms.c.name == arm, experiments.c.status == "running"))
    return found.scalar_one() > 0


def load_assignments(connection: Connection, family: FamilyId) -> dict[int, int | None]:
    """The family's arm in each experiment that it takes part in, None where it has no arm of its own."""
    query = select(experiment_families.c.experiment_id, experiment_families.c.arm_id)
    rows = connection.execute(query.where(experiment_families.c.family_id == family))
    return {row.experiment_id: row.arm_id for row in rows}


def save_assignment(
    connection: Connection, family: FamilyId, experiment_id: int, *, arm_id: int | None, now: datetime
) -> None:
    """Have the family take part; an earlier assignment stays."""
    key = {"family_id": family, "experiment_id": experiment_id}
    row = upsert(experiment_families).values(**key, arm_id=arm_id, assigned_at=now)
    connection.execute(row.on_conflict_do_nothing())


def count_assigned(connection: Connection, experiment_id: int) -> dict[int | None, int]:
    """How many families each arm was given; None: those without an arm of their own."""
    query = select(experiment_families.c.arm_id, func.count()).group_by(experiment_families.c.arm_id)
    rows = connection.execute(query.where(experiment_families.c.experiment_id == experiment_id))
    return {row[0]: row[1] for row in rows}


def _load_sides(connection: Connection, identities: Iterable[int]) -> dict[int, tuple[ExperimentArm, ...]]:
    query = (
        select(
            experiment_arms.c.experiment_id,
            experiment_arms.c.arm_id,
            arms.c.name,
            experiment_arms.c.share,
            experiment_arms.c.control,
        )
        .join(arms)
        .where(experiment_arms.c.experiment_id.in_(identities))
        .order_by(experiment_arms.c.experiment_id, experiment_arms.c.position)
    )
    found: dict[int, tuple[ExperimentArm, ...]] = {}
    for identity, *side in connection.execute(query):
        found[identity] = (*found.get(identity, ()), ExperimentArm(*side))
    return found


def _experiment(row: Row[Any], sides: tuple[ExperimentArm, ...]) -> Experiment:
    first: date | None = row.first_month
    month = None if first is None else Month(first.year, first.month)
    return Experiment(**row._asdict() | {"first_month": month, "arms": sides})
