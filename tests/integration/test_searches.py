"""Searches in a real database: they share a study, outlive a kill, name no family and change nothing that is served."""

import os
import signal
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from optuna import Trial
from sqlalchemy import select, text

from eval.tuning.families import SEARCHED
from eval.tuning.space import draw_values
from eval.tuning.study import Effort, Objective, list_trials, open_study, search
from facealbum.domain.ids import child_id, family_id
from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import ConflictError, InvalidValueError, UnknownSearchError
from facealbum.settings import Settings
from facealbum.steps import searches as steps
from facealbum.steps.arms import create_arm, list_arms, list_promotions, promote_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context, open_context
from facealbum.steps.experiments import list_experiments
from facealbum.steps.propose_search import propose_search
from facealbum.steps.registry import list_versions
from facealbum.steps.releases import Wish, promote_model, rollback_model
from facealbum.steps.searches import SearchPlan, list_searches, resume_search, show_search, start_search
from facealbum.storage.families import save_child
from facealbum.storage.schema import assignments, links
from facealbum.storage.searches import load_search, open_trials
from facealbum.storage.serving import load_served_arm
from tests.integration.album import add, shots

FAMILIES = ("Abe", "Mori", "Sato", "Ito", "Kato")
PLAN = SearchPlan(trials=3, held_out=0.4, through=Month(2026, 3))


@pytest.fixture
def world(context: Context, database_url: str) -> Context:
    """Five families with two months each, whose youngest is registered; other processes find them, too."""
    for number, name in enumerate(FAMILIES):
        add(context, shots(months=2, a_month=3, seed=number), family=name)
        child = Child(child_id(family_id(name), "Aoi"), "Aoi", date(2022, 2, 1), Gender.FEMALE)
        with context.database.begin() as transaction:
            save_child(transaction, family_id(name), child, now=context.clock())
    return replace(context, settings=context.settings.model_copy(update={"database_url": database_url}))


@pytest.fixture
def poor(world: Context) -> Context:
    """The same where families see an arm that hardly links anybody."""
    create_arm(world, "timid", algorithm="constrained", changes={"linking.min_faces": 30}, author="ann")
    promote_arm(world, "timid", author="ann")
    cluster_families(world, Month(2026, 2))
    return world


def kept(world: Context) -> list[str]:
    """Every row of every table of searches and their trials."""
    tables = "SELECT table_schema, table_name FROM information_schema.tables"
    with world.database.begin() as transaction:
        names = transaction.execute(text(f"{tables} WHERE table_schema = 'search' OR table_name = 'searches'")).all()
        return [
            str(row[0])
            for schema, name in names
            for row in transaction.execute(text(f'SELECT t::text FROM "{schema}"."{name}" t'))  # noqa: S608 - ours
        ]


def served(world: Context) -> list[Any]:
    """What families are shown, and in which arm."""
    with world.database.begin() as transaction:
        shown: list[Any] = [load_served_arm(transaction, family_id(name)) for name in FAMILIES]
        shown += transaction.execute(select(assignments).order_by(assignments.c.face_id)).all()
        return shown + list(transaction.execute(select(links).order_by(links.c.person_id)).all())


def test_a_search_tries_arms_and_says_what_families_held_out_say(world: Context) -> None:
    found = start_search(world, "first", PLAN, processes=2, author="ann")
    assert found.lost == 0
    assert {one.state for one in found.trials} <= {"complete", "pruned"}
    assert len(found.trials) >= PLAN.trials
    outcome = found.search.outcome
    assert outcome is not None
    assert outcome["searched"]["families"] + outcome["held_out"]["families"] == len(FAMILIES)
    assert outcome["better"] is False
    assert found.search.base["arm"] == "default"
    assert list_searches(world) == [found.search]
    assert found == show_search(world, "first")


def test_the_same_seed_gives_the_same_trials(world: Context) -> None:
    first = start_search(world, "one", replace(PLAN, seed=3), author="ann")
    with world.database.begin() as transaction:
        one = load_search(transaction, "one")
    families = steps._load_families(world, one)[SEARCHED]
    again = open_study("again")
    search(again, Objective(families, steps.trial_arm(one)), Effort(PLAN.trials, seed=3))
    assert tuple(list_trials(again)) == first.trials


def test_a_search_changes_nothing_that_is_served_and_keeps_nothing_of_any_family(poor: Context) -> None:
    before = served(poor)
    start_search(poor, "first", PLAN, author="ann")
    assert served(poor) == before
    rows = "\n".join(kept(poor))
    with poor.database.begin() as transaction:
        ids = transaction.execute(text("SELECT face_id FROM faces UNION SELECT photo_id FROM photos")).scalars().all()
    told = (*map(str, ids), *FAMILIES, *(str(family_id(name)) for name in FAMILIES), "Aoi")
    assert "first" in rows
    assert not [one for one in told if one in rows]


def test_two_searches_have_different_names_and_one_that_is_not_there_is_told(world: Context) -> None:
    start_search(world, "first", replace(PLAN, trials=1), author="ann")
    with pytest.raises(ConflictError, match="resume it"):
        start_search(world, "first", PLAN, author="ann")
    with pytest.raises(UnknownSearchError):
        show_search(world, "second")
    with pytest.raises(InvalidValueError, match="lower-case"):
        start_search(world, "No Arm", PLAN, author="ann")


def test_a_search_goes_on_for_more_trials_and_ends_when_time_is_up(world: Context) -> None:
    first = start_search(world, "first", PLAN, seconds=0, author="ann")
    assert {one.state for one in first.trials} == {"waiting"}
    assert first.search.outcome is None
    more = resume_search(world, "first", trials=2)
    assert len(more.trials) == 2
    assert more.trials[0].is_base


class Mortal(Objective):
    """Its process is killed while it works on the second trial."""

    def __call__(self, trial: Trial) -> float:
        if trial.number == 1:
            draw_values(trial)
            trial.storage.record_heartbeat(trial._trial_id)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(trial)


def work_and_die(settings: Settings, name: str) -> None:
    with open_context(settings, connections=1) as context, open_trials(context.database) as storage:
        with context.database.begin() as transaction:
            one = load_search(transaction, name)
        families = steps._load_families(context, one)[SEARCHED]
        search(open_study(name, storage), Mortal(families, steps.trial_arm(one)), Effort(PLAN.trials))


def test_a_search_whose_process_was_killed_goes_on_and_makes_its_trial_again(world: Context) -> None:
    start_search(world, "first", PLAN, seconds=0, author="ann")
    process = get_context("spawn").Process(target=work_and_die, args=(world.settings, "first"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    left = show_search(world, "first")
    assert [one.state for one in left.trials] == ["complete", "running"]
    with world.database.begin() as transaction:
        transaction.execute(text("UPDATE search.trial_heartbeats SET heartbeat = heartbeat - interval '1 hour'"))
    found = resume_search(world, "first")
    states = [one.state for one in found.trials]
    assert states[:2] == ["complete", "fail"]
    assert sum(state in {"complete", "pruned"} for state in states) == PLAN.trials
    with open_trials(world.database) as storage:
        dead, again = open_study("first", storage).get_trials()[1:3]
    assert again.params == dead.params


class Patient(Objective):
    """Goes on with its first trial once another process has begun one, too."""

    barrier: Barrier | None = None

    def __call__(self, trial: Trial) -> float:
        if self.barrier is not None:
            self.barrier.wait(timeout=120)
            self.barrier = None
        return super().__call__(trial)


def work_together(settings: Settings, name: str, worker: int, barrier: Barrier) -> None:
    with open_context(settings, connections=1) as context, open_trials(context.database) as storage:
        with context.database.begin() as transaction:
            one = load_search(transaction, name)
        objective = Patient(steps._load_families(context, one)[SEARCHED], steps.trial_arm(one))
        objective.barrier = barrier
        search(open_study(name, storage), objective, Effort(PLAN.trials, worker=worker))


def test_two_processes_share_the_trials_of_a_search(world: Context) -> None:
    start_search(world, "first", replace(PLAN, trials=1), author="ann")
    spawn = get_context("spawn")
    barrier = spawn.Barrier(2)
    both = [spawn.Process(target=work_together, args=(world.settings, "first", worker, barrier)) for worker in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    found = show_search(world, "first")
    assert sum(one.state in {"complete", "pruned"} for one in found.trials) >= PLAN.trials
    assert sum(one.is_base for one in found.trials) == 1


def differing(world: Context, old: str, new: str) -> dict[str, Any]:
    """What the new arm has other than the old one."""
    arms = {one.name: one.parameters for one in list_arms(world)}
    before, after = (
        {**arms[name]["clustering"], **{f"linking.{key}": value for key, value in arms[name]["linking"].items()}}
        for name in (old, new)
    )
    return {name: value for name, value in after.items() if value != before[name]}


def test_a_proposal_is_one_arm_and_a_draft_and_changes_nothing_that_is_served(poor: Context) -> None:
    found = start_search(poor, "first", replace(PLAN, trials=10), author="ann")
    assert found.search.outcome is not None
    assert found.search.outcome["better"], found.search.outcome["reason"]
    before, arms, promoted = served(poor), {one.name for one in list_arms(poor)}, list_promotions(poor)
    made = propose_search(poor, "first", author="ann")
    assert {one.name for one in list_arms(poor)} - arms == {made.arm}
    (experiment,) = list_experiments(poor)
    assert (experiment.name, experiment.status, experiment.mode) == (made.experiment, "draft", "shadow")
    assert [arm.name for arm in experiment.arms] == ["timid", made.arm]
    models = [one for one in list_versions(poor, kind=ModelKind.THRESHOLDS) if one.stage is Stage.DRAFT]
    assert [(one.label, one.arm) for one in models if one.arm == made.arm] == [(made.model, made.arm)]
    assert models[-1].metrics["loss"]["better"] is True
    assert (served(poor), list_promotions(poor)) == (before, promoted)
    assert show_search(poor, "first").search.arm == made.arm
    assert differing(poor, "timid", made.arm) == found.search.outcome["changes"]
    with pytest.raises(ConflictError, match="was proposed"):
        propose_search(poor, "first", author="ann")
    promote_model(poor, made.model, Stage.PRODUCTION, Wish(reason="a test", override=True))
    assert load_serving(poor) == made.model
    rollback_model(poor, "thresholds", author="ann")
    assert (served(poor), load_serving(poor)) == (before, "timid@1")


def load_serving(context: Context) -> str:
    (one,) = (one for one in list_versions(context, kind=ModelKind.THRESHOLDS) if one.stage is Stage.PRODUCTION)
    return one.label


def test_a_search_that_found_nothing_better_is_not_proposed(world: Context) -> None:
    start_search(world, "first", replace(PLAN, trials=1), author="ann")
    arms = list_arms(world)
    with pytest.raises(ConflictError, match="found nothing better"):
        propose_search(world, "first", author="ann", anyway=True)
    assert list_arms(world) == arms
    assert not list_experiments(world)
