"""What is packaged with the product, and the embedder that was chosen, as versions in the registry.

A look costs one query where nothing is new.  A new release's models take the place of the packaged ones before them;
what somebody else promoted stays.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from facealbum.domain.model_versions import ModelKind, Stage, plan_served
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.embedders import installed_space, sha256_of
from facealbum.storage.database import Transaction
from facealbum.storage.registry import (
    Deed,
    find_version,
    load_version,
    load_versions_of,
    lock_registry,
    save_moves,
    save_registration,
    save_version,
)
from models.calibration import load_calibrations
from models.registry import EmbedderSpec, load_embedders, load_specs

PACKAGED = "packaged"
"""The source of what comes with the product."""

INSTALLATION = "installation"
"""Who does what nobody asked for."""

_OWN_LICENCE = "Apache-2.0"
_ROLES = {
    "detector": ModelKind.DETECTOR,
    "landmarks": ModelKind.LANDMARKS,
    "age_gender": ModelKind.AGE,
    "age": ModelKind.AGE,
    "gender": ModelKind.GENDER,
}
_CALIBRATIONS = {"age_gender": ModelKind.CALIBRATOR, "quality": ModelKind.QUALITY}


@dataclass(frozen=True, slots=True)
class Packaged:
    """One thing that comes with the product."""

    kind: ModelKind
    name: str
    version: str
    sha256: str
    licence: str
    research_only: bool = False


def register_packaged(transaction: Transaction, *, now: datetime) -> None:
    """See that everything packaged is registered, in production unless something else serves in its place."""
    versions = load_versions_of(transaction)
    known = {(one.kind, one.name, one.sha256) for one in versions}
    missing = [one for one in packaged_models() if (one.kind, one.name, one.sha256) not in known]
    if not missing:
        return
    lock_registry(transaction)
    space = installed_space(transaction)
    for one in missing:
        if find_version(transaction, one.kind, one.name, one.sha256) is None:
            model_id = _save(transaction, one, now)
            if one.kind is not ModelKind.EMBEDDER or one.name == space:
                _bring_in(transaction, model_id, now)


def register_embedder(transaction: Transaction, embedder: EmbedderSpec, *, now: datetime) -> int:
    """The id of an embedder that is on this machine, registered by now."""
    lock_registry(transaction)
    register_packaged(transaction, now=now)
    sha256 = sha256_of(embedder)
    known = find_version(transaction, ModelKind.EMBEDDER, embedder.space, sha256)
    if known is not None:
        return known.model_id
    new = Packaged(
        ModelKind.EMBEDDER, embedder.space, embedder.version, sha256, embedder.licence, embedder.research_only
    )
    return _save(transaction, new, now, source="models folder")


@cache
def packaged_models() -> tuple[Packaged, ...]:
    """Everything that comes with the product; raises ModelError if the manifest can't be used."""
    return tuple(_packaged())


def _packaged() -> Iterator[Packaged]:
    for role, spec in load_specs().items():
        yield Packaged(_ROLES.get(role, ModelKind.BACKBONE), role, spec.version, spec.sha256, spec.licence)
    for space, embedder in load_embedders().items():
        sha256, licence = sha256_of(embedder), embedder.licence
        yield Packaged(ModelKind.EMBEDDER, space, embedder.version, sha256, licence, embedder.research_only)
    for purpose, numbers in load_calibrations().items():
        digest = _digest(asdict(numbers))
        yield Packaged(_CALIBRATIONS[purpose], purpose, numbers.version, digest, _OWN_LICENCE)
    digest = digest_thresholds(ArmPlan().algorithm, ArmPlan().parameters())
    yield Packaged(ModelKind.THRESHOLDS, "release", digest[:8], digest, _OWN_LICENCE)


def digest_thresholds(algorithm: str, parameters: Mapping[str, Any]) -> str:
    """The SHA-256 of an arm's algorithm and numbers."""
    return _digest({"algorithm": algorithm, "parameters": dict(parameters)})


def _digest(numbers: object) -> str:
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def _save(transaction: Transaction, one: Packaged, now: datetime, *, source: str = PACKAGED) -> int:
    """A draft; a version that was built anew under its old name is told apart by its checksum."""
    taken = {other.version for other in load_versions_of(transaction, kind=one.kind, name=one.name)}
    version = f"{one.version}+{one.sha256[:8]}" if one.version in taken else one.version
    row = {**asdict(one), "version": version, "source": source, "metrics": {}}
    model_id = save_version(transaction, **row, stage=Stage.DRAFT, made_at=now)
    deed = Deed(INSTALLATION, "registered", now)
    save_registration(transaction, model_id, deed)
    return model_id


def _bring_in(transaction: Transaction, model_id: int, now: datetime) -> None:
    """Put it into production, unless something there was not packaged."""
    new = load_version(transaction, model_id)
    beside = load_versions_of(transaction, slot=new.slot)
    if any(one.stage is Stage.PRODUCTION and one.source != PACKAGED for one in beside):
        return
    moves = plan_served(beside, {new.slot: model_id})
    save_moves(transaction, moves, Deed(INSTALLATION, "comes with this release", now))
