"""Calibrators at work: what one says of stored faces, from what is stored of them; no photo is read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.model_versions import ModelKind
from facealbum.errors import InvalidValueError
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.link_parameters import packaged_error
from facealbum.steps.registry import RegisteredModel, expect_trained, read_artefact
from facealbum.storage.database import Transaction
from facealbum.storage.estimates import (
    StoredFaces,
    load_calibrated_by_others,
    load_stored,
    restore_packaged,
    save_estimates,
)
from models.calibrator import Calibrator, Estimates, Stored


@dataclass(frozen=True, slots=True)
class NamedCalibrator:
    """A calibrator with its version in the registry."""

    model: RegisteredModel
    calibrator: Calibrator

    def estimate(self, faces: StoredFaces) -> Estimates:
        """What it says of these faces; the one way in which any of its ages comes about."""
        return self.calibrator.estimate(Stored(faces.ages, faces.p_female, faces.embeddings))

    def plan(self, plan: ArmPlan) -> ArmPlan:
        """The arm with this calibrator, and with the errors that its ages were measured to have."""
        error = self.calibrator.error() or packaged_error()
        return replace(plan, calibrator=self.model.sha256, linking=replace(plan.linking, **error))

    def see(
        self, transaction: Transaction, family: FamilyId, faces: Sequence[FaceId]
    ) -> tuple[Mapping[FaceId, float], Mapping[FaceId, float]]:
        """The ages and P(female) of these faces, as far as no user has said them."""
        stored = load_stored(transaction, family, faces, space=self.calibrator.space)
        found = self.estimate(stored)
        return (
            _by_face(stored.face_ids, found.ages, ~stored.told_age),
            _by_face(stored.face_ids, found.p_female, ~stored.told_female),
        )


def _by_face(faces: Sequence[FaceId], values: NDArray[np.float32], here: NDArray[np.bool_]) -> dict[FaceId, float]:
    """Those values that are wanted, each as the database gives a REAL: the shortest decimals that mean it."""
    return {face: float(str(value)) for face, value, wanted in zip(faces, values, here, strict=True) if wanted}


def read_calibrator(context: Context, model: RegisteredModel) -> NamedCalibrator:
    """The calibrator of this version; raises ModelError if its artefact is not what was registered."""
    return NamedCalibrator(model, Calibrator.read(read_artefact(context, model)))


def expect_calibrator(context: Context, transaction: Transaction, address: str, *, space: str) -> NamedCalibrator:
    """The calibrator of this address (an id, NAME or NAME@VERSION), for an arm over this space.

    Raises UnknownModelError, InvalidValueError if it is none that was trained, or reads another space, and ModelError
    if its artefact is not what was registered.
    """
    named = read_calibrator(context, expect_trained(transaction, address, ModelKind.CALIBRATOR))
    if named.calibrator.space != space:
        raise InvalidValueError(f"{named.model.label} must read the arm's space {space}, not {named.calibrator.space}")
    return named


def calibrate_faces(
    transaction: Transaction, family: FamilyId, named: NamedCalibrator | None, *, upload: PhotoId | None = None
) -> int:
    """Have stored ages and genders be this calibrator's, of the family or of one photo or video; how many changed.

    None stands for the packaged models.  The caller's transaction holds `lock_family`.
    """
    if named is None:
        return restore_packaged(transaction, family)
    space, model_id = named.calibrator.space, named.model.model_id
    found = load_calibrated_by_others(transaction, family, model_id, space=space, upload=upload)
    new = named.estimate(found)
    save_estimates(transaction, family, found.face_ids, ages=new.ages, p_female=new.p_female, calibrator_id=model_id)
    return len(found.face_ids)
