"""The trained models that an arm names: it sees their ages, genders and qualities, and so does analysis once installed.

Both come from what is stored of a face, by one function, so they are the same bit for bit; no photo is read again.
What users said of an age or gender stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from facealbum.clustering import ClusteringParameters, Node, Observation
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.model_versions import ModelKind
from facealbum.linking import FaceEvidence, PersonEvidence
from facealbum.steps.calibrators import NamedCalibrator, calibrate_faces, read_calibrator
from facealbum.steps.context import Context
from facealbum.steps.predictors import NamedPredictor, rate_faces, read_predictor
from facealbum.steps.registry import find_artefact
from facealbum.storage.database import Transaction
from facealbum.storage.nodes import load_nodes
from facealbum.storage.observations import Arm, load_arm, load_evidence
from facealbum.storage.serving import load_installed_arm


@dataclass(frozen=True, slots=True)
class Seen:
    """What an arm sees of faces in place of the packaged estimates; what users told is left out."""

    ages: Mapping[FaceId, float] = field(default_factory=dict)
    p_female: Mapping[FaceId, float] = field(default_factory=dict)
    qualities: Mapping[FaceId, float] = field(default_factory=dict)

    def observation(self, face: Observation) -> Observation:
        """The face with these in place of its own."""
        age, quality = self.ages.get(face.face_id, face.age), self.qualities.get(face.face_id, face.quality)
        return replace(face, age=age, quality=quality)

    def evidence(self, face: FaceEvidence) -> FaceEvidence:
        """Likewise."""
        if face.face_id is None:
            return face
        return replace(
            face,
            age=self.ages.get(face.face_id, face.age),
            p_female=self.p_female.get(face.face_id, face.p_female),
            quality=self.qualities.get(face.face_id, face.quality),
        )


@dataclass(frozen=True, slots=True)
class ArmModels:
    """None stands for the packaged models."""

    calibrator: NamedCalibrator | None = None
    predictor: NamedPredictor | None = None

    @classmethod
    def of_arm(cls, context: Context, transaction: Transaction, arm: Arm) -> Self:
        """Those that the arm names; raises UnknownModelError, and ModelError for other bytes than were registered."""
        calibrator = find_artefact(transaction, arm, ModelKind.CALIBRATOR)
        predictor = find_artefact(transaction, arm, ModelKind.QUALITY)
        return cls(
            None if calibrator is None else read_calibrator(context, calibrator),
            None if predictor is None else read_predictor(context, predictor),
        )

    @classmethod
    def installed(cls, context: Context, transaction: Transaction) -> Self:
        """Those of the installation's arm, by which analysis goes."""
        arm = load_arm(transaction, load_installed_arm(transaction))
        return cls() if arm is None else cls.of_arm(context, transaction, arm)

    def see(self, transaction: Transaction, family: FamilyId, faces: Sequence[FaceId]) -> Seen | None:
        """What they say of these faces; None if that is what the packaged models say."""
        if self.calibrator is None and self.predictor is None:
            return None
        ages, p_female = self.calibrator.see(transaction, family, faces) if self.calibrator else ({}, {})
        qualities = self.predictor.see(transaction, family, faces) if self.predictor else {}
        return Seen(ages, p_female, qualities)

    def observe(self, transaction: Transaction, family: FamilyId, faces: Sequence[Observation]) -> list[Observation]:
        """The faces with the ages and qualities that they say."""
        seen = self.see(transaction, family, [face.face_id for face in faces])
        return list(faces) if seen is None else [seen.observation(face) for face in faces]

    def estimate_family(self, transaction: Transaction, family: FamilyId) -> None:
        """Have what is stored of the family's faces be theirs; the caller's transaction holds `lock_family`."""
        calibrate_faces(transaction, family, self.calibrator)
        rate_faces(transaction, family, self.predictor)

    def estimate_upload(self, transaction: Transaction, family: FamilyId, upload: PhotoId) -> None:
        """The same of a photo or video that was just analysed."""
        if self.calibrator is not None:
            calibrate_faces(transaction, family, self.calibrator, upload=upload)
        if self.predictor is not None:
            rate_faces(transaction, family, self.predictor, upload=upload)


def evidence_of_arm(context: Context, transaction: Transaction, family: FamilyId, arm: Arm) -> list[PersonEvidence]:
    """What the faces of each person say of its age and gender under the arm, and whom it meets."""
    persons = load_evidence(transaction, family, arm)
    ids = [face.face_id for one in persons for face in one.faces if face.face_id]
    seen = ArmModels.of_arm(context, transaction, arm).see(transaction, family, ids)
    if seen is None:
        return persons
    return [replace(one, faces=tuple(map(seen.evidence, one.faces))) for one in persons]


def faces_of_arm(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, *, faces: Sequence[Observation]
) -> list[Observation]:
    """The faces with their ages and qualities under the arm."""
    return ArmModels.of_arm(context, transaction, arm).observe(transaction, family, faces)


def nodes_of_arm(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, parameters: ClusteringParameters
) -> tuple[Node, ...]:
    """The faces that stand for each person, chosen and seen as the arm sees them."""
    models = ArmModels.of_arm(context, transaction, arm)
    rate = None if models.predictor is None else partial(models.predictor.see, transaction, family)
    nodes = load_nodes(transaction, family, arm, parameters, rate=rate)
    faces = models.observe(transaction, family, [node.observation for node in nodes])
    return tuple(Node(face, node.person_id) for face, node in zip(faces, nodes, strict=True))
