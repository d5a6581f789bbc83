"""Stages of model versions: whatever is done in whatever order, one serves, all is on record, a rollback undoes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from facealbum.domain.model_gates import (
    BASELINE,
    COMPATIBILITY,
    GATES,
    MAY_BE_OVERRIDDEN,
    GateVerdict,
    Outcome,
    diff,
    judge_metrics,
    refusing,
)
from facealbum.domain.model_versions import (
    MOVES,
    Change,
    ModelKind,
    ModelVersion,
    Move,
    Stage,
    expect_move,
    expect_slot,
    find_promotion,
    plan_served,
    slot_of,
)
from facealbum.errors import ConflictError, InvalidValueError

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SLOTS = (ModelKind.EMBEDDER, ModelKind.CALIBRATOR)


def version(model_id: int, kind: ModelKind = ModelKind.EMBEDDER, stage: Stage = Stage.DRAFT) -> ModelVersion:
    return ModelVersion(
        model_id,
        kind,
        name=f"m{model_id}",
        version="1",
        sha256=f"{model_id:064}",
        licence="CC0-1.0",
        research_only=False,
        source="training",
        training_run=None,
        snapshot=None,
        metrics={},
        slices={},
        primary=None,
        gates={},
        stage=stage,
        slot=slot_of(kind, f"m{model_id}"),
        arm=None,
        asked_by=None,
        made_at=NOW,
    )


class Registry(RuleBasedStateMachine):
    """The registry as steps drive it, without a database."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[int, ModelVersion] = {}
        self.changes: list[Change] = []

    def write(self, moves: tuple[Move, ...], undoes: int | None = None) -> None:
        act = len(self.changes) + 1
        for move in moves:
            if move.before is not None:
                assert self.versions[move.model_id].stage is move.before
                self.versions[move.model_id] = replace(self.versions[move.model_id], stage=move.after)
            number = len(self.changes) + 1
            told = ("user ann", None, "a test", (), None, undoes, NOW)
            self.changes.append(Change(number, act, move.model_id, move.before, move.after, *told))
            self.one_serves()

    def history(self, slot: str) -> list[Change]:
        return [one for one in self.changes if self.versions[one.model_id].slot == slot]

    def stages(self) -> dict[int, Stage]:
        return {key: one.stage for key, one in self.versions.items()}

    @rule(kind=st.sampled_from(SLOTS))
    def register(self, kind: ModelKind) -> None:
        model_id = len(self.versions) + 1
        self.versions[model_id] = version(model_id, kind)
        self.write((Move(model_id, None, Stage.DRAFT),))

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), stage=st.sampled_from([Stage.SHADOW, Stage.CANARY, Stage.RETIRED]))
    def move(self, data: st.DataObject, stage: Stage) -> None:
        one = self.versions[data.draw(st.sampled_from(sorted(self.versions)))]
        if stage in MOVES[one.stage]:
            expect_move(one, stage)
            self.write((Move(one.model_id, one.stage, stage),))
        else:
            with pytest.raises(ConflictError):
                expect_move(one, stage)

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), back=st.booleans())
    def promote(self, data: st.DataObject, *, back: bool) -> None:
        before = self.stages()
        chosen = self.versions[data.draw(st.sampled_from(sorted(self.versions)))]
        replaces = any(one.slot == chosen.slot and one.stage is Stage.PRODUCTION for one in self.versions.values())
        again = chosen.stage is Stage.PRODUCTION
        self.write(plan_served(self.versions.values(), {chosen.slot: chosen.model_id}))
        assert self.versions[chosen.model_id].stage is Stage.PRODUCTION
        if back and replaces and not again:
            self.take_back(chosen.slot)
            assert self.stages() == before
            with pytest.raises(ConflictError):
                find_promotion(self.history(chosen.slot))

    def take_back(self, slot: str) -> None:
        act = find_promotion(self.history(slot))
        undone = [one for one in self.changes if one.act == act]
        serving = {slot: next(one.model_id for one in undone if one.before is Stage.PRODUCTION)}
        back = {one.model_id: one.before for one in undone if one.before and one.after is Stage.PRODUCTION}
        self.write(plan_served(self.versions.values(), serving, back), undoes=act)

    @invariant()
    def one_serves(self) -> None:
        serving = [one.slot for one in self.versions.values() if one.stage is Stage.PRODUCTION]
        assert len(serving) == len(set(serving))

    @invariant()
    def the_record_tells_every_stage(self) -> None:
        replayed: dict[int, Stage] = {}
        for one in self.changes:
            assert replayed.get(one.model_id) is one.before
            replayed[one.model_id] = one.after
        assert replayed == self.stages()


TestRegistry = Registry.TestCase


def test_a_slot_that_was_never_filled_has_nothing_to_take_back() -> None:
    with pytest.raises(ConflictError, match="no promotion to take back"):
        find_promotion([])


def test_what_nobody_promotes_nobody_takes_back() -> None:
    for slot in ("embedder", "quality", "adapter/a-b"):
        expect_slot(slot)
    for slot in ("nothing", "detector", "adapter", "adapter/", "embedder/a", ""):
        with pytest.raises(InvalidValueError, match="one of embedder, calibrator, quality, thresholds, or adapter/OLD"):
            expect_slot(slot)


def test_what_serves_leaves_by_another_promotion_alone() -> None:
    for stage in Stage:
        with pytest.raises(ConflictError, match="promote another, or roll back"):
            expect_move(version(1, stage=Stage.PRODUCTION), stage)


def test_networks_of_two_names_serve_beside_each_other_and_embedders_do_not() -> None:
    assert slot_of(ModelKind.BACKBONE, "a") != slot_of(ModelKind.BACKBONE, "b")
    assert slot_of(ModelKind.EMBEDDER, "a") == slot_of(ModelKind.EMBEDDER, "b") == "embedder"


def test_each_stage_asks_for_what_the_one_before_asked_for() -> None:
    assert set(GATES[Stage.SHADOW]) < set(GATES[Stage.CANARY]) < set(GATES[Stage.PRODUCTION])


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("gate", [BASELINE, COMPATIBILITY])
def test_a_gate_refuses_what_failed_and_what_it_needs_to_know(outcome: Outcome, *, needed: bool, gate: str) -> None:
    verdict = GateVerdict(gate, outcome, "", needed=needed)
    wrong = outcome is Outcome.FAIL or (outcome is Outcome.UNKNOWN and needed)
    assert (refusing([verdict], override=False) == [verdict]) == wrong
    assert (refusing([verdict], override=True) == [verdict]) == (wrong and gate not in MAY_BE_OVERRIDDEN)


@pytest.mark.parametrize(
    ("better", "primary", "outcome"),
    [
        ({"mae": True, "ece": False}, "mae", Outcome.PASS),
        ({"mae": False, "ece": True}, "mae", Outcome.FAIL),
        ({"mae": True, "ece": False}, None, Outcome.FAIL),
        ({"mae": None}, "mae", Outcome.PASS),
        ({"mae": True}, "lost", Outcome.UNKNOWN),
        ({}, None, Outcome.UNKNOWN),
    ],
)
def test_a_version_may_not_be_worse_in_what_decides(
    better: dict[str, bool | None], primary: str | None, outcome: Outcome
) -> None:
    metrics = {name: {"value": 1.0, "better": one} for name, one in better.items()}
    judged = judge_metrics(replace(version(1), metrics=metrics, primary=primary, training_run="run"))
    assert judged.outcome is outcome
    assert judged.refuses == (outcome is not Outcome.PASS)


def test_what_nobody_trained_here_needs_no_baseline() -> None:
    assert not judge_metrics(version(1)).refuses


def test_a_difference_has_every_field_and_metric_that_is_not_the_same() -> None:
    first = replace(version(1), snapshot="a", metrics={"mae": {"value": 2.5}, "ece": {"value": 0.1}})
    second = replace(version(2), snapshot="b", metrics={"mae": {"value": 2.0}}, gates={BASELINE: {"outcome": "pass"}})
    found = diff(first, second)
    assert found.fields["snapshot"] == ("a", "b")
    assert found.fields["gate baseline"] == (None, "pass")
    assert "licence" not in found.fields
    assert {one.metric: one.difference for one in found.metrics} == {"mae": -0.5, "ece": None}
    assert diff(first, first).fields == {}
