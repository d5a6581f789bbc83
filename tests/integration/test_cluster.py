"""The monthly run keeps people apart, keeps what it decided, and does nothing twice."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, event, select

from facealbum.clustering import ClusteringParameters
from facealbum.domain.ids import FaceId, child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import UnknownFamilyError
from facealbum.steps import cluster, reembed
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family
from facealbum.steps.match import match_family
from facealbum.steps.releases import use_model
from facealbum.storage.families import save_child
from facealbum.storage.schema import assignments, links, plans, runs
from facealbum.storage.schema import persons as persons_table
from facealbum.storage.tables import metadata
from models.registry import load_embedders
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

YEAR = Month(2026, 12)


def persons(context: Context) -> dict[FaceId, object]:
    query = select(assignments.c.face_id, assignments.c.person_id).where(assignments.c.family_id == FAMILY_ID)
    with context.database.begin() as transaction:
        return {FaceId(row.face_id): row.person_id for row in transaction.execute(query)}


def everything(context: Context) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with context.database.begin() as transaction:
        return {
            name: sorted((tuple(map(str, row)) for row in transaction.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }


def test_people_are_told_apart_over_months(context: Context) -> None:
    truth = add(context, shots(months=4, a_month=12))
    result = cluster_families(context, YEAR)
    assert [str(run.month) for run in result.runs] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    found: dict[object, set[int]] = defaultdict(set)
    for face, person in persons(context).items():
        found[person].add(truth[face])
    assert all(len(people) == 1 for people in found.values())
    assert len(persons(context)) >= 0.95 * len(truth)


def test_a_second_run_of_the_same_months_changes_nothing(context: Context) -> None:
    add(context, shots(months=3, a_month=8))
    cluster_families(context, YEAR)
    before = everything(context)
    again = cluster_families(context, YEAR)
    assert (again.runs, again.changes, again.up_to_date) == ([], 0, 3)
    assert everything(context) == before


def test_a_dry_run_tells_and_writes_nothing(context: Context) -> None:
    add(context, shots(months=3, a_month=8))
    cluster_families(context, Month(2026, 1))
    before = everything(context)
    told = cluster_families(context, YEAR, dry_run=True)
    assert everything(context) == before
    done = cluster_families(context, YEAR)
    assert [(r.month, r.attached, r.founded) for r in told.runs] == [
        (r.month, r.attached, r.founded) for r in done.runs
    ]


def test_month_by_month_is_the_same_as_all_at_once(context: Context) -> None:
    add(context, shots(months=3, a_month=8))
    for month in Month(2026, 1).through(Month(2026, 3)):
        cluster_families(context, month)
    stepwise = persons(context)
    forget_family(context, FAMILY)
    add(context, shots(months=3, a_month=8))
    cluster_families(context, YEAR)
    assert persons(context) == stepwise


def test_the_order_of_arrival_does_not_matter(context: Context) -> None:
    photos = shots(months=2, a_month=8)
    add(context, photos)
    cluster_families(context, YEAR)
    first = persons(context)
    forget_family(context, FAMILY)
    add(context, photos[::-1])
    cluster_families(context, YEAR)
    assert persons(context) == first


def test_fresh_faces_are_read_without_comparing_each_with_each(context: Context) -> None:
    add(context, shots(months=2, a_month=8))
    plans: list[str] = []

    def explain(connection: Connection, _: object, query: str, values: object, *__: object) -> None:
        if query.startswith("SELECT") and "JOIN faces" in query:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query}", values)
                plans.append(str(cursor.fetchall()))

    event.listen(context.database.engine, "before_cursor_execute", explain)
    cluster_families(context, YEAR)
    event.remove(context.database.engine, "before_cursor_execute", explain)
    assert plans
    assert not [plan for plan in plans if "Nested Loop" in plan]


@pytest.mark.parametrize("space", load_embedders())
def test_each_space_is_clustered_by_its_own_similarity(context: Context, space: str) -> None:
    use_model(context, space, accept_research_only=True)
    add(context, shots(months=1, a_month=8))
    reembed.start(context, space, accept_research_only=True)
    cluster_families(context, YEAR)
    with context.database.begin() as transaction:
        used = transaction.execute(select(runs)).one().parameters["clustering"]
    measured = load_embedders()[space].similarity or ClusteringParameters().similarity
    assert used["similarity"] == used["poor_similarity"] == measured


def test_later_months_move_no_face_that_has_its_person(context: Context) -> None:
    photos = shots(months=4, a_month=8)
    add(context, photos[:16])
    cluster_families(context, YEAR)
    before = persons(context)
    add(context, photos[16:])
    cluster_families(context, YEAR)
    after = persons(context)
    assert {face: after[face] for face in before} == before


def test_a_late_upload_runs_its_own_month_again_and_only_that(context: Context) -> None:
    photos = shots(months=3, a_month=8)
    late = photos.pop(3)
    add(context, photos)
    cluster_families(context, YEAR)
    before = persons(context)
    add(context, [late])
    result = cluster_families(context, YEAR)
    assert [str(run.month) for run in result.runs] == ["2026-01"]
    assert {face: persons(context)[face] for face in before} == before


def test_a_run_keeps_what_its_answer_depended_on(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    cluster_families(context, YEAR)
    with context.database.begin() as transaction:
        run = transaction.execute(select(runs)).one()
        plan = transaction.execute(select(plans.c.clustering)).scalar_one()
    assert run.parameters["clustering"]["min_faces"] >= 2
    assert run.models["embedder"]
    assert run.attached + run.founded + run.waiting == run.faces
    assert len(plan["attach"]) + sum(len(group["face_ids"]) for group in plan["create"]) == run.attached + run.founded


def test_persons_of_one_child_are_merged_with_the_reason_on_record(context: Context) -> None:
    hana = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 2, 1), Gender.UNKNOWN)
    truth = add(context, [replace(shot, people=(0,)) for shot in shots(months=2, a_month=20)])
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, hana, now=context.clock())
    strict = ClusteringParameters(similarity=0.75, poor_similarity=0.75, child_similarity=1, young_likeness=0)
    parts = cluster_families(context, Month(2026, 1), arm=ArmPlan(clustering=strict)).runs[0].persons
    done = cluster_families(context, YEAR)
    assert parts > 1
    assert sum(run.moved for run in done.runs) == parts - 1
    assert len(set(persons(context).values())) == 1
    assert persons(context).keys() == truth.keys()
    with context.database.begin() as transaction:
        gone = {str(row.person_id): str(row.merged_into) for row in transaction.execute(select(persons_table))}
        recorded = list(transaction.execute(select(plans.c.clustering)).scalars())
        linked = transaction.execute(select(links)).all()
    moves = [move for plan in recorded for move in plan["move"]]
    assert {move["source"]: move["target"] for move in moves}.items() <= gone.items()
    assert {move["reason"] for move in moves} == {"same_child"}
    assert len(linked) == 1


def test_a_run_settles_what_was_shown_since_the_analysis(context: Context) -> None:
    photos = shots(months=2, a_month=8)
    add(context, photos[:8])
    cluster_families(context, YEAR)
    add(context, photos[8:])
    matched = match_family(context, FAMILY_ID).matched
    shown = persons(context)
    cluster_families(context, YEAR)
    with context.database.begin() as transaction:
        last = transaction.execute(select(runs).order_by(runs.c.month.desc()).limit(1)).one()
        states = transaction.execute(select(assignments.c.state)).scalars().all()
    assert matched
    assert last.provisional_confirmed == matched
    assert last.provisional_moved == last.provisional_dropped == 0
    assert set(states) == {"confirmed"}
    assert {face: persons(context)[face] for face in shown} == shown


def test_families_never_meet(context: Context) -> None:
    add(context, shots(months=1, a_month=8), family="Mori")
    add(context, shots(months=1, a_month=8), family="Abe")
    cluster_families(context, YEAR)
    before = persons(context)
    forget_family(context, "Abe")
    assert persons(context) == before
    assert before


def test_deleting_a_family_leaves_no_row_of_it(context: Context) -> None:
    family_tables = [table for table in metadata.tables.values() if "family_id" in table.c]
    add(context, shots(months=2, a_month=8))
    cluster_families(context, YEAR)
    forget_family(context, FAMILY)
    with context.database.begin() as transaction:
        left = {t.name for t in family_tables if transaction.execute(select(t)).first() is not None}
    assert not left


def test_two_runs_at_once_take_turns(context: Context) -> None:
    add(context, shots(months=3, a_month=8))
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: cluster_families(context, YEAR), range(2))
    assert len(first.runs) + len(second.runs) == 3
    assert first.up_to_date + second.up_to_date == 3
    together = persons(context)
    forget_family(context, FAMILY)
    add(context, shots(months=3, a_month=8))
    cluster_families(context, YEAR)
    assert persons(context) == together


def test_a_run_cut_short_leaves_whole_months(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    add(context, shots(months=3, a_month=8))
    applied = []

    def fail_in_the_second_month(*arguments: object, **options: object) -> None:
        if applied:
            raise KeyboardInterrupt
        applied.append(apply(*arguments, **options))  # type: ignore[arg-type]

    apply = cluster.apply_clustering
    monkeypatch.setattr(cluster, "apply_clustering", fail_in_the_second_month)
    with pytest.raises(KeyboardInterrupt):
        cluster_families(context, YEAR)
    monkeypatch.undo()
    assert [str(run.month) for run in cluster_families(context, YEAR).runs] == ["2026-02", "2026-03"]


def test_an_unknown_family_is_refused(context: Context) -> None:
    with pytest.raises(UnknownFamilyError, match="nobody"):
        cluster_families(context, YEAR, family="nobody")


def test_nothing_to_do_is_no_error(context: Context) -> None:
    result = cluster_families(context, YEAR)
    assert (result.runs, result.families) == ([], 0)
