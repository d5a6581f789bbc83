"""A predictor of quality serves an arm and new faces alike, from what is stored, and is promoted and taken back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from facealbum.clustering import ClusteringParameters
from facealbum.domain.ids import FaceId
from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ModelError
from facealbum.steps.arm_models import evidence_of_arm, faces_of_arm, nodes_of_arm
from facealbum.steps.arms import create_arm, promote_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.lineage import trace_face
from facealbum.steps.registry import NewModel, RegisteredModel, artefact_key, find_model, list_versions, register_model
from facealbum.steps.releases import Wish, promote_model, rollback_model
from facealbum.steps.uses import list_faces_made
from facealbum.storage.observations import Arm, load_observations
from facealbum.storage.schema import faces
from models.quality_predictor import TERMS, QualityPredictor
from tests.integration.album import FAMILY_ID, add, shots
from tests.integration.test_calibrators import analyse, arm_named, arm_with, calibrator, stored

MONTH = Month(2026, 1)
SLOT = "quality"
HARSH = QualityPredictor(-1.0, (0.5, *(0.0 for _ in TERMS[2:]), 0.25))  # the younger the worse


@pytest.fixture
def world(context: Context) -> Context:
    """A family whose January is clustered, in February."""
    february = replace(context, clock=lambda: datetime(2026, 2, 3, tzinfo=UTC))
    add(february, shots(months=1, a_month=8))
    cluster_families(february, MONTH)
    return february


def register(context: Context, one: QualityPredictor = HARSH, name: str = "harsh") -> RegisteredModel:
    model = NewModel(ModelKind.QUALITY, name, one.content(), "Apache-2.0", research_only=False, source="training")
    return register_model(context, model)


def qualities(context: Context) -> dict[FaceId, tuple[float, int | None, float | None]]:
    """Of each face its quality, whose that is, and the packaged one beside it."""
    columns = faces.c.quality, faces.c.predictor_id, faces.c.packaged_quality
    with context.database.begin() as transaction:
        rows = transaction.execute(select(faces.c.face_id, *columns).order_by(faces.c.face_id))
        return {FaceId(face): tuple(values) for face, *values in rows}  # type: ignore[misc]


def seen_by(context: Context, arm: Arm) -> dict[FaceId, float]:
    """Every face's quality as the arm sees it."""
    with context.database.begin() as transaction:
        observed = load_observations(transaction, FAMILY_ID, arm, list(qualities(context)))
        seen = faces_of_arm(context, transaction, FAMILY_ID, arm, faces=observed)
    return {one.face_id: one.quality for one in seen}


def test_a_predictor_goes_through_the_shadow_to_families_and_back_bit_for_bit(world: Context) -> None:
    model, before, plain = register(world), qualities(world), arm_named(world, "default")
    promote_model(world, "harsh", Stage.SHADOW, Wish())
    cluster_families(world, MONTH)
    assert qualities(world) == before
    arm = arm_named(world, "harsh-1")
    promote_model(world, "harsh", Stage.PRODUCTION, Wish())
    assert find_model(world, "harsh").stage is Stage.PRODUCTION
    analyse(world, replace(shots(months=1, a_month=9)[-1], key="later"))
    new = {face: quality for face, (quality, by, _) in qualities(world).items() if by is not None}
    assert new.items() <= seen_by(world, arm).items()
    assert new
    cluster_families(world, MONTH)
    served = {face: quality for face, (quality, *_) in qualities(world).items()}
    assert served == seen_by(world, arm)
    assert set(seen_by(world, plain).values()) == {before[face][0] for face in before}, "as ever"
    assert all(
        (by, old) == (model.model_id, before[face][0])
        for face, (_, by, old) in qualities(world).items()
        if face in before
    )
    assert sorted(served) == list_faces_made(world, FAMILY_ID, "harsh", limit=100)
    origin = trace_face(world, FAMILY_ID, next(iter(served))).analysis.predictor
    assert origin is not None
    assert origin.sha256 == model.sha256
    rollback_model(world, SLOT, author="ann")
    cluster_families(world, MONTH)
    assert {face: one for face, one in qualities(world).items() if face in before} == before


def test_links_and_nodes_go_by_the_quality_of_their_arm(world: Context) -> None:
    register(world)
    arm = create_arm(world, "harsh", algorithm="constrained", quality="harsh@1", author="ann")
    cluster_families(world, MONTH, arm="harsh")
    seen = seen_by(world, arm)
    with world.database.begin() as transaction:
        nodes = nodes_of_arm(world, transaction, FAMILY_ID, arm, ClusteringParameters())
        evidence = evidence_of_arm(world, transaction, FAMILY_ID, arm)
    assert {one.observation.face_id: one.observation.quality for one in nodes}.items() <= seen.items()
    assert nodes
    told = {face.face_id: face.quality for one in evidence for face in one.faces}
    assert told.items() <= seen.items()
    assert len(set(told.values())) > 1


def test_what_is_promoted_keeps_the_models_that_serve_beside_it(world: Context) -> None:
    promote_arm(world, arm_with(world, calibrator()).name, author="ann")
    register(world)
    promote_model(world, "harsh", Stage.PRODUCTION, Wish(reason="a test", override=True))
    cluster_families(world, MONTH)
    serving = {one.slot: one.label for one in list_versions(world) if one.stage is Stage.PRODUCTION}
    assert (serving["calibrator"], serving[SLOT]) == ("younger@1", "harsh@1")
    assert all(calibrated for _, _, calibrated, *_ in stored(world).values())
    assert all(by for _, by, _ in qualities(world).values())


def test_only_a_trained_predictor_as_it_was_registered_serves(world: Context) -> None:
    list_versions(world)
    with pytest.raises(InvalidValueError, match="trained"):
        create_arm(world, "one", algorithm="constrained", quality="quality/quality", author="ann")
    register(world)
    create_arm(world, "harsh", algorithm="constrained", quality="harsh", author="ann")
    world.objects.put(artefact_key(find_model(world, "harsh").sha256), b"something else")
    with pytest.raises(ModelError, match="sha256"):
        cluster_families(world, MONTH, arm="harsh")
