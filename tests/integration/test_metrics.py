"""Metrics of a month are counted once, with the run that made it, and summed over families as resampling would."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, select, update
from typer.testing import CliRunner

from eval.metrics import METRICS, FamilyCount, estimate_from_sums, estimate_ratio
from eval.metrics.change import estimate_change
from eval.metrics.estimates import as_pairs, sum_pairs
from eval.metrics.facts import Count, count_churn
from facealbum.cli.commands import app as commands
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FamilyId, child_id, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import InvalidValueError
from facealbum.steps.batches import start_batch
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, undo
from facealbum.steps.families import forget_family
from facealbum.steps.metric_cases import SliceImport, import_slices, list_cases, list_families
from facealbum.steps.metrics import compare_months, metric_alarms, summarize_month, total_months, track_metric
from facealbum.storage.families import save_child, save_family
from facealbum.storage.family_metrics import MeasuredMonth, load_companies, save_month
from facealbum.storage.metric_schema import family_metrics, family_slices, metric_totals
from facealbum.storage.metric_totals import ArmMonth, sum_change, sum_month
from facealbum.storage.schema import arms, assignments, breakage, faces, runs
from tests.conftest import NOW
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

YEAR = Month(2026, 12)
JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
HANA = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 1, 1), Gender.FEMALE)

Rows = dict[tuple[str, str, str], tuple[float, float]]


def rows(context: Context, family: FamilyId = FAMILY_ID) -> Rows:
    """Total and cases by month, metric and slice."""
    with context.database.begin() as transaction:
        found = transaction.execute(select(family_metrics).where(family_metrics.c.family_id == family))
        return {(f"{row.month:%Y-%m}", row.metric, row.slice): (row.total, row.cases) for row in found}


@pytest.fixture
def clustered(context: Context) -> None:
    """Two clustered months of four people, one of them a registered child."""
    add(context, shots(months=2, a_month=10))
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=NOW)
    cluster_families(context, FEBRUARY)


@pytest.mark.usefixtures("clustered")
def test_each_months_counts_are_those_of_its_faces(context: Context) -> None:
    with context.database.begin() as transaction:
        query = (
            select(func.count(), func.count(assignments.c.person_id))
            .select_from(faces)
            .outerjoin(assignments, assignments.c.face_id == faces.c.face_id)
        )
        early = transaction.execute(query.where(faces.c.taken_at < FEBRUARY.start())).one()
        late = transaction.execute(query.where(faces.c.taken_at >= FEBRUARY.start())).one()
    found = rows(context)
    assert found["2026-01", "coverage", ""] == (early[1], early[0])
    assert found["2026-02", "coverage", ""] == (late[1], late[0])
    assert found["2026-02", "cluster_size", ""] == (early[1] + late[1], 4)
    assert found["2026-02", "waiting", ""] == (early[0] + late[0] - early[1] - late[1], early[0] + late[0])
    assert found["2026-02", "churn", ""] == (0, early[1])
    assert found["2026-02", "breakage", ""] == (0, 4)
    assert ("2026-01", "breakage", "") not in found, "nobody was known in January"
    assert found["2026-02", "collisions", ""][0] == 0


@pytest.mark.usefixtures("clustered")
def test_slices_of_faces_add_up_to_all_of_them(context: Context) -> None:
    found = rows(context)
    for metric in ("coverage", "association"):
        for kind in ("age:", "gender:"):
            parts = [
                one for (month, key, part), one in found.items() if (month, key) == ("2026-02", metric) and kind in part
            ]
            assert tuple(np.sum(parts, axis=0)) == found["2026-02", metric, ""]


@pytest.mark.usefixtures("clustered")
def test_persons_go_by_the_child_that_they_are(context: Context) -> None:
    found = rows(context)
    size, one = found["2026-02", "cluster_size", "age:3-6"]
    assert one == 1
    assert found["2026-02", "cluster_size", "gender:female"] == (size, 1)
    assert found["2026-02", "breakage", "age:3-6"] == (0, 1)
    linked = sum(found[month, "association", ""][0] for month in ("2026-01", "2026-02"))
    assert linked == size


@pytest.mark.usefixtures("clustered")
def test_a_month_that_runs_again_is_counted_once(context: Context) -> None:
    before = rows(context)
    add(context, [replace(shot, key=f"late-{shot.key}") for shot in shots(months=1, a_month=2)])
    cluster_families(context, FEBRUARY)
    after = rows(context)
    assert after["2026-01", "coverage", ""][1] > before["2026-01", "coverage", ""][1]
    kept = {key for key in before if key[0] == "2026-02" and key[1] != "corrections"}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}, "as it was when it ended"
    with context.database.begin() as transaction:
        made = select(runs.c.run_id).where(runs.c.month == JANUARY.start().date()).order_by(runs.c.nodes.desc())
        named = select(family_metrics.c.run_id).distinct().where(family_metrics.c.month == JANUARY.start().date())
        assert transaction.execute(named).scalars().all() == [transaction.execute(made).scalars().first()]


@pytest.mark.usefixtures("clustered")
def test_a_dry_run_counts_nothing(context: Context) -> None:
    before = rows(context)
    add(context, [replace(shot, key=f"late-{shot.key}") for shot in shots(months=3, a_month=2)])
    cluster_families(context, YEAR, dry_run=True)
    assert rows(context) == before


def reject(context: Context, number: int, *, at: datetime) -> int:
    """A user says that some faces of the largest person are somebody else's; tells the decision's number."""
    with context.database.begin() as transaction:
        found = transaction.execute(select(assignments.c.person_id, assignments.c.face_id)).all()
    person, _ = Counter(row.person_id for row in found).most_common(1)[0]
    mine = tuple(sorted(str(row.face_id) for row in found if row.person_id == person)[:number])
    world = replace(context, clock=lambda: at)
    return decide(world, FAMILY, Said(Kind.REJECT, faces=mine, person=str(person)), author="ann").number


@pytest.mark.usefixtures("clustered")
def test_corrections_are_of_the_month_they_were_made_in_even_if_it_has_no_photo(context: Context) -> None:
    march = datetime(2026, 3, 5, tzinfo=UTC)
    shown = rows(context)["2026-02", "corrections", ""]
    assert shown[0] == 0
    number = reject(context, 3, at=march)
    cluster_families(context, Month(2026, 4))
    found = rows(context)
    assert found["2026-03", "corrections", ""] == (3, shown[1])
    assert found["2026-04", "corrections", ""][0] == 0
    assert found["2026-02", "corrections", ""][0] == 0
    undo(replace(context, clock=lambda: NOW + timedelta(days=1)), FAMILY, number, author="ann")
    cluster_families(context, Month(2026, 4))
    assert rows(context)["2026-03", "corrections", ""] == (0, shown[1])


@pytest.mark.usefixtures("clustered")
def test_months_that_are_to_come_are_never_the_newest_that_was_measured(context: Context) -> None:
    cluster_families(context, Month(2031, 1))
    assert summarize_month(context).month <= Month.of(context.clock())
    with pytest.raises(InvalidValueError, match="must not be in the future, got 2031-01"):
        start_batch(context, Month(2031, 1))


@pytest.mark.usefixtures("clustered")
def test_an_arm_that_nobody_is_shown_has_no_corrections(context: Context) -> None:
    cluster_families(context, FEBRUARY, arm="hdbscan")
    with context.database.begin() as transaction:
        query = (
            select(arms.c.name, family_metrics.c.metric).distinct().join(arms, arms.c.arm_id == family_metrics.c.arm_id)
        )
        found = {tuple(row) for row in transaction.execute(query)}
    assert {("default", "corrections"), ("default", "coverage"), ("hdbscan", "coverage")} <= found
    assert ("hdbscan", "corrections") not in found


@pytest.mark.usefixtures("clustered")
def test_churn_sees_faces_that_change_their_person_behind_the_plans_back(context: Context) -> None:
    with context.database.begin(trial=True) as transaction:
        arm_id = transaction.execute(select(runs.c.arm_id).limit(1)).scalar_one()
        before = load_companies(transaction, FAMILY_ID, arm_id)
        one, other = list(before)[:2]
        face = (
            transaction.execute(select(assignments.c.face_id).where(assignments.c.person_id == one)).scalars().first()
        )
        transaction.execute(update(assignments).where(assignments.c.face_id == face).values(person_id=other))
        after = load_companies(transaction, FAMILY_ID, arm_id)
    assert {person for person in before if after[person] != before[person]} == {one, other}
    assert count_churn(before, after, {}) == (before[one][0] + before[other][0], sum(n for n, _ in before.values()))


# --- Over all families -----------------------------------------------------------------------------------------


def invent(context: Context, month: Month, counts: dict[FamilyId, dict[str, tuple[float, float]]]) -> ArmMonth:
    """Have families with these counts, by metric."""
    with context.database.begin() as transaction:
        arm_id = transaction.execute(select(runs.c.arm_id).limit(1)).scalar_one()
        for family, found in counts.items():
            measured = MeasuredMonth(family, arm_id, month, None, "m1" if month == JANUARY else "m2", "1")
            rows = [Count(metric, "", *pair) for metric, pair in found.items()]
            save_month(transaction, measured, rows, now=NOW)
    return ArmMonth(arm_id, month)


@pytest.fixture
def many(context: Context) -> list[FamilyId]:
    """A clustered family's arm, and 300 families beside it, a third of them with a child."""
    add(context, shots(months=1, a_month=4))
    cluster_families(context, JANUARY)
    with context.database.begin() as transaction:
        found = [save_family(transaction, f"F{number}", now=NOW).family_id for number in range(300)]
        for family in found[::3]:
            child = Child(child_id(family, "C"), "C", date(2022, 1, 1), Gender.FEMALE)
            save_child(transaction, family, child, now=NOW)
        transaction.execute(delete(family_metrics))
        transaction.execute(delete(metric_totals))
    return found


def drawn(families: list[FamilyId], seed: int) -> dict[FamilyId, dict[str, tuple[float, float]]]:
    draw = np.random.default_rng(seed)
    cases = 1 + draw.poisson(8, size=len(families))
    hits = draw.binomial(cases, draw.beta(2, 6, size=len(families)))
    return {
        family: {"breakage": (float(hit), float(case)), "cluster_size": (float(case), float(1 + hit))}
        for family, hit, case in zip(families, hits, cases, strict=True)
    }


def test_the_databases_sums_are_those_of_the_rows(context: Context, many: list[FamilyId]) -> None:
    counts = drawn(many, 1)
    month = invent(context, JANUARY, counts)
    with context.database.begin() as transaction:
        sums = sum_month(transaction, month)
    for metric in ("breakage", "cluster_size"):
        plain = as_pairs([FamilyCount(family, *one[metric]) for family, one in counts.items()])
        assert sums[metric, ""] == sum_pairs(plain, np.ones(len(plain), np.int64))
        drawn_again, summed = estimate_ratio(plain), estimate_from_sums(sums[metric, ""])
        width = drawn_again.high - drawn_again.low
        assert (summed.low, summed.high) == pytest.approx((drawn_again.low, drawn_again.high), abs=0.1 * width)


def test_families_are_sliced_by_size_model_and_what_the_operator_gave(context: Context, many: list[FamilyId]) -> None:
    month = invent(context, JANUARY, drawn(many, 2))
    with context.database.begin() as transaction:
        given = [{"family_id": one, "name": "region", "value": "north", "imported_at": NOW} for one in many[:40]]
        transaction.execute(family_slices.insert(), given)
        sums = {
            part: one.families for (metric, part), one in sum_month(transaction, month).items() if metric == "breakage"
        }
    assert sums == {"": 300, "model:m1": 300, "size:0": 200, "size:1": 100, "given:region=north": 40} | {
        "siblings:none": 300,
        "history:1-3": 300,
    }


def test_totals_outlive_the_families_and_are_found_by_the_newest(context: Context, many: list[FamilyId]) -> None:
    invent(context, JANUARY, drawn(many[:30], 3))
    for batch in (1, 2):
        with context.database.begin() as transaction:
            fresh = total_months(transaction, since=NOW, through=YEAR, batch=batch, now=NOW + timedelta(days=batch))
        assert [one.month for one in fresh] == [JANUARY]
        forget_family(context, f"F{batch}")
    with context.database.begin() as transaction:
        assert total_months(transaction, since=NOW + timedelta(days=3), through=YEAR, now=NOW) == []
    assert summarize_month(context).estimates["breakage", ""].families == 29
    assert rows(context, family_id("F2")) == {}


def test_a_change_is_judged_within_families(context: Context, many: list[FamilyId]) -> None:
    before = drawn(many, 4)
    after = {
        family: {"breakage": (min(one["breakage"][0] + number % 2, one["breakage"][1]), one["breakage"][1])}
        for number, (family, one) in enumerate(before.items())
    }
    one, other = invent(context, JANUARY, before), invent(context, FEBRUARY, after)
    change = compare_months(context, "breakage", before=JANUARY, after=FEBRUARY)
    pairs = np.array([[*before[family]["breakage"], *after[family]["breakage"]] for family in many])
    plain = estimate_change(pairs.sum(axis=0), pairs.T @ pairs, len(pairs))
    assert change == plain
    draw = np.random.default_rng(0).integers(len(pairs), size=(4000, len(pairs)))
    t, c, t2, c2 = pairs[draw].sum(axis=1).T
    assert (change.low, change.high) == pytest.approx(np.quantile(t2 / c2 - t / c, [0.025, 0.975]), abs=0.003)
    with context.database.begin() as transaction:
        assert sum_change(transaction, one, other, "breakage")[2] == 300


def test_a_month_that_leaves_its_limits_is_told_with_its_model(context: Context, many: list[FamilyId]) -> None:
    for number, month in enumerate(JANUARY.through(Month(2026, 8))):
        counts = drawn(many, number)
        if month == Month(2026, 8):
            counts = {family: {"breakage": (one["breakage"][1], one["breakage"][1])} for family, one in counts.items()}
        invent(context, month, counts)
    with context.database.begin() as transaction:
        total_months(transaction, since=NOW, through=YEAR, now=NOW)
        (said,) = metric_alarms(transaction, "default", Month(2026, 8))
        assert metric_alarms(transaction, "default", Month(2026, 7)) == []
    assert said.startswith("breakage of 2026-08 is 100.0% in 300 families, above the ")
    tracked = track_metric(context, "breakage")
    assert [one.side for one in tracked] == ["unknown"] * 6 + ["within", "above"]
    assert (tracked[1].changed_from, tracked[1].point.models) == (("m1",), ("m2",))
    assert tracked[-1].worse
    assert set(METRICS) >= {one.metric for one in tracked}


# --- From a rate to its faces -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clustered")
def test_a_rate_leads_to_families_persons_and_faces(context: Context) -> None:
    with context.database.begin() as transaction:
        person = transaction.execute(select(breakage.c.person_id).limit(1)).scalar_one()
        transaction.execute(update(breakage).where(breakage.c.person_id == person).values(splitting=True))
        mine = select(assignments.c.face_id).where(assignments.c.person_id == person)
        whole = set(transaction.execute(mine).scalars())
        lost = transaction.execute(mine.limit(1)).scalar_one()
        transaction.execute(delete(assignments).where(assignments.c.face_id == lost))
    (family,) = list_families(context, "coverage", FEBRUARY)
    assert (family.family, family.cases) == (FAMILY_ID, rows(context)["2026-02", "coverage", ""][1])
    (broken,) = list_cases(context, "breakage", FEBRUARY, FAMILY_ID)
    assert (broken.person_id, set(broken.faces)) == (person, whole - {lost})
    assert list_cases(context, "mixing", FEBRUARY, FAMILY_ID) == []
    assert [case.faces for case in list_cases(context, "waiting", FEBRUARY, FAMILY_ID)] == [(lost,)]
    assert list_cases(context, "collisions", FEBRUARY, FAMILY_ID) == []


@pytest.mark.usefixtures("clustered")
def test_two_faces_of_one_person_in_a_photo_are_found(context: Context) -> None:
    with context.database.begin() as transaction:
        pair = (
            select(func.array_agg(faces.c.face_id))
            .where(faces.c.taken_at >= FEBRUARY.start())
            .group_by(faces.c.photo_id)
            .having(func.count() == 2)
            .limit(1)
        )
        one, other = transaction.execute(pair).scalar_one()
        person = transaction.execute(select(assignments.c.person_id).where(assignments.c.face_id == one)).scalar_one()
        transaction.execute(update(assignments).where(assignments.c.face_id == other).values(person_id=person))
    (case,) = list_cases(context, "collisions", FEBRUARY, FAMILY_ID)
    assert (case.person_id, set(case.faces)) == (person, {one, other})


@pytest.mark.usefixtures("clustered")
def test_corrected_faces_are_named_by_the_month_of_the_decision(context: Context) -> None:
    reject(context, 2, at=datetime(2026, 2, 20, tzinfo=UTC))
    found = list_cases(context, "corrections", FEBRUARY, FAMILY_ID)
    assert sum(len(case.faces) for case in found) == 2
    assert list_cases(context, "corrections", JANUARY, FAMILY_ID) == []
    with pytest.raises(InvalidValueError, match="association, breakage"):
        list_cases(context, "churn", FEBRUARY, FAMILY_ID)


def test_slices_are_taken_in_replaced_and_taken_back(context: Context, many: list[FamilyId], tmp_path: Path) -> None:
    month = invent(context, JANUARY, drawn(many, 1))
    file = tmp_path / "slices.csv"
    file.write_text("family,name,value\nF1,region,north\nF2,region,north\nNobody,region,north\nF3,a=b,c\n")
    taken = import_slices(context, file)
    assert (taken.rows, len(taken.problems)) == (2, 2)
    file.write_text("family,name,value\nF1,region,south\nF2,region,\n")
    assert import_slices(context, file) == SliceImport(2, ())
    with context.database.begin() as transaction:
        given = {key[1]: one.families for key, one in sum_month(transaction, month).items() if "given" in key[1]}
    assert given == {"given:region=south": 1}
    assert [one.family for one in list_families(context, "breakage", JANUARY, part="given:region=south")] == [many[1]]


@pytest.mark.usefixtures("clustered")
def test_the_command_line_shows_the_same(context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data_folder))

    def run(*words: str) -> Any:  # noqa: ANN401 - whatever JSON it printed
        found = CliRunner().invoke(commands, ["metrics", *words, "--json"])
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    shown = {(one["metric"], one["slice"]): one for one in run("show")["metrics"]}
    assert (shown["coverage", ""]["total"], shown["coverage", ""]["families"]) == (
        rows(context)["2026-02", "coverage", ""][0],
        1,
    )
    assert [one["side"] for one in run("tracking", "coverage")] == ["unknown", "unknown"]
    change = run("compare", "coverage", "--before", "2026-01", "--after", "2026-02")
    assert (change["families"], change["low"]) == (1, None)
    (family,) = run("families", "waiting", "--month", "2026-02")
    assert family["family"] == str(FAMILY_ID)
    assert run("faces", "mixing", "--month", "2026-02", "--family-id", family["family"]) == []
    assert {one["slice"].partition(":")[0] for one in run("show", "--slice", "age")["metrics"]} == {"age"}
    assert CliRunner().invoke(commands, ["metrics", "tracking"]).exit_code == 0


@pytest.mark.usefixtures("clustered")
def test_tables_fit_a_terminal_and_what_was_never_measured_is_no_empty_one(
    context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data_folder))

    def run(words: str) -> list[str]:
        return CliRunner().invoke(commands, ["metrics", *words.split()], catch_exceptions=False).stdout.splitlines()

    for shown in ("show", "show --slice age", "tracking coverage"):
        lines = run(shown)
        assert any(" to " in line for line in lines)
        assert all(len(line.rstrip()) <= 80 for line in lines)
        assert not [line for line in lines if line.startswith(" ")]  # a cell that goes on below
    (change,) = run("compare coverage --before 2026-01 --after 2026-02")
    assert "points (not known) in 1 family" in change
    for missing, message in (
        ("show --slice shoe", "no slice of 2026-02 begins with 'shoe'; there are age"),
        ("tracking --arm unheard", "nothing was measured of breakage"),
        ("tracking --slice given:region=north", "breakage in the slice given:region=north"),
        ("families breakage --month 2031-01", "nothing was measured of breakage"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            run(missing)


def test_a_month_that_never_came_is_told_though_it_has_no_figures(context: Context, many: list[FamilyId]) -> None:
    for month in JANUARY.through(Month(2026, 7)):
        invent(
            context, month, {family: {"coverage": (number % 5 + 5.0, 10.0)} for number, family in enumerate(many[:30])}
        )
    with context.database.begin() as transaction:
        total_months(transaction, since=NOW, through=YEAR, now=NOW)
        assert metric_alarms(transaction, "default", Month(2026, 7)) == []
        (said,) = metric_alarms(transaction, "default", Month(2026, 8))
    assert said == "only 0 families have faces of 2026-08, after 30 or more in each of the 7 months before"


def test_photos_that_come_late_do_not_make_the_next_month_look_small(context: Context, many: list[FamilyId]) -> None:
    def count(month: Month, faces: float, batch: int) -> None:
        invent(context, month, {family: {"coverage": (faces, faces)} for family in many[:30]})
        with context.database.begin() as transaction:
            now = NOW + timedelta(days=batch)
            total_months(transaction, since=NOW, through=month, batch=batch, now=now)

    months = list(JANUARY.through(Month(2026, 8)))
    for number, month in enumerate(months):
        count(month, 10.0, 10 * number + 1)
    for number, month in enumerate(months[:-1]):
        count(month, 30.0, 10 * number + 200)
    with context.database.begin() as transaction:
        assert metric_alarms(transaction, "default", months[-1]) == []
