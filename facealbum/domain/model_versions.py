"""Versions of models: what is kept of each, the stages that it passes, and which moves between them may be made.

All of it is pure: a move is planned from the versions of one place and what became of them, and written elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from facealbum.errors import ConflictError, InvalidValueError


class ModelKind(StrEnum):
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
    Stage.PRODUCTION: (),
    Stage.RETIRED: (Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION),
}
"""The stages that somebody may bring a version to from each; out of production another one brings it."""

SERVED = (ModelKind.EMBEDDER, ModelKind.CALIBRATOR, ModelKind.QUALITY, ModelKind.THRESHOLDS)
"""What an arm is made of, so that it may be tried, shown to some families, and be taken back at once; one of each."""


def stages_of(kind: ModelKind) -> tuple[Stage, ...]:
    """The stages that somebody may bring versions of this kind to, but for the last; none if a release brings them."""
    if kind in SERVED:
        return Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION
    return (Stage.PRODUCTION,) if kind is ModelKind.ADAPTER else ()


def slot_of_adapter(source: str, target: str) -> str:
    """The place of the one adapter that serves a change from a space to another."""
    return f"{ModelKind.ADAPTER}/{source}-{target}"


def slot_of(kind: ModelKind, name: str) -> str:
    """The place in production that only one version may hold: that of its kind, or where several serve of its name."""
    return str(kind) if kind in SERVED else f"{kind}/{name}"


def expect_slot(slot: str) -> None:
    """Raise InvalidValueError for a place whose versions nobody promotes, and so nobody takes back."""
    adapters, _, between = slot.partition("/")
    if slot not in SERVED and not (adapters == ModelKind.ADAPTER and between):
        known = ", ".join(SERVED)
        raise InvalidValueError(
            f"what is taken back must be one of {known}, or {ModelKind.ADAPTER}/OLD-NEW; got {slot!r}"
        )


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version; sha256: of its artefact.

    training_run: the tracked run that made it.  snapshot: the digest of the data that it learnt from.
    metrics: by name `value`, `low`, `high`, `n`, `baseline`, `difference` and `better`, on groups it never saw; slices:
    the same by slice.  primary: the metric that decides; without one, none of them may be worse.
    gates: what each said last, by name.
    arm: what it is tried and served as, where it is a side of experiments.  asked_by: who wants it in production.
    """

    model_id: int
    kind: ModelKind
    name: str
    version: str
    sha256: str
    licence: str
    research_only: bool
    source: str
    training_run: str | None
    snapshot: str | None
    metrics: Mapping[str, Any]
    slices: Mapping[str, Any]
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
    """One version is to go from a stage to another; before: None if it is new."""

    model_id: int
    before: Stage | None
    after: Stage


def expect_move(version: ModelVersion, stage: Stage) -> None:
    """Raise ConflictError unless somebody may bring the version to the stage."""
    if stage in MOVES[version.stage]:
        return
    if version.stage is Stage.PRODUCTION:
        raise ConflictError(f"{version.label} is in production; promote another, or roll back, and it leaves")
    raise ConflictError(
        f"{version.label} is in the stage {version.stage}; it may come to {', '.join(MOVES[version.stage])}"
    )


def plan_served(
    versions: Iterable[ModelVersion], serving: Mapping[str, int], back: Mapping[int, Stage] | None = None
) -> tuple[Move, ...]:
    """The moves after which exactly these versions are in production in their slots, those that leave first.

    serving: the id by slot; other slots stay as they are.  back: the stage that a version which leaves goes to, if it
    doesn't retire.
    """
    affected = [one for one in versions if one.slot in serving]
    leaving = [one for one in affected if one.stage is Stage.PRODUCTION and one.model_id != serving[one.slot]]
    coming = [one for one in affected if one.stage is not Stage.PRODUCTION and one.model_id == serving[one.slot]]
    return (
        *(Move(one.model_id, one.stage, (back or {}).get(one.model_id, Stage.RETIRED)) for one in leaving),
        *(Move(one.model_id, one.stage, Stage.PRODUCTION) for one in coming),
    )


def plan_undone(act: Iterable[Change]) -> tuple[Move, ...]:
    """The moves that take all changes of an act back, the last one first."""
    changes = sorted(act, key=lambda one: -one.number)
    return tuple(Move(one.model_id, one.after, one.before) for one in changes if one.before is not None)


def find_promotion(history: Iterable[Change], *, replaces: bool = True) -> int:
    """The act that last brought a version into a slot in the place of another, of all changes in that slot.

    Raises ConflictError if that was a rollback itself, or nothing was there before, unless it need not replace any.
    """
    rows = sorted(history, key=lambda one: one.number)
    act = next((one.act for one in reversed(rows) if one.after is Stage.PRODUCTION), None)
    newest = [one for one in rows if one.act == act]
    replaced = any(one.before is Stage.PRODUCTION for one in newest)
    if act is None or any(one.undoes is not None for one in newest) or (replaces and not replaced):
        raise ConflictError("there is no promotion to take back; `facealbum models history` shows all")
    return newest[0].act
