"""The arms of this installation: creating one, and choosing what families see unless an experiment says otherwise.

A promotion and its rollback are one row each; nothing is computed again.  Each is on record with who did it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from eval.experiments import HOLDOUT
from facealbum.clustering import ALGORITHMS, BreakageThresholds, ClusteringParameters
from facealbum.domain.model_versions import ModelKind
from facealbum.domain.sentences import Sentence
from facealbum.errors import ConflictError, InvalidValueError, UnknownArmError
from facealbum.linking import LinkParameters
from facealbum.steps.arm_parameters import parameters_of
from facealbum.steps.arm_plans import FOLLOWING, ArmPlan, save_side
from facealbum.steps.calibrators import expect_calibrator
from facealbum.steps.compat import require_compatible
from facealbum.steps.context import Context
from facealbum.steps.embedders import ModelsInUse, installed_space, models_of_space
from facealbum.steps.packaged_models import register_embedder, register_packaged
from facealbum.steps.predictors import expect_predictor
from facealbum.steps.served_models import note_served
from facealbum.storage.audit import save_entry
from facealbum.storage.database import Transaction
from facealbum.storage.experiments import SERVED, load_experiments
from facealbum.storage.observations import Arm, load_arm, load_arms
from facealbum.storage.registry import Deed, load_changes, load_versions_of
from facealbum.storage.serving import Promotion, load_installed_arm, load_promotions, save_promotion
from facealbum.storage.spaces import load_space

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class ArmOverview:
    """An arm as it is listed; installed: families see it unless an experiment says otherwise.

    calibrator, quality: the trained versions that it goes by, as NAME@VERSION; None for what is packaged.
    """

    name: str
    algorithm: str
    space: str
    calibrator: str | None
    quality: str | None
    installed: bool
    parameters: Mapping[str, Any]


def list_arms(context: Context) -> list[ArmOverview]:
    """Every arm that was created or ran."""
    with context.database.begin() as transaction:
        installed = load_installed_arm(transaction)
        trained = {(one.kind, one.sha256): one.label for one in load_versions_of(transaction)}
        return [
            ArmOverview(
                arm.name,
                arm.algorithm,
                load_space(transaction, arm.name) or "",
                trained.get((ModelKind.CALIBRATOR, arm.parameters.get("calibrator", ""))),
                trained.get((ModelKind.QUALITY, arm.parameters.get("quality", ""))),
                arm.name == installed,
                arm.parameters,
            )
            for arm in load_arms(transaction)
        ]


def list_promotions(context: Context) -> list[Promotion]:
    """Every promotion and rollback, the newest first."""
    with context.database.begin() as transaction:
        return load_promotions(transaction)


def create_arm(  # noqa: PLR0913 - all that an arm is made of
    context: Context,
    name: str,
    *,
    algorithm: str,
    space: str | None = None,
    changes: Mapping[str, float] | None = None,
    calibrator: str | None = None,
    quality: str | None = None,
    author: str,
) -> Arm:
    """A new arm, which never changes: what is measured in the space, with these parameters changed.

    changes: of the clustering by their names, of links and breakage as `linking.threshold` and `breakage.…`.
    calibrator: the address of a registered one, by whose ages, genders and errors the arm then goes; quality: of a
    predictor likewise.  Raises InvalidValueError for a name, algorithm, parameter or model that can't be,
    ModelNotInstalledError for an unknown space.
    """
    if algorithm not in ALGORITHMS:
        raise InvalidValueError(
            Sentence(
                "an algorithm must be one of %(choices)s, got %(given)s",
                choices=", ".join(sorted(ALGORITHMS)),
                given=repr(algorithm),
            )
        )
    with context.database.begin() as transaction:
        models = models_of_space(space or installed_space(transaction), context.settings)
        plan = replace(ArmPlan.of_space(models.embedder), name=name, algorithm=algorithm)
        if calibrator is not None:
            plan = expect_calibrator(context, transaction, calibrator, space=models.space).plan(plan)
        if quality is not None:
            plan = expect_predictor(context, transaction, quality).plan(plan)
        plan, detail = _change(plan, changes or {}), {"changes": dict(changes or {})}
        return add_arm(transaction, plan, models, author=author, now=context.clock(), detail=detail)


def add_arm(
    transaction: Transaction,
    plan: ArmPlan,
    models: ModelsInUse,
    *,
    author: str,
    now: datetime,
    detail: Mapping[str, Any] = {},
) -> Arm:
    """The same in the caller's transaction, of a plan that is made; detail: what else stands on record."""
    expect_arm_name(plan.name)
    if load_arm(transaction, plan.name):
        raise ConflictError(
            Sentence("there is an arm %(name)s, and arms never change; choose another name", name=repr(plan.name))
        )
    register_embedder(transaction, models.embedder, now=now)
    side = save_side(transaction, plan, models)
    told = {"algorithm": plan.algorithm, "space": models.space, **detail, **plan.trained}
    save_entry(transaction, "create", f"arm {plan.name}", author=author, now=now, detail=told)
    return side.arm


def expect_arm_name(name: str) -> None:
    """Raise InvalidValueError unless a new arm may be called so."""
    if not _NAME.fullmatch(name) or name in {*FOLLOWING, HOLDOUT}:
        raise InvalidValueError(
            Sentence(
                "an arm's name must be lower-case letters, digits and _.- and none of %(others)s; got %(name)s",
                others=", ".join((*FOLLOWING, HOLDOUT)),
                name=repr(name),
            )
        )


def promote_arm(context: Context, name: str, *, author: str) -> int:
    """Make the arm the installation's; tells the promotion's number.

    A family moves on to it once it has come as far with the family as the arms before.  Raises InvalidValueError for
    an unknown arm, one that is installed, or while an experiment shows families its arms; and what the gate between
    embedding spaces raises.
    """
    with context.database.begin() as transaction:
        arm = expect_arm(transaction, name)
        number = install_arm(transaction, arm, author=author, now=context.clock())
        if number is None:
            raise ConflictError(Sentence("%(name)s is the installation's arm already", name=name))
        return number


def install_arm(
    transaction: Transaction,
    arm: Arm,
    *,
    author: str,
    now: datetime,
    experiment_id: int | None = None,
    deed: Deed | None = None,
) -> int | None:
    """Make the arm the installation's, unless it is; the first promotion puts what was there before on record, too.

    deed: how the registry of models is to tell it.  Raises InvalidValueError while an experiment shows families its
    arms, and what the gate between spaces raises.
    """
    register_packaged(transaction, now=now)
    installed = load_installed_arm(transaction)
    if arm.name == installed:
        return None
    _expect_none_served(transaction)
    before = load_arm(transaction, installed)
    if before is not None:
        old, new = (load_space(transaction, one.name) or "" for one in (before, arm))
        require_compatible(transaction, old, new)
        if not load_promotions(transaction):
            save_promotion(transaction, before.arm_id, author="installation", now=now)
    number = save_promotion(transaction, arm.arm_id, author=author, now=now, experiment_id=experiment_id)
    save_entry(transaction, "promote", f"arm {arm.name}", author=author, now=now, detail={"number": number})
    deed = deed or Deed(author, f"the arm {arm.name} was promoted", now)
    note_served(transaction, arm, replace(deed, promotion=number))
    return number


def rollback_arm(context: Context, *, author: str) -> Promotion:
    """Put the arm before the newest promotion back at once; tells what was taken back.

    Raises InvalidValueError if there is nothing to take back, or while an experiment shows families its arms: they
    would go on seeing what is taken back.
    """
    with context.database.begin() as transaction:
        return take_back_promotion(transaction, author=author, now=context.clock())


def take_back_promotion(transaction: Transaction, *, author: str, now: datetime, deed: Deed | None = None) -> Promotion:
    """The same in the caller's transaction."""
    _expect_none_served(transaction)
    promoted = load_promotions(transaction)
    if len(promoted) < 2 or promoted[0].undoes is not None:  # noqa: PLR2004 - one, and one before it
        raise ConflictError(Sentence("there is no promotion to take back; `facealbum arms history` shows all"))
    newest, before = promoted[0], expect_arm(transaction, promoted[1].arm)
    number = save_promotion(transaction, before.arm_id, author=author, now=now, undoes=newest.number)
    detail = {"number": number, "undoes": newest.number, "back_to": before.name}
    save_entry(transaction, "rollback", f"arm {newest.arm}", author=author, now=now, detail=detail)
    deed = deed or Deed(author, f"the arm {newest.arm} was taken back", now)
    acts = [one.act for one in load_changes(transaction, promotion=newest.number) if one.undoes is None]
    note_served(transaction, before, replace(deed, promotion=number), undoes=acts[0] if acts else None)
    return newest


def _expect_none_served(transaction: Transaction) -> None:
    """Raise ConflictError while an experiment shows families its arms, of which the installation's is one."""
    for one in load_experiments(transaction, status="running"):
        if one.mode == SERVED:
            raise ConflictError(
                Sentence(
                    "experiment %(name)s shows families its arms; first conclude it, or end it at once:"
                    " facealbum experiment stop %(name)s",
                    name=one.name,
                )
            )


def expect_arm(transaction: Transaction, name: str) -> Arm:
    """The arm of this name; raises UnknownArmError."""
    arm = load_arm(transaction, name)
    if arm is None:
        raise UnknownArmError(
            Sentence(
                "no arm is called %(name)s; `facealbum arms list` shows all, `arms create` makes one", name=repr(name)
            )
        )
    return arm


def _change(plan: ArmPlan, changes: Mapping[str, float]) -> ArmPlan:
    """The plan with these parameters; raises InvalidValueError for one that is unknown or out of its bounds."""
    values = replace(plan, calibrator=None, quality=None).parameters()
    known = {one.key: one for one in parameters_of(plan)}
    for name, value in changes.items():
        one = known.get(name) or known.get(name.removeprefix("clustering."))
        if one is None:
            raise InvalidValueError(
                Sentence(
                    "a parameter must be one of %(choices)s; got %(name)s", choices=", ".join(known), name=repr(name)
                )
            )
        if one.whole and value != int(value):
            raise InvalidValueError(
                Sentence("%(name)s must be a whole number, got %(value)s", name=name, value=f"{value:g}")
            )
        values[one.group][one.name] = int(value) if one.whole else float(value)
    return replace(
        plan,
        clustering=ClusteringParameters.from_dict(values["clustering"]),
        linking=LinkParameters.from_dict(values["linking"]),
        breakage=BreakageThresholds(**values["breakage"]),
    )
