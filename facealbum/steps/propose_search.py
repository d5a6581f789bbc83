"""Making something of what a search found: an arm, an experiment in the shadow, and a draft in the registry of models.

Each is a draft.  Nothing that is served changes before the experiment says so and somebody promotes the arm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eval.tuning.families import HELD_OUT, SEARCHED
from eval.tuning.objective import HIGHER_IS_BETTER
from eval.tuning.space import arm_with
from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.errors import ConflictError
from facealbum.steps.arms import add_arm
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_of_space
from facealbum.steps.experiments import Draft, add_experiment
from facealbum.steps.searches import arm_name, plan_of, trial_arm
from facealbum.steps.served_models import thresholds_of
from facealbum.storage.experiments import SHADOW, load_experiments
from facealbum.storage.registry import Deed, load_versions_of, lock_registry, update_version
from facealbum.storage.searches import Search, load_family_ids, load_search, update_search
from facealbum.storage.serving import load_installed_arm

_MONTHS = 3  # of the experiment that is proposed
_LEAST_EFFECT = 0.005
_GUARDRAILS = {"breakage": 0.02, "coverage": 0.01, "churn": 0.005, "collisions": 0.001}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was made of a search: an arm, the draft of an experiment with it, and a draft in the registry of models."""

    arm: str
    experiment: str
    model: str


def propose_search(context: Context, name: str, *, author: str, anyway: bool = False) -> Proposal:
    """Make an arm of what was found, with the draft of an experiment in the shadow; nothing that is served changes.

    Raises ConflictError if there is nothing to propose: it is proposed already, nothing differs from the arm that the
    search began with, or, but for `anyway`, families that were held out do not show it to be better.
    """
    now = context.clock()
    with context.database.begin() as transaction:
        lock_registry(transaction)
        one = load_search(transaction, name, lock=True)
        outcome, base = _expect_proposable(one, anyway=anyway), plan_of(one)
        found = arm_with(trial_arm(one), outcome["changes"])
        plan = replace(base, name=arm_name(name), clustering=found.clustering, linking=found.linking)
        models, detail = models_of_space(one.base["space"], context.settings), {"search": name, **outcome["changes"]}
        arm = add_arm(transaction, plan, models, author=author, now=now, detail=detail)
        families = len(load_family_ids(transaction, before=now))
        add_experiment(context, transaction, _draft(one, arm.name, outcome, families=max(2, families)), author=author)
        model = thresholds_of(transaction, arm, Deed(author, f"found by search {name}", now))
        update_version(transaction, model.model_id, metrics=_metrics(outcome), primary_metric="loss")
        update_search(transaction, one.search_id, arm_id=arm.arm_id)
    return Proposal(arm.name, arm.name, model.label)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of a proposal; None: it is gone.

    installed: families see the arm.  experiment: the status of its experiment.  model, stage: of the registry's.
    """

    arm: str
    installed: bool
    experiment: str | None
    model: int | None
    stage: Stage | None


def trace_proposal(context: Context, one: Search) -> Proposed | None:
    """How far the arm is that was made of the search; None before one was."""
    if one.arm is None:
        return None
    with context.database.begin() as transaction:
        installed = load_installed_arm(transaction)
        experiments = {its.name: its.status for its in load_experiments(transaction)}
        models = [its for its in load_versions_of(transaction, kind=ModelKind.THRESHOLDS) if its.arm == one.arm]
    model = models[-1] if models else None
    return Proposed(
        arm=one.arm,
        installed=installed == one.arm,
        experiment=experiments.get(one.arm),
        model=model.model_id if model else None,
        stage=model.stage if model else None,
    )


def _expect_proposable(one: Search, *, anyway: bool) -> Mapping[str, Any]:
    """The outcome; raises ConflictError."""
    if one.arm is not None:
        raise ConflictError(f"search {one.name!r} was proposed as the arm {one.arm}; start its experiment")
    if one.outcome is None:
        raise ConflictError(f"no trial of the search {one.name!r} has ended; facealbum search resume {one.name}")
    if not one.outcome["changes"]:
        raise ConflictError(f"the search {one.name!r} found nothing better than the arm {one.base['arm']}")
    if not (one.outcome["better"] or anyway):
        raise ConflictError(f"{one.outcome['reason']}; it is proposed nevertheless if asked for `anyway`")
    return one.outcome


def _draft(one: Search, arm: str, outcome: Mapping[str, Any], *, families: int) -> Draft:
    """An experiment on what improved most, where the arm that the search began with is the control."""
    gains = {
        told["measure"]: told["value"] if told["measure"] == "breakage" else -told["value"]
        for told in (outcome[HELD_OUT]["differences"] or outcome[SEARCHED]["differences"])
        if told["measure"] in {"breakage", "association", "coverage"}
    }
    metric = min(gains, key=lambda name: (gains[name], name))
    return Draft(
        name=arm,
        mode=SHADOW,
        shares=((one.base["arm"], 0.5), (arm, 0.5)),
        metric=metric,
        minimum_effect=max(_LEAST_EFFECT, -gains[metric] / 2),
        months=_MONTHS,
        families=families,
        guardrails={name: harm for name, harm in _GUARDRAILS.items() if name != metric},
    )


def _metrics(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What the families held out say, as the registry keeps it; intervals are of differences alone."""
    return {
        told["measure"]: {
            "value": told["found"],
            "low": None,
            "high": None,
            "n": told["families"],
            "baseline": {"value": told["base"], "low": None, "high": None},
            "difference": {end: told[end] for end in ("value", "low", "high")},
            "better": _is_better(told),
        }
        for told in outcome[HELD_OUT]["differences"]
    }


def _is_better(told: Mapping[str, Any]) -> bool | None:
    """Whether the interval of a difference lies on the better side of none, or on the other; None on neither."""
    if told["low"] is None or told["low"] <= 0 <= told["high"]:
        return None
    return bool(told["low"] > 0) == (told["measure"] in HIGHER_IS_BETTER)
