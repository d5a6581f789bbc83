"""Slices over real families, the gate between two arms, what drove links, and the mix of it over months."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from eval.annotation import Kind as Sampled
from eval.drift.counts import BUCKETS
from eval.fairness.gate import Verdict
from eval.fairness.mix import EDGES, MonthMix, compare_mix
from eval.fairness.slices import Standing
from eval.metrics.facts import Count
from facealbum.cli import fairness as command
from facealbum.cli.commands import app as commands
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, FamilyId, PersonId, child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import NothingMeasuredError, UnknownPersonError
from facealbum.linking import INPUTS
from facealbum.steps.accuracy import USERS, load_accuracy
from facealbum.steps.annotation import Wanted, draw_sample, estimate, label_item, load_sample
from facealbum.steps.cluster import ArmPlan, cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, undo
from facealbum.steps.fairness import judge_arms, load_fairness
from facealbum.steps.link_inputs import explain_link, load_mix, watch_mix
from facealbum.steps.metrics import total_months
from facealbum.storage.families import save_child, save_family
from facealbum.storage.family_metrics import MeasuredMonth, save_month
from facealbum.storage.runs import ensure_arm
from facealbum.storage.schema import arms, assignments, links, persons
from tests.conftest import NOW
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
TEN = 10.0


@pytest.fixture
def linked(context: Context) -> PersonId:
    """Two clustered months of a family whose one child is the boy of four; the person linked to it."""
    add(context, shots(months=2, a_month=10))
    boy = Child(child_id(FAMILY_ID, "Ren"), "Ren", date(2022, 1, 15), Gender.MALE)
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, boy, now=NOW)
    cluster_families(context, FEBRUARY)
    with context.database.begin() as transaction:
        return PersonId(transaction.execute(select(links.c.person_id)).scalar_one())


def faces_of(context: Context, person: PersonId) -> list[FaceId]:
    """The person's faces, in order."""
    query = select(assignments.c.face_id).where(assignments.c.person_id == person).order_by(assignments.c.face_id)
    with context.database.begin() as transaction:
        return [FaceId(face) for face in transaction.execute(query).scalars()]


# --- What drove a link -----------------------------------------------------------------------------------------


def test_a_run_keeps_what_drove_its_links_and_views_and_sums_say_the_same(context: Context, linked: PersonId) -> None:
    link = explain_link(context, FAMILY_ID, linked)
    assert link.inputs is not None
    assert link.probability == pytest.approx(1 / (1 + np.exp(-link.inputs.log_odds)), abs=1e-3)
    with context.database.begin() as transaction:
        query = text("SELECT input, log_odds FROM dashboard.link_inputs WHERE person_id = :person AND month = :month")
        rows = transaction.execute(query, {"person": linked, "month": FEBRUARY.start().date()}).all()
    assert dict(map(tuple, rows)) == {name: getattr(link.inputs, name) for name in INPUTS}
    mix = watch_mix(context, FEBRUARY)
    assert {one.input: one.mean for one in mix.months if one.month == FEBRUARY} == pytest.approx(dict(map(tuple, rows)))
    assert {one.month for one in mix.months} == {JANUARY, FEBRUARY}, "the month before is counted, too"
    assert (mix.alarms, load_mix(context).months) == ([], mix.months)
    again = watch_mix(context, FEBRUARY)
    assert again == mix


def test_a_link_made_since_the_last_run_is_judged_anew(context: Context, linked: PersonId) -> None:
    with context.database.begin() as transaction:
        other = transaction.execute(select(persons.c.person_id).where(persons.c.person_id != linked)).scalars().first()
    assert other is not None
    with pytest.raises(UnknownPersonError, match="linked to no child"):
        explain_link(context, FAMILY_ID, PersonId(other))
    decide(context, FAMILY, Said(Kind.LINK, person=str(other), child="Ren"), author="test")
    link = explain_link(context, FAMILY_ID, PersonId(other))
    assert link.inputs is None or link.inputs.log_odds < 0, "a user says so, and the faces say no"


# --- Slices ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("linked")
def test_faces_are_sliced_by_quality_turn_and_source_and_families_by_births_and_history(context: Context) -> None:
    found = load_fairness(context)
    (month,) = found.months
    assert month == FEBRUARY
    cases = {one.slice: one.estimate.cases for one in found.months[month] if one.metric == "coverage"}
    for kind in ("quality:high", "pose:frontal", "from:photo", "siblings:none", "history:1-3", "size:1"):
        assert cases[kind] == cases[""], kind
    assert {one.standing for one in found.months[month]} == {Standing.FEW}, "one family says nothing of others"
    assert list(load_fairness(context, JANUARY, FEBRUARY).months) == [JANUARY, FEBRUARY]
    with pytest.raises(NothingMeasuredError):
        load_fairness(context, Month(2020, 1), Month(2020, 2))


@pytest.fixture
def arm_ids(context: Context) -> tuple[int, int]:
    """Two arms under which nothing ran yet."""
    add(context, shots(months=1, a_month=1))
    cluster_families(context, JANUARY)
    with context.database.begin() as transaction:
        space, first = transaction.execute(select(arms.c.space_id, arms.c.arm_id)).one()
        other = ensure_arm(transaction, "other", space_id=space, algorithm="constrained", parameters={})
    return first, other.arm_id


def measure(context: Context, arm_id: int, *, babies_found: float, families: int = 150) -> None:
    """Families with ten faces of babies and ten of adults; of the adults' nine in ten have a person."""
    draw = np.random.default_rng(1)
    with context.database.begin() as transaction:
        for number in range(families):
            family: FamilyId = save_family(transaction, f"F{number}", now=NOW).family_id
            found = {"age:0-2": draw.binomial(10, 0.9), "age:20+": draw.binomial(10, 0.9)}
            found["age:0-2"] = int(found["age:0-2"] * babies_found)
            counts = [Count("coverage", part, total, TEN) for part, total in found.items()]
            counts.append(Count("coverage", "", sum(found.values()), 2 * TEN))
            save_month(transaction, MeasuredMonth(family, arm_id, FEBRUARY, None, "m1", "1"), counts, now=NOW)
        total_months(transaction, since=NOW, through=FEBRUARY, now=NOW)


def test_the_gate_between_two_arms_finds_the_slice_that_gets_worse(context: Context, arm_ids: tuple[int, int]) -> None:
    measure(context, arm_ids[0], babies_found=1)
    measure(context, arm_ids[1], babies_found=0.8)
    found = judge_arms(context, "other", metrics=("coverage",))
    worst = found.metrics["coverage"].worst
    assert worst is not None
    assert (found.verdict, worst.slice, worst.families) == (Verdict.FAIL, "age:0-2", 150)
    assert "age:0-2" in found.reason
    same = judge_arms(context, "other", present="other", metrics=("coverage",))
    assert same.verdict is Verdict.UNKNOWN, "one family in forty might change unseen"
    assert judge_arms(context, "other").verdict is Verdict.FAIL, "one metric suffices"
    standing = {one.slice: one.standing for one in load_fairness(context, arm="other").months[FEBRUARY]}
    assert (standing["age:0-2"], standing["age:20+"]) == (Standing.WORSE, Standing.BETTER)


def test_the_gate_knows_nothing_where_an_arm_has_no_month(context: Context, arm_ids: tuple[int, int]) -> None:
    assert arm_ids
    found = judge_arms(context, "other")
    assert found.verdict is Verdict.UNKNOWN


# --- Accuracy, as people said ----------------------------------------------------------------------------------


def said(context: Context, source: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Total and cases of each measure and slice."""
    rows = load_accuracy(context).rows
    return {(one.measure, one.slice): (one.estimate.total, one.estimate.cases) for one in rows if one.source == source}


def test_what_users_say_of_faces_and_links_is_counted_once_and_as_it_was_before(
    context: Context, linked: PersonId
) -> None:
    mine = [str(face) for face in faces_of(context, linked)]
    decide(context, FAMILY, Said(Kind.CONFIRM, faces=mine[:4], person=str(linked)), author="ann")
    decide(context, FAMILY, Said(Kind.REJECT, faces=mine[4:6], person=str(linked)), author="ann")
    decide(context, FAMILY, Said(Kind.CONFIRM, faces=mine[4:6], person=str(linked)), author="ben")
    decide(context, FAMILY, Said(Kind.NOT_A_FACE, faces=mine[6:7]), author="ann")
    undo(context, FAMILY, 4, author="ann")
    decide(context, FAMILY, Said(Kind.LINK, person=str(linked), child="Ren"), author="ann")
    found = said(context, USERS)
    assert found["assignment_precision", ""] == found["assignment_precision", "size:1"] == (4, 6), (
        "the first word counts"
    )
    assert found["link_precision", ""] == found["link_precision", "gender:male"] == (1, 1)
    right = sum(total for (measure, part), (total, _) in found.items() if measure == "age_right" and part[:4] == "age:")
    assert found["age_right", ""] == (right, len(mine)), "every face is in one band of the child's age"
    decide(context, FAMILY, Said(Kind.UNLINK, person=str(linked), child="Ren"), author="ben")
    assert {measure for measure, _ in said(context, USERS)} == {"assignment_precision", "link_precision"}
    assert said(context, USERS)["link_precision", ""] == (1, 1), "the first word counts"


def test_a_concluded_sample_tells_slices_and_holds_an_arm_to_the_worst_one(context: Context, linked: PersonId) -> None:
    assert linked
    cluster_families(context, FEBRUARY, arm=ArmPlan(name="shadow"))
    draw_sample(context, Wanted("both", Sampled.FACES, 10_000, 0, arms=("default", "shadow")))
    for item in load_sample(context, "both")[1]:
        label_item(context, "both", item.item_id, annotator="ann", answer="yes")
    assert said(context, "both") == {}, "only what is concluded counts"
    estimate(context, "both", conclude=True)
    found = said(context, "both")
    total, cases = found["assignment_precision", ""]
    assert (
        total
        == cases
        == sum(
            cases for (one, part), (_, cases) in found.items() if (one, part[:4]) == ("assignment_precision", "age:")
        )
    )
    assert found["link_precision", ""][1] == found["age_right", ""][1] == found["gender_right", "gender:male"][1]
    for arms_ in (("default", "shadow"), ("shadow", "default")):
        labelled = judge_arms(context, arms_[1], present=arms_[0]).labelled
        assert {name: (one.verdict, one.judged) for name, one in labelled.items()} == {
            "assignment_precision": (Verdict.UNKNOWN, 0),
            "link_precision": (Verdict.UNKNOWN, 0),
        }, "one family is too few"


# --- The mix over months ---------------------------------------------------------------------------------------


def mix(month: int, *, company: float, seed: int) -> MonthMix:
    """640 links in 64 buckets, driven by company in so many of them."""
    draw = np.random.default_rng(seed)
    counts = {name: np.zeros((BUCKETS, len(EDGES) + 1), np.int64) for name in INPUTS}
    for bucket in range(BUCKETS):
        for name in INPUTS:
            moved = draw.binomial(10, company if name == "company" else 0.5)
            counts[name][bucket, [6, 9]] = 10 - moved, moved
    return MonthMix(Month(2026, month), counts, dict.fromkeys(INPUTS, 0.0))


def test_a_mix_that_moves_raises_an_alarm_for_the_input_that_moved_and_a_quiet_one_none() -> None:
    quiet = [mix(month, company=0.2, seed=month) for month in range(1, 7)]
    assert not any(one.alarm for one in compare_mix(mix(7, company=0.2, seed=7), quiet))
    assert [one.input for one in compare_mix(mix(7, company=0.5, seed=7), quiet) if one.alarm] == ["company"]


def test_few_months_or_links_are_not_judged() -> None:
    quiet = [mix(month, company=0.2, seed=month) for month in range(1, 3)]
    assert {one.threshold for one in compare_mix(mix(7, company=0.9, seed=7), quiet)} == {None}
    assert compare_mix(mix(7, company=0.9, seed=7), []) == ()


# --- Commands --------------------------------------------------------------------------------------------------


def test_the_commands_tell_slices_links_and_the_mix(
    context: Context, linked: PersonId, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def this_world() -> Iterator[Context]:
        yield context

    monkeypatch.setattr(command, "open_world", this_world)

    def tell(*words: str) -> str:
        done = CliRunner().invoke(commands, [*words])
        assert done.exit_code in {0, 3}, done.output
        return done.stdout

    assert "age:3-6" in tell("fairness", "show", "--metric", "association")
    told = json.loads(tell("fairness", "gate", "default", "--json"))
    assert told["verdict"] == "unknown"
    decide(context, FAMILY, Said(Kind.LINK, person=str(linked), child="Ren"), author="ann")
    assert "users" in tell("fairness", "accuracy", "--measure", "age_right")
    assert json.loads(tell("fairness", "accuracy", "--json"))["slices"][0]["drawn"] is False
    assert "company" in tell("attribution", "show", str(FAMILY_ID), str(linked))
    assert "2026-02" in tell("attribution", "mix", "--month", "2026-02")
