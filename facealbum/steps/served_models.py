"""Which versions of models serve follows from the arm that families are shown, whoever chose that and how.

Each promotion of an arm and each rollback calls `note_served` in its own transaction, so the registry can't say
anything else than what families see.
"""

from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage, plan_served
from facealbum.steps.arm_plans import FOLLOWING
from facealbum.steps.packaged_models import PACKAGED, digest_thresholds, register_packaged
from facealbum.storage.database import Transaction
from facealbum.storage.observations import Arm
from facealbum.storage.registry import (
    Deed,
    load_changes,
    load_version,
    load_versions_of,
    lock_registry,
    save_moves,
    save_registration,
    save_version,
)
from facealbum.storage.spaces import load_space

_OWN_LICENCE = "Apache-2.0"


def note_served(transaction: Transaction, arm: Arm, deed: Deed, *, undoes: int | None = None) -> int | None:
    """Bring the stages in step with the arm that families are shown from now on; the number of this act, if any.

    undoes: the number of the act that is taken back; what it brought in goes to where it came from.
    """
    lock_registry(transaction)
    register_packaged(transaction, now=deed.at)
    serving = {
        ModelKind.EMBEDDER: _newest(transaction, ModelKind.EMBEDDER, load_space(transaction, arm.name) or ""),
        ModelKind.CALIBRATOR: _named(transaction, arm, ModelKind.CALIBRATOR),
        ModelKind.QUALITY: _named(transaction, arm, ModelKind.QUALITY),
        ModelKind.THRESHOLDS: _thresholds(transaction, arm, deed),
    }
    taken_back = load_changes(transaction, act=undoes) if undoes else []
    back = {one.model_id: one.before for one in taken_back if one.before and one.after is Stage.PRODUCTION}
    by_slot = {str(kind): one.model_id if one else -1 for kind, one in serving.items()}
    moves = plan_served(load_versions_of(transaction), by_slot, back)
    return save_moves(transaction, moves, deed, undoes=undoes)


def thresholds_of(transaction: Transaction, arm: Arm, deed: Deed) -> ModelVersion:
    """The arm's algorithm and numbers as a version; new, its artefact is the arm's row, which never changes."""
    known = [one for one in load_versions_of(transaction, kind=ModelKind.THRESHOLDS) if one.arm == arm.name]
    if known:
        return known[-1]
    taken = {one.version for one in load_versions_of(transaction, kind=ModelKind.THRESHOLDS, name=arm.name)}
    model_id = save_version(
        transaction,
        kind=ModelKind.THRESHOLDS,
        name=arm.name,
        version=str(len(taken) + 1),
        sha256=digest_thresholds(arm.algorithm, arm.parameters),
        licence=_OWN_LICENCE,
        research_only=False,
        source=f"arm {arm.name}",
        metrics={},
        stage=Stage.DRAFT,
        arm_id=arm.arm_id,
        made_at=deed.at,
    )
    save_registration(transaction, model_id, deed)
    return load_version(transaction, model_id)


def _thresholds(transaction: Transaction, arm: Arm, deed: Deed) -> ModelVersion | None:
    if arm.name in FOLLOWING:
        return _newest(transaction, ModelKind.THRESHOLDS, "release")
    return thresholds_of(transaction, arm, deed)


def _named(transaction: Transaction, arm: Arm, kind: ModelKind) -> ModelVersion | None:
    """The version that the arm names by its SHA-256, else the packaged one."""
    sha256 = arm.parameters.get(str(kind))
    versions = load_versions_of(transaction, kind=kind)
    wanted = [one for one in versions if (one.sha256 == sha256 if sha256 else one.source == PACKAGED)]
    return wanted[-1] if wanted else None


def _newest(transaction: Transaction, kind: ModelKind, name: str) -> ModelVersion | None:
    return next(iter(load_versions_of(transaction, kind=kind, name=name)[::-1]), None)
