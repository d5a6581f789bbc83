"""Calibrators at work: an arm that names one sees its ages and genders, and so do new faces once that arm is installed.

Both come from what is stored of a face, by one function, so they are the same bit for bit; no photo is read again.
What users said of an age or gender stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering import ClusteringParameters, Node, Observation
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.model_versions import ModelKind
from facealbum.errors import InvalidValueError, UnknownModelError
from facealbum.linking import FaceEvidence, PersonEvidence
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.packaged_models import PACKAGED
from facealbum.steps.registry import RegisteredModel, read_artefact, resolve
from facealbum.storage.database import Transaction
from facealbum.storage.estimates import (
    StoredFaces,
    load_calibrated_by_others,
    load_stored,
    restore_packaged,
    save_estimates,
)
from facealbum.storage.observations import Arm, load_arm, load_evidence, load_nodes
from facealbum.storage.registry import load_versions_of
from facealbum.storage.serving import load_installed_arm
from models.calibrator import Calibrator, Estimates, Stored


@dataclass(frozen=True, slots=True)
class NamedCalibrator:
    """A calibrator with its version in the registry."""

    model: RegisteredModel
    calibrator: Calibrator

    @classmethod
    def of_arm(cls, context: Context, transaction: Transaction, arm: Arm) -> Self | None:
        """The one that the arm names, None if it goes by the packaged models.

        Raises UnknownModelError if the registry lacks it, ModelError if its artefact is not what was registered.
        """
        sha256 = arm.parameters.get("calibrator")
        if sha256 is None:
            return None
        known = load_versions_of(transaction, kind=ModelKind.CALIBRATOR)
        model = next((one for one in known if one.sha256 == sha256), None)
        if model is None:
            raise UnknownModelError(f"arm {arm.name} needs a calibrator with sha256 {sha256}, none is registered here")
        return cls(model, Calibrator.read(read_artefact(context, model)))

    def estimate(self, faces: StoredFaces) -> Estimates:
        """What it says of these faces; the one way in which any of its ages comes about."""
        return self.calibrator.estimate(Stored(faces.ages, faces.p_female, faces.embeddings))

    def plan(self, plan: ArmPlan) -> ArmPlan:
        """The arm with this calibrator, and with the errors that its ages were measured to have."""
        error = self.calibrator.error()
        linking = replace(plan.linking, **error) if error else plan.linking
        return replace(plan, calibrator=self.model.sha256, linking=linking)

    def see(self, transaction: Transaction, family: FamilyId, faces: Sequence[FaceId]) -> "Seen":
        """What it says of these faces, as far as no user has said it."""
        stored = load_stored(transaction, family, faces, space=self.calibrator.space)
        found = self.estimate(stored)
        return Seen(
            _by_face(stored.face_ids, found.ages, ~stored.told_age),
            _by_face(stored.face_ids, found.p_female, ~stored.told_female),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """Ages and P(female) by face; those that a user told are left out."""

    ages: Mapping[FaceId, float]
    p_female: Mapping[FaceId, float]

    def evidence(self, face: FaceEvidence) -> FaceEvidence:
        """The face with these in place of its own."""
        if face.face_id is None:
            return face
        age, p_female = self.ages.get(face.face_id, face.age), self.p_female.get(face.face_id, face.p_female)
        return replace(face, age=age, p_female=p_female)


def _by_face(faces: Sequence[FaceId], values: NDArray[np.float32], here: NDArray[np.bool_]) -> dict[FaceId, float]:
    """Those values that are wanted, each as the database gives a REAL: the shortest decimals that mean it."""
    return {face: float(str(value)) for face, value, wanted in zip(faces, values, here, strict=True) if wanted}


def evidence_of_arm(context: Context, transaction: Transaction, family: FamilyId, arm: Arm) -> list[PersonEvidence]:
    """What the faces of each person say of its age and gender under the arm, and whom it meets."""
    persons = load_evidence(transaction, family, arm)
    named = NamedCalibrator.of_arm(context, transaction, arm)
    if named is None:
        return persons
    seen = named.see(transaction, family, [face.face_id for one in persons for face in one.faces if face.face_id])
    return [replace(one, faces=tuple(seen.evidence(face) for face in one.faces)) for one in persons]


def aged_by_arm(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, *, faces: Sequence[Observation]
) -> list[Observation]:
    """The faces with their ages under the arm."""
    named = NamedCalibrator.of_arm(context, transaction, arm)
    if named is None:
        return list(faces)
    seen = named.see(transaction, family, [face.face_id for face in faces])
    return [replace(face, age=seen.ages.get(face.face_id, face.age)) for face in faces]


def nodes_of_arm(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, parameters: ClusteringParameters
) -> tuple[Node, ...]:
    """The faces that stand for each person, with their ages under the arm."""
    nodes = load_nodes(transaction, family, arm, parameters)
    faces = aged_by_arm(context, transaction, family, arm, faces=[node.observation for node in nodes])
    return tuple(Node(face, node.person_id) for face, node in zip(faces, nodes, strict=True))


def expect_calibrator(context: Context, transaction: Transaction, address: str, *, space: str) -> NamedCalibrator:
    """The calibrator of this address (an id, NAME or NAME@VERSION), for an arm over this space.

    Raises UnknownModelError, InvalidValueError if it is none that was trained, or reads another space, and ModelError
    if its artefact is not what was registered.
    """
    model = resolve(transaction, address)
    if model.kind is not ModelKind.CALIBRATOR or model.source == PACKAGED:
        raise InvalidValueError(f"{address} must be a calibrator that was trained, it is a {model.source} {model.kind}")
    calibrator = Calibrator.read(read_artefact(context, model))
    if calibrator.space != space:
        raise InvalidValueError(f"{model.label} must read the arm's space {space}, it reads {calibrator.space}")
    return NamedCalibrator(model, calibrator)


def installed_calibrator(context: Context, transaction: Transaction) -> NamedCalibrator | None:
    """The one that the installation's arm names, by which analysis goes; None: the packaged models alone."""
    arm = load_arm(transaction, load_installed_arm(transaction))
    return None if arm is None else NamedCalibrator.of_arm(context, transaction, arm)


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
