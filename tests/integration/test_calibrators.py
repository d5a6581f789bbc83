"""A calibrator serves an arm and new faces alike, from what is stored, and users' words outrank it."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from facealbum.clustering import ClusteringParameters
from facealbum.domain.decisions import Kind
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, photo_id
from facealbum.domain.months import Month
from facealbum.domain.photos import AnalysedPhoto, PendingPhoto
from facealbum.errors import InvalidValueError, ModelError, UnknownModelError
from facealbum.steps.analyst import Outcome
from facealbum.steps.analyze_upload import AnalysedBy, save_outcome
from facealbum.steps.arm_models import evidence_of_arm, faces_of_arm, nodes_of_arm
from facealbum.steps.arm_plans import ArmPlan, load_side
from facealbum.steps.arms import create_arm, promote_arm, rollback_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide
from facealbum.steps.embedders import default_models, default_space
from facealbum.steps.registry import NewModel, RegisteredModel, artefact_key, list_versions, register_model
from facealbum.storage.observations import Arm, load_evidence, load_observations
from facealbum.storage.photos import NewPhoto, save_photos
from facealbum.storage.runs import lock_family
from facealbum.storage.schema import faces, runs
from models.calibrator import Calibrator
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, draw_face, shots

MONTH = Month.parse("2026-01")


def calibrator(scale: float = 0.9, *, space: str = "fused-512") -> Calibrator:
    """Everybody is younger, and a little by their looks."""
    draw = np.random.default_rng(0)
    same = Calibrator.unchanged(space, (0.0, 10.0, 100.0))
    return replace(
        same,
        log_ages=tuple(scale * one for one in same.log_ages),
        levels=(0.5, 0.5, 0.5),
        age_weights=tuple(draw.normal(scale=0.05, size=EMBEDDING_SIZE).tolist()),
        error_ages=(0.0, 20.0),
        error_bias=(0.0, 1.0),
        error_spread=(1.5, 4.0),
        error_freedom=5.0,
    )


def register(context: Context, one: Calibrator, name: str = "younger") -> RegisteredModel:
    model = NewModel("calibrator", name, one.content(), "Apache-2.0", research_only=False, source="training")
    return register_model(context, model)


def arm_with(context: Context, one: Calibrator, name: str = "younger") -> Arm:
    return create_arm(
        context, name, algorithm="constrained", calibrator=register(context, one, name).label, author="ann"
    )


def analyse(context: Context, shot: Shot) -> None:
    """One photo comes in, and is saved as analysis does."""
    identity = photo_id(FAMILY_ID, shot.key)
    found = [draw_face(FAMILY_ID, shot.key, number, person) for number, person in enumerate(shot.people)]
    analysed = AnalysedPhoto(FAMILY_ID, identity, "JPEG", 800, 600, None, found)
    with context.database.begin() as transaction:
        lock_family(transaction, FAMILY_ID)
        new = NewPhoto(identity, shot.key, identity.bytes * 2, 1, shot.taken_at, "manifest")
        save_photos(transaction, FAMILY_ID, [new], now=context.clock())
        outcome = Outcome(PendingPhoto(FAMILY_ID, identity, shot.key, new.sha256), analysed, {})
        save_outcome(transaction, outcome, AnalysedBy.load(context, transaction, default_models()), now=context.clock())


def stored(context: Context) -> dict[FaceId, tuple[float, float, int | None, float | None, float | None]]:
    """Of each face age, P(female), whose they are, and the packaged ones beside them."""
    columns = faces.c.age, faces.c.p_female, faces.c.calibrator_id, faces.c.packaged_age, faces.c.packaged_p_female
    with context.database.begin() as transaction:
        rows = transaction.execute(select(faces.c.face_id, *columns).order_by(faces.c.face_id))
        return {FaceId(face): tuple(values) for face, *values in rows}  # type: ignore[misc]


def ages(context: Context, arm: Arm) -> dict[FaceId, float | None]:
    """Every face's age as the arm sees it."""
    with context.database.begin() as transaction:
        observed = load_observations(transaction, FAMILY_ID, arm, list(stored(context)))
        seen = faces_of_arm(context, transaction, FAMILY_ID, arm, faces=observed)
    return {one.face_id: one.age for one in seen}


def test_what_analysis_stores_is_what_the_arm_computes_bit_for_bit(context: Context) -> None:
    first, *rest = shots(months=1, a_month=8)
    add(context, [first])
    arm = arm_with(context, calibrator())
    promote_arm(context, arm.name, author="ann")
    for shot in rest:
        analyse(context, shot)
    new = {face: age for face, (age, _, calibrated, *_) in stored(context).items() if calibrated is not None}
    assert len(new) == sum(len(shot.people) for shot in rest)
    assert new.items() <= ages(context, arm).items()


def test_a_month_brings_faces_from_before_up_to_the_calibrator(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    before = stored(context)
    arm = arm_with(context, calibrator())
    promote_arm(context, arm.name, author="ann")
    assert stored(context) == before
    cluster_families(context, MONTH)
    after = stored(context)
    assert {face: age for face, (age, *_) in after.items()} == ages(context, arm)
    for face, (age, p_female, _, packaged_age, packaged_p_female) in after.items():
        assert (packaged_age, packaged_p_female) == before[face][:2]
        assert age < before[face][0]
        assert p_female > before[face][1]


def test_a_rollback_puts_back_exactly_what_was_served(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    cluster_families(context, MONTH)
    before = stored(context)
    promote_arm(context, arm_with(context, calibrator()).name, author="ann")
    cluster_families(context, MONTH)
    assert stored(context) != before
    rollback_arm(context, author="ann")
    cluster_families(context, MONTH)
    assert stored(context) == before


def test_an_arm_without_a_calibrator_sees_the_packaged_ages_whatever_is_in_production(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    cluster_families(context, MONTH)
    plain = arm_named(context, "default")
    before = ages(context, plain)
    promote_arm(context, arm_with(context, calibrator()).name, author="ann")
    cluster_families(context, MONTH)
    assert ages(context, plain) == before


def test_another_calibrator_starts_from_the_packaged_ages_again(context: Context) -> None:
    add(context, shots(months=1, a_month=4))
    arm = arm_with(context, calibrator(0.8), "second")
    directly = ages(context, arm)
    promote_arm(context, arm_with(context, calibrator(), "first").name, author="ann")
    cluster_families(context, MONTH)
    assert ages(context, arm) == directly
    promote_arm(context, "second", author="ann")
    cluster_families(context, MONTH)
    assert {face: age for face, (age, *_) in stored(context).items()} == directly


def test_what_users_said_outranks_the_calibrator(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    cluster_families(context, MONTH)
    first, second, *_ = stored(context)
    decide(context, FAMILY, Said(Kind.AGE, faces=(str(first),), age=3.0), author="ann")
    decide(context, FAMILY, Said(Kind.GENDER, faces=(str(second),)), author="ann")
    arm = arm_with(context, calibrator())
    assert ages(context, arm)[first] == 3
    cluster_families(context, MONTH, arm=arm.name)
    with context.database.begin() as transaction:
        seen = {
            face.face_id: face for one in evidence_of_arm(context, transaction, FAMILY_ID, arm) for face in one.faces
        }
        plain = {face.face_id: face for one in load_evidence(transaction, FAMILY_ID, arm) for face in one.faces}
    assert seen[first].age == 3
    assert seen[second].p_female is None
    assert seen[second].age != plain[second].age
    assert {face: one.age for face, one in seen.items()} == {face: ages(context, arm)[face] for face in seen}


def test_a_run_goes_by_the_ages_of_its_arm_and_says_so(context: Context) -> None:
    add(context, shots(months=1, a_month=8))
    arm = arm_with(context, calibrator())
    cluster_families(context, MONTH, arm=arm.name)
    with context.database.begin() as transaction:
        told = transaction.execute(select(runs.c.parameters)).scalar_one()
        nodes = nodes_of_arm(context, transaction, FAMILY_ID, arm, ClusteringParameters())
    assert told["calibrator"] == calibrator().sha256
    assert told["linking"]["error_spread"] == [1.5, 4.0]
    assert {one.observation.face_id: one.observation.age for one in nodes}.items() <= ages(context, arm).items()
    assert nodes
    assert ArmPlan.of_arm(arm).parameters() == arm.parameters


def test_only_what_was_registered_serves(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    arm = arm_with(context, calibrator())
    context.objects.put(artefact_key(calibrator().sha256), b"something else")
    with pytest.raises(ModelError, match="sha256"):
        cluster_families(context, MONTH, arm=arm.name)


def test_an_arm_takes_no_calibrator_that_can_not_serve_it(context: Context) -> None:
    with pytest.raises(UnknownModelError):
        create_arm(context, "one", algorithm="constrained", calibrator="nobody@1", author="ann")
    register(context, calibrator(space="other-512"), "elsewhere")
    with pytest.raises(InvalidValueError, match=f"space {default_space()}"):
        create_arm(context, "one", algorithm="constrained", calibrator="elsewhere", author="ann")
    list_versions(context)
    for packaged in ("calibrator/age_gender", default_space()):
        with pytest.raises(InvalidValueError, match="trained"):
            create_arm(context, "one", algorithm="constrained", calibrator=packaged, author="ann")


def test_a_face_analysed_anew_goes_by_the_calibrator_again(context: Context) -> None:
    shot, *_ = shots(months=1, a_month=1)
    add(context, [shot])
    promote_arm(context, arm_with(context, calibrator()).name, author="ann")
    analyse(context, shot)
    once = stored(context)
    analyse(context, shot)
    assert stored(context) == once
    assert all(calibrated for _, _, calibrated, *_ in once.values())


def arm_named(context: Context, name: str) -> Arm:
    with context.database.begin() as transaction:
        return load_side(transaction, name, context.settings).arm
