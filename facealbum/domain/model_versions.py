"""Versions of models: what is kept of each, the stages that it passes, and which moves between them may be made.

All of it is pure: a move is planned from the versions of one place and what became of them, and written elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from facealbum.errors import ConflictError


class Kind(StrEnum):
    """What a model does."""

    DETECTOR = "detector"
    LANDMARKS = "landmarks"
    POSE = "pose"
    AGE = "age"
    GENDER = "gender"
    QUALITY = "quality"
    EMBEDDER = "embedder"
    ADAPTER = "adapter"
    CALIBRATOR = "calibrator"
    THRESHOLDS = "thresholds"
    BACKBONE = "backbone"


class Stage(StrEnum):
    """How far a version is: tried beside what families see, shown to a few, shown to all, and taken out."""

    DRAFT = "draft"
    SHADOW = "shadow"
    CANARY = "canary"
    PRODUCTION = "production"
    RETIRED = "retired"


MOVES: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.DRAFT: (Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION, Stage.RETIRED),
    Stage.SHADOW: (Stage.CANARY, Stage.PRODUCTION, Stage.RETIRED),
    Stage.CANARY: (Stage.PRODUCTION, Stage.RETIRED),
    Stage.PRODUCTION: (Stage.RETIRED,),
    Stage.RETIRED: (Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION),
}
"""The stages that may follow each; whether a version is good enough for one is what gates say."""

_ONE_SERVES = (Kind.EMBEDDER, Kind.CALIBRATOR, Kind.QUALITY, Kind.THRESHOLDS)


def slot_of(kind: Kind, name: str) -> str:
    """The place in production that only one version may hold: that of its kind, or where several serve of its name."""
    return str(kind) if kind in _ONE_SERVES else f"{kind}/{name}"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version; sha256: of its artefact.

    training_run: the tracked run that made it.  snapshot: the digest of the data that it learnt from.
    metrics: by name `value`, `low`, `high`, `n`, `baseline`, `difference` and `better`, on groups it never saw.
    primary: the metric that decides; without one, none of them may be worse.  gates: what each said last, by name.
    arm: what it is tried and served as, where it is a side of experiments.  asked_by: who wants it in production.
    """

    model_id: int
    kind: Kind
    name: str
    version: str
    sha256: str
    licence: str
    research_only: bool
    source: str
    training_run: str | None
    snapshot: str | None
    metrics: Mapping[str, Any]
    primary: str | None
    gates: Mapping[str, Any]
    stage: Stage
    slot: str
    arm: str | None
    asked_by: str | None
    made_at: datetime

    @property
    def label(self) -> str:
        """Its address: name and version."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Change:
    """One version went from one stage to another; before: None when it was registered.

    act: what was done together has the same number.  undoes: the act that it takes back.  promotion: the number of the
    promotion of an arm that it came with.  overridden: gates that were passed over.
    """

    number: int
    act: int
    model_id: int
    before: Stage | None
    after: Stage
    author: str
    approver: str | None
    reason: str
    overridden: tuple[str, ...]
    promotion: int | None
    undoes: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One version is to go from a stage to another."""

    model_id: int
    before: Stage
    after: Stage


def plan_move(versions: Sequence[ModelVersion], model_id: int, stage: Stage) -> tuple[Move, ...]:
    """The moves that bring a version to the stage: whoever was in production in its slot retires.

    versions: all of its slot.  Raises ConflictError if the stage can't follow its own.
    """
    mover = next(one for one in versions if one.model_id == model_id)
    if stage not in MOVES[mover.stage]:
        raise ConflictError(
            f"{mover.label} is in the stage {mover.stage}, after which may come {', '.join(MOVES[mover.stage])};"
            f" got {stage}"
        )
    leaving = [one for one in versions if stage is Stage.PRODUCTION and one.stage is Stage.PRODUCTION]
    retired = tuple(Move(one.model_id, one.stage, Stage.RETIRED) for one in leaving)
    return (*retired, Move(model_id, mover.stage, stage))


def plan_rollback(versions: Sequence[ModelVersion], history: Sequence[Change]) -> tuple[int, tuple[Move, ...]]:
    """The newest promotion to production among the changes of one slot, and the moves that take it back.

    Raises ConflictError if the newest was a rollback itself, if nothing served before it, or if one of its versions
    was moved since.
    """
    acts = [one for one in sorted(history, key=lambda one: one.number) if one.after is Stage.PRODUCTION]
    if not acts or acts[-1].before is None or acts[-1].undoes is not None:
        raise ConflictError("there is no promotion to take back; `facealbum models history` shows all")
    newest = [one for one in history if one.act == acts[-1].act]
    if not any(one.before is Stage.PRODUCTION for one in newest):
        raise ConflictError("nothing was in production before the newest promotion; promote another version instead")
    stages = {one.model_id: one.stage for one in versions}
    for one in newest:
        if stages[one.model_id] is not one.after:
            raise ConflictError(f"model {one.model_id} was moved since, to {stages[one.model_id]}; promote it instead")
    undone = [Move(one.model_id, one.after, one.before) for one in newest if one.before is not None]
    return acts[-1].act, tuple(sorted(undone, key=lambda move: move.after is Stage.PRODUCTION))
