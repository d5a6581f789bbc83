"""Experiments: on four small families, and on eighty without a photo whose metrics are written as if counted."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import insert, select

from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.steps.arm_plans import load_side
from facealbum.steps.arms import create_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.experiments import Draft, create_experiment, start_experiment
from facealbum.storage.experiment_schema import experiment_families
from facealbum.storage.families import save_family
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.schema import arms
from facealbum.storage.serving import DEFAULT_ARM
from tests.integration.album import Shot, add

FIRST = Month(2026, 1)
SERVED = Draft("sharper", "served", (("default", 0.5), ("sharp", 0.5)), "breakage", 0.05, months=2, families=40)
SHADOW = replace(SERVED, mode="shadow")


NAMES = [f"family {number}" for number in range(4)]


def photos(month: int, family: str) -> list[Shot]:
    """Six days of one or two people."""
    return [
        Shot(f"{family} {month}-{day}", datetime(2026, month, day, 12, tzinfo=UTC), (0, 1, day % 3 + 1)[: day % 2 + 1])
        for day in range(1, 7)
    ]


def at(context: Context, month: int) -> Context:
    """The same world on the third of a month."""
    return replace(context, clock=lambda: datetime(2026, month, 3, tzinfo=UTC))


def begin(context: Context, draft: Draft, **started: Month) -> None:
    create_experiment(context, draft, author="ann")
    start_experiment(context, draft.name, author="ann", **started)


def make_arms(context: Context) -> Context:
    """Both arms, and no family."""
    with context.database.begin() as transaction:
        load_side(transaction, DEFAULT_ARM, context.settings)
    create_arm(context, "sharp", algorithm="constrained", author="ann")
    return context


def make_few(context: Context) -> Context:
    """Four families whose January is clustered, and an arm to try."""
    for name in NAMES:
        add(context, photos(1, name), family=name)
    cluster_families(context, FIRST)
    create_arm(context, "sharp", algorithm="constrained", changes={"similarity": 0.3}, author="ann")
    return context


def make_crowd(context: Context) -> Context:
    """Eighty families without a photo, and both arms."""
    make_arms(context)
    with context.database.begin() as transaction:
        for number in range(80):
            save_family(transaction, f"crowd {number}", now=context.clock())
    return context


def count(context: Context, arm: str, rates: dict[FamilyId, float], *, month: Month) -> None:
    """Have the arm counted so many broken labels in each family."""
    with context.database.begin() as transaction:
        arm_id = transaction.execute(select(arms.c.arm_id).where(arms.c.name == arm)).scalar_one()
        shared = {"arm_id": arm_id, "month": month.start().date(), "slice": "", "model": "", "code_version": ""}
        rows = [
            {"family_id": family, "metric": metric, "total": total, "cases": 100.0, "computed_at": context.clock()}
            for family, rate in rates.items()
            for metric, total in (("breakage", 100 * rate), ("coverage", 90.0 + family.int % 5))
        ]
        transaction.execute(insert(family_metrics), [shared | row for row in rows])


def people(context: Context) -> dict[FamilyId, str | None]:
    query = select(experiment_families.c.family_id, arms.c.name).outerjoin(arms)
    with context.database.begin() as transaction:
        return {FamilyId(row.family_id): row.name for row in transaction.execute(query)}


def rate(family: FamilyId, base: float) -> float:
    return base + family.int % 7 / 100


def run_served(crowd: Context, *, better: float, holdout: float = 0.0) -> None:
    """Two months in which the treatment breaks that much less."""
    march = at(crowd, 3)
    begin(march, replace(SERVED, families=60, holdout=holdout))
    cluster_families(march, FIRST)
    given = people(crowd)
    for month in (Month(2026, 3), Month(2026, 4)):
        for arm, base in (("default", 0.2), ("sharp", 0.2 - better)):
            count(crowd, arm, {one: rate(one, base) for one, own in given.items() if own == arm}, month=month)
