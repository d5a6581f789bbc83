"""The bytes behind each version, and whether they are those that were registered.

An artefact of a training lies in the object store under its SHA-256, a packaged network in the package, an embedder
that was installed or trained on this machine in its models folder, and thresholds in the row of their arm.
"""

import hashlib

from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage
from facealbum.domain.sentences import Sentence
from facealbum.errors import ModelError, ObjectNotFoundError
from facealbum.steps.context import Context
from facealbum.steps.embedders import expect_sha256, find_embedder, models_folder, sha256_of
from facealbum.steps.packaged_models import PACKAGED, digest_thresholds, packaged_models
from facealbum.storage.database import Transaction
from facealbum.storage.observations import load_arm
from facealbum.storage.registry import load_versions_of
from models.registry import load_specs


def artefact_key(sha256: str) -> str:
    """Where an artefact lies in the object store."""
    return f"models/{sha256}"


def read_artefact(context: Context, model: ModelVersion) -> bytes:
    """The bytes in the object store; raises ModelError if they are not there, or not those that were registered."""
    key = artefact_key(model.sha256)
    try:
        content = context.objects.get(key)
    except ObjectNotFoundError as error:
        raise ModelError(
            f"the artefact of {model.label} must lie in the object store as {key}, it doesn't; restore it, or train"
            " and register the model again"
        ) from error
    expect_sha256(model, hashlib.sha256(content).hexdigest(), f"{key} in the object store")
    return content


def verify_artefact(context: Context, transaction: Transaction, model: ModelVersion) -> Sentence:
    """Where the bytes of a version lie, all of them read; raises ModelError unless they are those registered."""
    if model.kind is ModelKind.EMBEDDER:
        return _verify_embedder(context, model)
    if model.source == PACKAGED:
        return _verify_packaged(model)
    if model.kind is ModelKind.THRESHOLDS and model.source == f"arm {model.arm}":
        arm = load_arm(transaction, str(model.arm))
        assert arm is not None, "the registry refers to its row"  # noqa: S101
        expect_sha256(model, digest_thresholds(arm.algorithm, arm.parameters), f"the arm {arm.name}")
        return Sentence("the arm %(name)s", name=arm.name)
    read_artefact(context, model)
    return Sentence("%(key)s in the object store", key=artefact_key(model.sha256))


def verify_production(context: Context, transaction: Transaction) -> int:
    """Hold everything in production against the registry, and tell how much that is; raises ModelError."""
    serving = [one for one in load_versions_of(transaction) if one.stage is Stage.PRODUCTION]
    for one in serving:
        verify_artefact(context, transaction, one)
    return len(serving)


def _verify_embedder(context: Context, model: ModelVersion) -> Sentence:
    """Its own weights and those of the networks below; if they aren't on this machine, those in the object store."""
    try:
        embedder = find_embedder(model.name, models_folder(context.settings))
    except ModelError:
        if context.objects.exists(artefact_key(model.sha256)):
            read_artefact(context, model)
            return Sentence("%(key)s in the object store", key=artefact_key(model.sha256))
        raise
    expect_sha256(model, sha256_of(embedder), f"the embedder {model.name} of this machine")
    for backbone in embedder.backbones:
        backbone.model.read()
    if embedder.head is not None:
        embedder.head.read()
    return Sentence("the files of this machine")


def _verify_packaged(model: ModelVersion) -> Sentence:
    """Networks are read and hashed; numbers are part of the program."""
    known = {(one.kind, one.name): one.sha256 for one in packaged_models()}
    expect_sha256(model, known.get((model.kind, model.name), "nothing"), f"this release's {model.name}")
    if model.name in (specs := load_specs()):
        specs[model.name].read()
    return Sentence("packaged with this release")
