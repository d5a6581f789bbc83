"""Making something of what a search found: an arm, an experiment in the shadow, and a draft in the registry of models.

Each is a draft.  Nothing that is served changes before the experiment says so and somebody promotes the arm.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eval.tuning.families import HELD_OUT, SEARCHED
from eval.tuning.space import arm_with
from facealbum.domain.model_versions import Kind
from facealbum.errors import ConflictError
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.arms import add_arm
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_of_space
from facealbum.steps.experiments import Draft, add_experiment
from facealbum.steps.registry import NewModel, register_model
from facealbum.steps.searches import arm_name, plan_of, trial_arm
from facealbum.storage.experiments import SHADOW
from facealbum.storage.registry import update_version
from facealbum.storage.searches import Search, load_family_ids, load_search, update_search

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
    with context.database.begin() as transaction:
        one = load_search(transaction, name)
        outcome = _expect_proposable(one, anyway=anyway)
        families = len(load_family_ids(transaction, before=context.clock()))
    base = plan_of(one)
    found = arm_with(trial_arm(one), outcome["changes"])
    plan = replace(base, name=arm_name(name), clustering=found.clustering, linking=found.linking)
    model = register_model(context, _model(one, plan, outcome), author=author)
    with context.database.begin() as transaction:
        one = load_search(transaction, name, lock=True)
        _expect_proposable(one, anyway=anyway)
        arm = add_arm(
            transaction,
            plan,
            models_of_space(one.base["space"], context.settings),
            author=author,
            now=context.clock(),
            detail={"search": name, "changes": outcome["changes"]},
        )
        draft = _draft(one, plan.name, outcome, families=max(2, families))
        add_experiment(context, transaction, draft, author=author)
        update_version(transaction, model.model_id, arm_id=arm.arm_id)
        update_search(transaction, one.search_id, arm_id=arm.arm_id)
    return Proposal(plan.name, draft.name, model.label)


def _expect_proposable(one: Search, *, anyway: bool) -> Mapping[str, Any]:
    """The outcome; raises ConflictError."""
    if one.arm is not None:
        raise ConflictError(f"search {one.name!r} was proposed as the arm {one.arm}; start its experiment")
    if one.outcome is None:
        raise ConflictError(f"no trial of the search {one.name!r} has ended; facealbum search resume {one.name}")
    if not one.outcome["changes"]:
        raise ConflictError(f"the search {one.name!r} found nothing better than the arm {one.base['arm']}")
    if not (one.outcome["better"] or anyway):
        raise ConflictError(f"{one.outcome['reason']}; --anyway proposes it nevertheless")
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


def _model(one: Search, plan: ArmPlan, outcome: Mapping[str, Any]) -> NewModel:
    """The parameters as a model of the registry, with what the families held out say."""
    ends = ("value", "low", "high")
    metrics = {
        told["measure"]: {
            "value": told["found"],
            "low": None,
            "high": None,
            "n": told["families"],
            "baseline": {"value": told["base"], "low": None, "high": None},
            "difference": {end: told[end] for end in ends},
            "better": outcome["better"] if told["measure"] == "loss" else None,
        }
        for told in outcome[HELD_OUT]["differences"]
    }
    content = {"space": one.base["space"], "algorithm": plan.algorithm, "parameters": plan.parameters()}
    return NewModel(
        Kind.THRESHOLDS,
        plan.name,
        json.dumps(content, sort_keys=True).encode(),
        licence="Apache-2.0",
        research_only=False,
        source=f"search {one.name}",
        metrics=metrics,
        primary="loss",
    )
