"""Predictors of quality at work: what one says of stored faces, from what is stored of them; no photo is read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.model_versions import ModelKind
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.registry import RegisteredModel, expect_trained, read_artefact
from facealbum.storage.database import Transaction
from facealbum.storage.qualities import (
    StoredLooks,
    load_looks,
    load_rated_by_others,
    restore_packaged_quality,
    save_qualities,
)
from models.quality_predictor import QualityPredictor, stored_terms


@dataclass(frozen=True, slots=True)
class NamedPredictor:
    """A predictor with its version in the registry."""

    model: RegisteredModel
    predictor: QualityPredictor

    def rate(self, faces: StoredLooks) -> NDArray[np.float32]:
        """float32[n]: what it says of these faces; the one way in which any of its qualities comes about."""
        return self.predictor.predict(stored_terms(faces.looks)).astype(np.float32)

    def plan(self, plan: ArmPlan) -> ArmPlan:
        """The arm with this predictor."""
        return replace(plan, quality=self.model.sha256)

    def see(self, transaction: Transaction, family: FamilyId, faces: Sequence[FaceId]) -> Mapping[FaceId, float]:
        """The quality of these faces, each as the database gives a REAL: the shortest decimals that mean it."""
        stored = load_looks(transaction, family, faces)
        rated = zip(stored.face_ids, self.rate(stored), strict=True)
        return {face: float(str(quality)) for face, quality in rated}


def read_predictor(context: Context, model: RegisteredModel) -> NamedPredictor:
    """The predictor of this version; raises ModelError if its artefact is not what was registered."""
    return NamedPredictor(model, QualityPredictor.read(read_artefact(context, model)))


def expect_predictor(context: Context, transaction: Transaction, address: str) -> NamedPredictor:
    """The predictor of this address (an id, NAME or NAME@VERSION), for an arm.

    Raises UnknownModelError, InvalidValueError if it is none that was trained, and ModelError if its artefact is not
    what was registered.
    """
    return read_predictor(context, expect_trained(transaction, address, ModelKind.QUALITY))


def rate_faces(
    transaction: Transaction, family: FamilyId, named: NamedPredictor | None, *, upload: PhotoId | None = None
) -> int:
    """Have stored qualities be this predictor's, of the family or of one photo or video; how many changed.

    None stands for the packaged quality.  The caller's transaction holds `lock_family`.
    """
    if named is None:
        return restore_packaged_quality(transaction, family)
    model_id = named.model.model_id
    found = load_rated_by_others(transaction, family, model_id, upload=upload)
    save_qualities(transaction, family, found.face_ids, qualities=named.rate(found), predictor_id=model_id)
    return len(found.face_ids)
