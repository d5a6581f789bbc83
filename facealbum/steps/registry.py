"""The registry of models: putting a version into it, and finding one.

An artefact lies in the object store under its own SHA-256 before its row is written, so no row is without its bytes.
What is packaged with the product stays in the package, and is registered by whoever looks first.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from facealbum.domain.model_versions import Change, ModelKind, ModelVersion, Stage
from facealbum.domain.names import expect_name
from facealbum.errors import ConflictError, InvalidValueError, UnknownModelError
from facealbum.steps.artefacts import artefact_key, read_artefact
from facealbum.steps.context import OPERATOR, Context
from facealbum.steps.packaged_models import PACKAGED, register_packaged
from facealbum.storage.audit import save_entry
from facealbum.storage.database import Transaction
from facealbum.storage.observations import Arm
from facealbum.storage.registry import (
    Deed,
    find_version,
    load_changes,
    load_version,
    load_versions_of,
    lock_registry,
    next_version,
    save_registration,
    save_version,
)

__all__ = [
    "NewModel",
    "RegisteredModel",
    "find_model",
    "list_changes",
    "list_versions",
    "read_artefact",
    "register_model",
    "resolve",
]

RegisteredModel = ModelVersion


@dataclass(frozen=True, slots=True)
class NewModel:
    """What is to be registered; artefact: the bytes that serve.  The other fields are as ModelVersion tells.

    version: without one the next free number of the name.  slot: another one than `slot_of` its kind and name.
    """

    kind: ModelKind | str
    name: str
    artefact: bytes = field(repr=False)
    licence: str
    research_only: bool
    source: str
    version: str | None = None
    training_run: str | None = None
    snapshot: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Any] = field(default_factory=dict)
    primary: str | None = None
    slot: str | None = None


def register_model(context: Context, new: NewModel, *, author: str = OPERATOR) -> RegisteredModel:
    """Put a version into the registry as a draft; the same kind, name and artefact again is the same row.

    Raises InvalidValueError for a kind or name that can't be, ConflictError for a version that has other bytes.
    """
    expect_name(new.name)
    kind = _kind(new.kind)
    sha256 = hashlib.sha256(new.artefact).hexdigest()
    if not context.objects.exists(artefact_key(sha256)):
        context.objects.put(artefact_key(sha256), new.artefact)
    with context.database.begin() as transaction:
        lock_registry(transaction)
        known = find_version(transaction, kind, new.name, sha256)
        if known is not None:
            return known
        version = new.version or next_version(transaction, kind, new.name)
        expect_name(version)
        _expect_free(transaction, kind, new.name, version)
        model_id = save_version(
            transaction,
            kind=kind,
            name=new.name,
            version=version,
            sha256=sha256,
            licence=new.licence,
            research_only=new.research_only,
            source=new.source,
            training_run=new.training_run,
            snapshot=new.snapshot,
            metrics=dict(new.metrics),
            slices=dict(new.slices),
            primary_metric=new.primary,
            stage=Stage.DRAFT,
            made_at=context.clock(),
            **({"slot": new.slot} if new.slot else {}),
        )
        deed = Deed(author, "registered", context.clock())
        save_registration(transaction, model_id, deed)
        save_entry(transaction, "register", f"model {model_id}", author=author, now=context.clock())
        return load_version(transaction, model_id)


def list_versions(context: Context, *, kind: ModelKind | None = None, name: str | None = None) -> list[RegisteredModel]:
    """Every version, or those of a kind or name, in the order of their registration."""
    with context.database.begin() as transaction:
        register_packaged(transaction, now=context.clock())
        return load_versions_of(transaction, kind=kind, name=name)


def list_changes(
    context: Context, *, model_id: int | None = None, slot: str | None = None, limit: int | None = None
) -> list[Change]:
    """Every change of a stage, or those of one version or slot, the newest first."""
    with context.database.begin() as transaction:
        register_packaged(transaction, now=context.clock())
        return load_changes(transaction, model_id=model_id, slot=slot, limit=limit)


def find_model(context: Context, address: str) -> RegisteredModel:
    """The version that an address names: its id, NAME@VERSION, KIND/NAME@VERSION, or NAME for the newest of it.

    Raises UnknownModelError if there is none, InvalidValueError if kinds share the name and none is given.
    """
    with context.database.begin() as transaction:
        register_packaged(transaction, now=context.clock())
        return resolve(transaction, address)


def resolve(transaction: Transaction, address: str) -> RegisteredModel:
    """The same in the caller's transaction."""
    if address.isdecimal():
        return load_version(transaction, int(address))
    label, _, version = address.partition("@")
    kind, _, name = label.rpartition("/")
    found = load_versions_of(transaction, kind=_kind(kind) if kind else None, name=name)
    found = [one for one in found if version in {"", one.version}]
    if not found:
        raise UnknownModelError(
            f"a model must be an id, a name or NAME@VERSION that `facealbum models versions` shows, got {address!r}"
        )
    kinds = sorted({one.kind for one in found})
    if len(kinds) > 1:
        told = " or ".join(f"{kind}/{address}" for kind in kinds)
        raise InvalidValueError(f"models of {len(kinds)} kinds have the name {name!r}; give {told}")
    return found[-1]


def expect_trained(transaction: Transaction, address: str, kind: ModelKind) -> RegisteredModel:
    """The trained version of this address; raises UnknownModelError, and InvalidValueError if it is anything else."""
    model = resolve(transaction, address)
    if model.kind is not kind or model.source == PACKAGED:
        origin = "comes with the release" if model.source == PACKAGED else f"is from {model.source}"
        raise InvalidValueError(
            f"{address} must be a trained model of the kind {kind}, it is of the kind {model.kind} and {origin};"
            f" `facealbum models versions --kind {kind}` shows those there are"
        )
    return model


def find_artefact(transaction: Transaction, arm: Arm, kind: ModelKind) -> RegisteredModel | None:
    """The version that the arm names, by its SHA-256, for this kind; None if it goes by what is packaged.

    Raises UnknownModelError.
    """
    sha256 = arm.parameters.get(str(kind))
    if sha256 is None:
        return None
    known = load_versions_of(transaction, kind=kind)
    model = next((one for one in known if one.sha256 == sha256), None)
    if model is None:
        raise UnknownModelError(f"arm {arm.name} needs a {kind} with sha256 {sha256}, none is registered here")
    return model


def _kind(kind: str) -> ModelKind:
    try:
        return ModelKind(kind)
    except ValueError as error:
        raise InvalidValueError(f"a model's kind must be one of {', '.join(ModelKind)}; got {kind!r}") from error


def _expect_free(transaction: Transaction, kind: ModelKind, name: str, version: str) -> None:
    if any(one.version == version for one in load_versions_of(transaction, kind=kind, name=name)):
        raise ConflictError(f"{kind} {name}@{version} is registered with other bytes; leave the version out")
