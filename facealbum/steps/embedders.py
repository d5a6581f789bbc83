"""Which models analysis runs: the packaged ones, with the embedder that the database has chosen.

The choice stands in the database, as the space of the installation's arm, so all workers of an installation agree; the
weights of an installed embedder must be on each of their machines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facealbum.domain.model_versions import ModelKind, ModelVersion, slot_of
from facealbum.errors import InvalidValueError, ModelError, ModelNotInstalledError, UnknownModelError
from facealbum.settings import Settings
from facealbum.storage.database import Transaction
from facealbum.storage.registry import load_production
from facealbum.storage.serving import DEFAULT_ARM, load_installed_arm
from facealbum.storage.spaces import load_space
from models.calibration import calibration_versions
from models.registry import EmbedderSpec, load_embedders, load_specs
from models.spaces import find_embedder

__all__ = [
    "DEFAULT_ARM",
    "ModelsInUse",
    "check_licence",
    "default_models",
    "default_space",
    "expect_sha256",
    "find_embedder",
    "installed_space",
    "models_folder",
    "models_in_use",
    "models_of_space",
    "sha256_of",
    "with_embedder",
]


@dataclass(frozen=True, slots=True)
class ModelsInUse:
    """Version by role, and the embedder with the space that it fills."""

    versions: Mapping[str, str]
    embedder: EmbedderSpec

    @property
    def space(self) -> str:
        """The embedding space that analysis fills and clustering reads."""
        return self.embedder.space


def models_in_use(transaction: Transaction, settings: Settings) -> ModelsInUse:
    """The models of this database.

    Raises ModelNotInstalledError if its embedder is not on this machine, ModelError if it has other bytes here than
    the version in production.
    """
    models = models_of_space(installed_space(transaction), settings)
    serving = load_production(transaction, slot_of(ModelKind.EMBEDDER, models.space))
    if serving and serving.name == models.space and models.space not in load_embedders():
        expect_sha256(serving, sha256_of(models.embedder), f"the embedder {models.space} of this machine")
    return models


def expect_sha256(model: ModelVersion, found: str, place: str) -> None:
    """Raise ModelError unless what was found is what was registered."""
    if found != model.sha256:
        raise ModelError(
            f"the artefact of {model.label} must have sha256 {model.sha256}, got {found}; restore {place}, or go back:"
            f" facealbum models rollback {model.slot}"
        )


def installed_space(transaction: Transaction) -> str:
    """The space of the installation's arm."""
    return load_space(transaction, load_installed_arm(transaction)) or default_space()


def models_of_space(space: str, settings: Settings) -> ModelsInUse:
    """The models that fill the space; raises ModelNotInstalledError if its embedder is not on this machine."""
    try:
        return with_embedder(find_embedder(space, models_folder(settings)))
    except UnknownModelError as error:
        raise ModelNotInstalledError(
            f"this database works in the space {space}, which no model here fills; choose another by facealbum models "
            "use, then run facealbum analyze --again"
        ) from error


def default_models() -> ModelsInUse:
    """The models of a database that has chosen no others."""
    return with_embedder(load_embedders()[default_space()])


def with_embedder(embedder: EmbedderSpec) -> ModelsInUse:
    """The packaged models with this embedder."""
    versions = {role: spec.version for role, spec in sorted(load_specs().items())}
    return ModelsInUse(versions | {"embedder": embedder.version} | calibration_versions(), embedder)


def sha256_of(embedder: EmbedderSpec) -> str:
    """The checksum that a version of the embedder is registered by: that of its head, or of its one network."""
    return embedder.head.sha256 if embedder.head else embedder.backbones[0].model.sha256


def check_licence(embedder: EmbedderSpec, *, accepted: bool) -> None:
    """Raise InvalidValueError if the licence allows research only and that was not accepted."""
    if embedder.research_only and not accepted:
        raise InvalidValueError(
            f"the licence of {embedder.space} must be accepted, it is: {embedder.licence}; nobody may use it for"
            " anything but research; give --accept-research-only if that is what you do"
        )


def default_space() -> str:
    """The space of a database that has chosen none."""
    return next(iter(load_embedders()))


def models_folder(settings: Settings) -> Path:
    """Where installed weights and the operator's own entries lie."""
    return settings.data_folder / "models"
