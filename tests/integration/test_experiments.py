"""Families see their own arm, a switch back is instant and loses nothing, and a verdict comes when it is due."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from eval.experiments import Kind as Looks
from eval.experiments import Outcome, Verdict
from facealbum.cli.commands import app as commands
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps import reembed
from facealbum.steps.arms import create_arm, list_arms, promote_arm, rollback_arm
from facealbum.steps.batches import start_batch, work_through
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_persons
from facealbum.steps.embedders import default_space
from facealbum.steps.experiment_history import History, trace_experiment
from facealbum.steps.experiment_outlook import foresee
from facealbum.steps.experiment_results import show_experiment
from facealbum.steps.experiments import (
    conclude_experiment,
    create_experiment,
    grow_experiment,
    release_holdout,
    rollback_experiment,
    start_experiment,
    stop_experiment,
)
from facealbum.steps.families import forget_family
from facealbum.steps.match import match_family
from facealbum.steps.releases import use_model
from facealbum.storage.audit import load_entries
from facealbum.storage.experiment_schema import experiment_families, serving
from facealbum.storage.schema import arms, assignments, persons, runs
from facealbum.storage.serving import DEFAULT_ARM, load_served_arm
from models.registry import load_embedders
from tests.conftest import copied, original
from tests.integration.album import add
from tests.integration.crowd import (
    FIRST,
    NAMES,
    SERVED,
    SHADOW,
    at,
    begin,
    count,
    make_arms,
    make_crowd,
    make_few,
    people,
    photos,
    rate,
    run_served,
)

SECOND = Month(2026, 2)
HEAD = "family-512"  # follows from the default space by a linear map


MADE = {"world": make_few, "empty": make_arms, "crowd": make_crowd}


@pytest.fixture(scope="module")
def originals(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The databases of the worlds below, by the names of their fixtures."""
    for name, make in MADE.items():
        with original(server, f"experiments_{name}", tmp_path_factory) as context:
            make(context)
    return {name: f"experiments_{name}" for name in MADE}


@pytest.fixture
def database_url(server: str, originals: dict[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A copy of the world that the test asks for, which it may change."""
    wanted = next((originals[name] for name in request.fixturenames if name in originals), "template")
    with copied(server, wanted, "experiments_copy") as url:
        yield url


@pytest.fixture
def world(context: Context) -> Context:
    """Four families whose January is clustered, and an arm to try."""
    return context


@pytest.fixture
def empty(context: Context) -> Context:
    """Both arms, and no family."""
    return context


@pytest.fixture
def crowd(context: Context) -> Context:
    """Eighty families without a photo, and both arms."""
    return context


def seen(context: Context, names: Iterable[str] = NAMES) -> dict[str, str]:
    with context.database.begin() as transaction:
        return {name: load_served_arm(transaction, family_id(name)) for name in names}


def assigned(context: Context) -> dict[str, str | None]:
    query = select(experiment_families.c.family_id, arms.c.name).outerjoin(arms)
    with context.database.begin() as transaction:
        by_id = {row.family_id: row.name for row in transaction.execute(query)}
    return {name: by_id[family_id(name)] for name in NAMES if family_id(name) in by_id}


def test_a_family_sees_its_arm_once_that_is_computed_and_the_others_what_they_saw(world: Context) -> None:
    february = at(world, 2)
    begin(february, SERVED)
    assert set(seen(world).values()) == {"default"}
    cluster_families(february, FIRST)
    assert seen(world) == assigned(world)
    assert set(seen(world).values()) == {"default", "sharp"}


def test_no_family_changes_sides_however_often_the_job_runs_and_traffic_grows(world: Context) -> None:
    february = at(world, 2)
    begin(february, replace(SERVED, traffic=0.4))
    cluster_families(february, FIRST)
    before = assigned(world)
    grow_experiment(february, "sharper", 1.0, author="ann")
    cluster_families(february, FIRST)
    assert len(before) < len(NAMES) == len(assigned(world))
    assert before.items() <= assigned(world).items()
    with pytest.raises(InvalidValueError, match="only grow"):
        grow_experiment(february, "sharper", 0.5, author="ann")


def test_in_the_shadow_both_arms_are_computed_for_each_family_and_none_is_seen(world: Context) -> None:
    begin(at(world, 2), SHADOW)
    work_through(world, start_batch(world, FIRST))
    assert set(seen(world).values()) == {"default"}
    query = select(arms.c.name, func.count()).join(runs).group_by(arms.c.name)
    with world.database.begin() as transaction:
        assert {row[0]: row[1] for row in transaction.execute(query)} == {"default": 4, "sharp": 4}


def test_the_command_tells_runs_of_arms_that_are_not_shown(
    world: Context, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    begin(at(world, 2), SHADOW)
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)
    monkeypatch.setenv("FACEALBUM_DATA", str(world.settings.data_folder))
    said = CliRunner().invoke(commands, ["cluster", "--through", str(FIRST)])
    assert said.exit_code == 0, said.output
    assert "0 runs in 4 families, 4 up to date, 4 runs of arms that are not shown" in said.stdout


def treated(context: Context) -> str:
    return next(name for name, arm in sorted(seen(context).items()) if arm == "sharp")


def rows_of(context: Context, name: str) -> int:
    with context.database.begin() as transaction:
        mine = [table.c.family_id == family_id(name) for table in (runs, persons, assignments)]
        return sum(transaction.execute(select(func.count()).where(where)).scalar_one() for where in mine)


@pytest.mark.parametrize("end", [stop_experiment, rollback_experiment])
def test_a_rollback_is_seen_at_once_computes_nothing_and_keeps_what_users_said(world: Context, end: object) -> None:
    february = at(world, 2)
    begin(february, SERVED)
    cluster_families(february, FIRST)
    family = treated(world)
    person = list_persons(world, family)[0]
    decide(world, family, Said(Kind.NAME, person=str(person.person_id), name="Grandpa"), author="ben")
    before = rows_of(world, family)
    assert callable(end)
    end(february, "sharper", author="ann")
    assert set(seen(world).values()) == {"default"}
    assert rows_of(world, family) == before
    again = {one.name: one for one in list_persons(world, family)}
    assert again["Grandpa"].person_id != person.person_id
    assert again["Grandpa"].faces == pytest.approx(person.faces, abs=2)


def test_new_faces_are_matched_under_the_arm_that_is_seen_and_the_one_to_go_back_to(world: Context) -> None:
    february = at(world, 2)
    begin(february, SERVED)
    cluster_families(february, FIRST)
    family = treated(world)
    add(world, photos(2, family), family=family)
    assert match_family(world, family_id(family)).matched > 0
    query = (
        select(arms.c.name)
        .distinct()
        .join(assignments)
        .where(assignments.c.family_id == family_id(family), assignments.c.state == "provisional")
    )
    with world.database.begin() as transaction:
        assert set(transaction.execute(query).scalars()) == {"default", "sharp"}


def test_a_promoted_arm_is_seen_once_it_has_come_as_far_and_its_rollback_at_once(world: Context) -> None:
    assert promote_arm(world, "sharp", author="ann") == 2
    assert set(seen(world).values()) == {"default"}
    cluster_families(world, FIRST)
    assert set(seen(world).values()) == {"sharp"}
    assert [arm.name for arm in list_arms(world) if arm.installed] == ["sharp"]
    before = [rows_of(world, name) for name in NAMES]
    assert rollback_arm(world, author="ben").arm == "sharp"
    assert set(seen(world).values()) == {"default"}
    assert [rows_of(world, name) for name in NAMES] == before
    with pytest.raises(InvalidValueError, match="no promotion"):
        rollback_arm(world, author="ben")


def test_an_arm_never_changes_and_says_what_it_may_be(empty: Context) -> None:
    with pytest.raises(InvalidValueError, match="never change"):
        create_arm(empty, "sharp", algorithm="hdbscan", author="ann")
    for wrong in ({"name": "Sharp"}, {"name": "default"}, {"name": "holdout"}, {"algorithm": "dbscan"}):
        with pytest.raises(InvalidValueError):
            create_arm(empty, **{"name": "x", "algorithm": "constrained", "author": "ann", **wrong})  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"linking\.threshold"):
        create_arm(empty, "x", algorithm="constrained", changes={"sharpness": 1}, author="ann")
    with pytest.raises(InvalidValueError, match="min_faces must be a whole number"):
        create_arm(empty, "x", algorithm="constrained", changes={"min_faces": 2.5}, author="ann")
    with pytest.raises(InvalidValueError, match="between -1 and 1"):
        create_arm(empty, "x", algorithm="constrained", changes={"similarity": 2}, author="ann")


def test_a_served_experiment_tells_nothing_early_and_promotes_what_is_better(crowd: Context) -> None:
    run_served(crowd, better=0.08, holdout=0.1)
    early = show_experiment(at(crowd, 4), "sharper")
    assert early.months_over == 1
    assert (early.verdicts["sharp"]["outcome"], early.verdicts["sharp"]["effect"]) == (Outcome.UNDECIDED, None)
    with pytest.raises(InvalidValueError, match="must be better"):
        conclude_experiment(at(crowd, 4), "sharper", author="ann", promote=True)
    may = at(crowd, 5)
    verdict = show_experiment(may, "sharper").verdicts["sharp"]
    assert verdict["outcome"] is Outcome.BETTER
    assert verdict["effect"] == pytest.approx(-0.08, abs=0.01)
    assert verdict["guardrails"][0]["passed"] is True
    conclude_experiment(may, "sharper", author="ann", promote=True)
    held = [one for one, arm in people(crowd).items() if arm is None]
    with crowd.database.begin() as transaction:
        assert {load_served_arm(transaction, one) for one in people(crowd)} == {"default", "sharp"}
        assert {load_served_arm(transaction, one) for one in held} == {"default"}
    assert release_holdout(may, "sharper", author="ann") == 80
    with crowd.database.begin() as transaction:
        assert {load_served_arm(transaction, one) for one in people(crowd)} == {"sharp"}
    rollback_experiment(may, "sharper", author="ben")
    with crowd.database.begin() as transaction:
        assert {load_served_arm(transaction, one) for one in people(crowd)} == {"default"}
        trail = [(one.action, one.author) for one in load_entries(transaction, "experiment sharper")]
    assert trail == [("create", "ann"), ("start", "ann"), ("conclude", "ann"), ("release", "ann"), ("rollback", "ben")]


def test_what_came_month_by_month_is_told_as_far_as_the_plan_allows(crowd: Context) -> None:
    run_served(crowd, better=0.08)
    early = show_experiment(at(crowd, 4), "sharper")
    assert trace_experiment(crowd, early) == History({}, ())
    due = show_experiment(at(crowd, 5), "sharper")
    history = trace_experiment(crowd, due)
    (look,) = history.looks["sharp"]
    assert look.to_dict() == Verdict.from_dict(due.verdicts["sharp"]).to_dict()
    told = {(one.arm, str(one.month), one.metric): one.estimate for one in history.months}
    assert {key[:2] for key in told} == {(arm, f"2026-0{month}") for arm in ("default", "sharp") for month in (3, 4)}
    assert told["default", "2026-03", "breakage"].value == pytest.approx(0.2 + 0.03, abs=0.01)
    assert told["sharp", "2026-04", "breakage"].families == look.families[1]


def test_a_sequential_plan_tells_every_look_and_the_last_is_its_verdict(crowd: Context) -> None:
    march = at(crowd, 3)
    begin(march, replace(SHADOW, kind=Looks.SEQUENTIAL, months=3), first_month=Month(2026, 1))
    cluster_families(march, FIRST)
    for month in (Month(2026, 1), Month(2026, 2)):
        for arm, base in (("default", 0.2), ("sharp", 0.12)):
            count(crowd, arm, {one: rate(one, base) for one in people(crowd)}, month=month)
    status = show_experiment(march, "sharper")
    looks = trace_experiment(crowd, status).looks["sharp"]
    assert [look.look for look in looks] == [1, 2]
    assert all(look.effect == pytest.approx(-0.08) for look in looks)
    assert looks[-1].to_dict() == Verdict.from_dict(status.verdicts["sharp"]).to_dict()


def test_what_an_action_would_change_is_told_before_and_changes_nothing(world: Context) -> None:
    february = at(world, 2)
    create_experiment(february, SERVED, author="ann")
    with pytest.raises(InvalidValueError, match="is draft"):
        foresee(february, "sharper", "rollback")
    assert foresee(february, "sharper", "start").changing == 0
    start_experiment(february, "sharper", author="ann")
    cluster_families(february, FIRST)
    before = seen(world)
    outlook = foresee(february, "sharper", "rollback")
    assert (outlook.changing, outlook.installed, outlook.families) == (
        list(before.values()).count("sharp"),
        "default",
        4,
    )
    assert seen(world) == before
    rollback_experiment(february, "sharper", author="ann")
    assert sum(before[name] != now for name, now in seen(world).items()) == outlook.changing > 0


def test_nothing_is_said_if_one_arm_lost_families(crowd: Context) -> None:
    march = at(crowd, 3)
    begin(march, SERVED)
    cluster_families(march, FIRST)
    for month in (Month(2026, 3), Month(2026, 4)):
        for arm in ("default", "sharp"):
            mine = sorted(one for one, own in people(crowd).items() if own == arm)
            count(crowd, arm, {one: rate(one, 0.1) for one in mine[: 10 if arm == "sharp" else 80]}, month=month)
    verdict = show_experiment(at(crowd, 5), "sharper").verdicts["sharp"]
    assert (verdict["outcome"], verdict["effect"]) == (Outcome.REFUSED, None)


def test_a_shadow_experiment_may_begin_in_the_past_and_needs_far_fewer_families(crowd: Context) -> None:
    everybody = [family_id(f"crowd {number}") for number in range(60)]
    for month in (FIRST, SECOND):
        count(crowd, "default", {one: rate(one, 0.2) for one in everybody}, month=month)
        count(crowd, "sharp", {one: rate(one, 0.2) - 0.06 - one.int % 3 / 100 for one in everybody}, month=month)
    _, shadow = create_experiment(crowd, replace(SHADOW, families=None), author="ann", dry_run=True)
    _, served = create_experiment(crowd, replace(SERVED, families=None), author="ann", dry_run=True)
    assert shadow.paired
    assert shadow.needed is not None
    assert served.needed is not None
    assert shadow.needed < served.needed / 2
    begin(crowd, replace(SHADOW, families=50), first_month=FIRST)
    cluster_families(crowd, FIRST)
    verdict = show_experiment(crowd, "sharper").verdicts["sharp"]
    assert (verdict["outcome"], verdict["families"]) == (Outcome.BETTER, (60, 60))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": "cluster_size"}, "a metric must be"),
        ({"metric": "bcubed_precision"}, "a metric must be"),
        ({"metric": "corrections", "mode": "shadow"}, "nobody sees"),
        ({"shares": (("default", 1.0),)}, "two arms"),
        ({"shares": (("default", 0.5), ("unheard", 0.5))}, "no arm"),
        ({"minimum_effect": 0.0}, "minimum effect"),
        ({"minimum_effect": inf}, "minimum effect"),
        ({"guardrails": {"churn": inf}}, "churn tolerates"),
        ({"months": 0}, "1 to 36 months"),
        ({"families": None}, "give the number"),
        ({"mode": "shadow", "holdout": 0.1}, "held out of what is served"),
    ],
)
def test_what_cannot_be_decided_is_refused_at_creation(empty: Context, wrong: dict[str, object], message: str) -> None:
    draft = replace(SERVED, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=message):
        create_experiment(empty, draft, author="ann")


def test_only_one_experiment_serves_and_no_arm_is_promoted_beside_it(empty: Context) -> None:
    begin(empty, SERVED)
    create_experiment(empty, replace(SERVED, name="second"), author="ann")
    with pytest.raises(InvalidValueError, match="serves families already"):
        start_experiment(empty, "second", author="ann")
    with pytest.raises(InvalidValueError, match="shows families its arms"):
        promote_arm(empty, "sharp", author="ann")
    with pytest.raises(InvalidValueError, match="must be draft"):
        start_experiment(empty, "sharper", author="ann")


def test_no_promotion_is_taken_back_while_an_experiment_goes_on_showing_it(empty: Context) -> None:
    promote_arm(empty, "sharp", author="ann")
    begin(empty, replace(SERVED, shares=(("sharp", 0.5), ("default", 0.5))))
    with pytest.raises(InvalidValueError, match="facealbum experiment stop sharper"):
        rollback_arm(empty, author="ann")
    stop_experiment(empty, "sharper", author="ann")
    assert rollback_arm(empty, author="ann").arm == "sharp"


def test_the_default_arm_may_be_the_control_before_anything_was_clustered(context: Context) -> None:
    create_arm(context, "sharp", algorithm="constrained", author="ann")
    begin(context, SERVED)
    assert show_experiment(context, "sharper").experiment.control.name == DEFAULT_ARM


def test_an_arm_stays_as_it_is_while_an_experiment_with_it_runs(empty: Context) -> None:
    begin(empty, SERVED)
    with pytest.raises(InvalidValueError, match="is running"):
        use_model(empty, default_space())


def test_an_arm_whose_space_lacks_faces_is_not_tried(world: Context) -> None:
    other = next(space for space in load_embedders() if space != default_space())
    create_arm(world, "other", algorithm="constrained", space=other, author="ann")
    with pytest.raises(InvalidValueError, match="faces have no embedding"):
        begin(world, replace(SHADOW, shares=(("default", 0.5), ("other", 0.5))))


def test_new_faces_reach_every_arm_of_a_running_experiment_whatever_its_space(world: Context) -> None:
    reembed.start(world, HEAD, accept_research_only=True)
    reembed.work_through(world)
    create_arm(world, "head", algorithm="constrained", space=HEAD, author="ann")
    begin(world, replace(SHADOW, shares=(("default", 0.5), ("head", 0.5))), first_month=SECOND)
    add(world, photos(2, NAMES[0]), family=NAMES[0])
    assert show_experiment(world, "sharper").unseen["head"].without == 9
    work_through(world, start_batch(world, SECOND))
    assert show_experiment(world, "sharper").unseen == {}
    query = select(arms.c.name, runs.c.faces).join(runs).where(runs.c.month == SECOND.start().date())
    with world.database.begin() as transaction:
        assert {row.name: row.faces for row in transaction.execute(query)} == {"default": 9, "head": 9}


def test_a_deleted_family_leaves_every_experiment(world: Context) -> None:
    begin(world, SERVED)
    cluster_families(world, FIRST)
    forget_family(world, NAMES[0])
    with world.database.begin() as transaction:
        for table in (experiment_families, serving):
            mine = select(func.count()).where(table.c.family_id == family_id(NAMES[0]))
            assert transaction.execute(mine).scalar_one() == 0
