"""What an arm is made of, and which arms a family needs: the one it is shown, and those that are tried beside it.

An arm called `default` or by an algorithm's name follows the release's parameters and the chosen model, unless it
takes part in an experiment that runs; any other stays as it was created.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from facealbum.clustering import ALGORITHMS, BreakageThresholds, ClusteringParameters
from facealbum.domain.ids import FamilyId
from facealbum.errors import InvalidValueError
from facealbum.linking import LinkParameters
from facealbum.settings import Settings
from facealbum.steps.embedders import DEFAULT_ARM, ModelsInUse, models_in_use, models_of_space
from facealbum.steps.link_parameters import packaged_link_parameters
from facealbum.steps.makers import ensure_clusterer
from facealbum.storage.analyses import ensure_analyzer
from facealbum.storage.database import Transaction
from facealbum.storage.experiments import (
    SERVED,
    SHADOW,
    Experiment,
    is_in_running_experiment,
    load_assignments,
    load_experiments,
    save_assignment,
)
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.runs import ensure_arm
from facealbum.storage.serving import load_promotions, load_served_arm, save_serving
from facealbum.storage.spaces import load_space
from models.registry import EmbedderSpec

FOLLOWING = (DEFAULT_ARM, *sorted(ALGORITHMS))
"""The names of the arms that follow the release."""

_KEPT_WARM = timedelta(days=92)  # how long the arm before a promotion is kept up, so that going back loses nothing


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """The arm to run: its name, algorithm and parameters.

    calibrator: the SHA-256 of the one that makes its ages and genders, quality: of the predictor that makes its
    qualities; None: the packaged models' own.
    """

    name: str = DEFAULT_ARM
    algorithm: str = "constrained"
    clustering: ClusteringParameters = field(default_factory=ClusteringParameters)
    linking: LinkParameters = field(default_factory=packaged_link_parameters)
    breakage: BreakageThresholds = field(default_factory=BreakageThresholds)
    calibrator: str | None = None
    quality: str | None = None

    @classmethod
    def of_space(cls, embedder: EmbedderSpec) -> Self:
        """The default arm: with the one similarity that was measured in the embedder's space, or else all defaults."""
        if embedder.similarity is None:
            return cls()
        one = embedder.similarity
        return cls(
            clustering=ClusteringParameters(
                similarity=one, poor_similarity=one, child_similarity=one, young_likeness=0.0, grown_likeness=0.0
            )
        )

    @classmethod
    def of_arm(cls, arm: Arm) -> Self:
        """The arm as it is stored."""
        return cls(
            arm.name,
            arm.algorithm,
            ClusteringParameters.from_dict(arm.parameters["clustering"]),
            LinkParameters.from_dict(arm.parameters["linking"]),
            BreakageThresholds(**arm.parameters["breakage"]),
            arm.parameters.get("calibrator"),
            arm.parameters.get("quality"),
        )

    def parameters(self) -> dict[str, Any]:
        """All numbers that the arm depends on, as they are stored with every run."""
        return {
            "clustering": self.clustering.to_dict(),
            "linking": self.linking.to_dict(),
            "breakage": asdict(self.breakage),
            **self.trained,
        }

    @property
    def trained(self) -> dict[str, str]:
        """The SHA-256 of each trained model that it names, by kind."""
        named = {"calibrator": self.calibrator, "quality": self.quality}
        return {kind: sha256 for kind, sha256 in named.items() if sha256 is not None}


@dataclass(frozen=True, slots=True)
class Side:
    """An arm ready to run, with the model versions behind its embeddings; maker_id: what lineage keeps of its runs."""

    arm: Arm
    plan: ArmPlan
    models: Mapping[str, str]
    maker_id: int | None = None


def load_side(transaction: Transaction, name: str, settings: Settings) -> Side:
    """The arm of this name; raises InvalidValueError if there is none, ModelNotInstalledError without its embedder."""
    stored = load_arm(transaction, name)
    if name in FOLLOWING and not is_in_running_experiment(transaction, name):
        models = models_in_use(transaction, settings)
        if name == DEFAULT_ARM and stored is not None:
            models = models_of_space(_space(transaction, name), settings)
        plan = ArmPlan.of_space(models.embedder)
        if name != DEFAULT_ARM:
            plan = replace(plan, name=name, algorithm=name)
        return save_side(transaction, plan, models)
    if stored is None:
        raise InvalidValueError(
            f"an arm must be {', '.join(FOLLOWING)}, or be created by `facealbum arms create`; got {name!r}"
        )
    models = models_of_space(_space(transaction, name), settings)
    plan = ArmPlan.of_arm(stored)
    maker = ensure_clusterer(transaction, models, stored.space_id, trained=plan.trained)
    return Side(stored, plan, models.versions, maker)


def save_side(transaction: Transaction, plan: ArmPlan, models: ModelsInUse) -> Side:
    """The arm with exactly these parameters from now on, over these models' space."""
    analyzer = ensure_analyzer(transaction, models.versions, models.space)
    arm = ensure_arm(
        transaction,
        plan.name,
        space_id=analyzer.space_id,
        algorithm=plan.algorithm,
        parameters=plan.parameters(),
    )
    maker = ensure_clusterer(transaction, models, arm.space_id, trained=plan.trained)
    return Side(arm, plan, models.versions, maker)


def _space(transaction: Transaction, arm: str) -> str:
    space = load_space(transaction, arm)
    assert space is not None, "the arm is stored"  # noqa: S101
    return space


def load_arms_needed(
    transaction: Transaction, family: FamilyId, arm: str | None = None, *, now: datetime
) -> tuple[str, ...]:
    """The arms to compute for the family, the one that it is shown first; only `arm` if it never was installed.

    That is: what it is shown, the installation's arm, the one before for three months after a promotion, and those of
    the experiments that run.  A family that comes to an experiment here takes part in it from now on.
    """
    promoted = load_promotions(transaction)
    if arm is not None and arm not in {DEFAULT_ARM, *(one.arm for one in promoted)}:
        return (arm,)
    installed = [promoted[0].arm if promoted else DEFAULT_ARM]
    if len(promoted) > 1 and promoted[0].at > now - _KEPT_WARM:
        installed.append(promoted[1].arm)
    tried = [name for one in _running(transaction) for name in _join(transaction, family, one, now=now)]
    return tuple(dict.fromkeys([load_served_arm(transaction, family), *installed, *tried]))


def serve_assigned(transaction: Transaction, family: FamilyId, *, arms: Iterable[Side], now: datetime) -> None:
    """Show the family the arm that an experiment has given it, if that is among those that are computed now."""
    ready = {side.arm.arm_id for side in arms}
    running = [one for one in _running(transaction) if one.mode == SERVED]
    assigned = load_assignments(transaction, family) if running else {}
    for one in running:
        if one.experiment_id in assigned:
            arm_id = assigned[one.experiment_id] or one.control.arm_id
            if arm_id in ready:
                save_serving(transaction, family, arm_id, experiment_id=one.experiment_id, now=now)


def _running(transaction: Transaction) -> list[Experiment]:
    return load_experiments(transaction, status="running")


def _join(transaction: Transaction, family: FamilyId, one: Experiment, *, now: datetime) -> list[str]:
    """The family's arms in the experiment: its own, or all of them in the shadow; none if it does not take part."""
    from eval.experiments import HOLDOUT, Split, assign  # noqa: PLC0415 - half a second, which most photos need not pay

    split = Split(one.salt, tuple((arm.name, arm.share) for arm in one.arms), one.holdout, one.traffic)
    given = assign(family, split)
    if given is None:
        return []
    own = None
    if one.mode == SERVED and given != HOLDOUT:
        own = next(arm for arm in one.arms if arm.name == given)
    save_assignment(transaction, family, one.experiment_id, arm_id=own.arm_id if own else None, now=now)
    if one.mode == SHADOW:
        return [arm.name for arm in one.arms]
    return [own.name] if own else []
