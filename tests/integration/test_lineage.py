"""Everything leads back to what it was made from and by, and forward; and no family to another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select, update

from facealbum.code_version import code_version
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId, child_id, family_id
from facealbum.domain.lineage import EmbeddingOrigin, ExperimentThen, FaceLineage, Making
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import InvalidValueError, UnknownAlbumError, UnknownFaceError, UnknownModelError
from facealbum.steps.adapt import fill_by_adapter
from facealbum.steps.arms import create_arm, promote_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_persons
from facealbum.steps.experiments import Draft, create_experiment, start_experiment, stop_experiment
from facealbum.steps.families import forget_family
from facealbum.steps.lineage import trace_album, trace_face, trace_link
from facealbum.steps.match import match_family
from facealbum.steps.reembed import carry_exactly
from facealbum.steps.registry import NewModel, register_model
from facealbum.steps.uses import find_uses, list_faces_made
from facealbum.storage.analyses import ensure_space
from facealbum.storage.families import save_child
from facealbum.storage.lineage_schema import family_makers, makers
from facealbum.storage.schema import assignments, face_embeddings, faces, photos, runs
from models.adapter import Adapter
from models.registry import load_embedders, load_specs
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, shots
from tests.integration.test_calibrators import calibrator

YEAR = Month(2026, 12)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OTHER = "Tanaka"


def an_album(context: Context) -> FaceLineage:
    """Two months of faces, clustered, carried over to a second space, with a decision; the lineage of a face of it."""
    photos_ = shots(months=2, a_month=8)
    add(context, photos_)
    cluster_families(context, YEAR)
    person = list_persons(context, FAMILY)[0]
    decide(context, FAMILY, Said(Kind.NAME, person=str(person.person_id), name="Grandpa"), author="ann")
    second = load_embedders()["family-512"]
    with context.database.begin() as transaction:
        space = ensure_space(transaction, second.space)
    carry_exactly(context, second, space)
    return trace_face(context, FAMILY_ID, newest_face_of(context, person.person_id))


def newest_face_of(context: Context, person: PersonId) -> FaceId:
    shown = assignments.join(faces, assignments.c.face_id == faces.c.face_id)
    query = select(faces.c.face_id).select_from(shown).where(assignments.c.person_id == person)
    query = query.order_by(faces.c.taken_at.desc(), faces.c.face_id)
    with context.database.begin() as transaction:
        return FaceId(transaction.execute(query.limit(1)).scalar_one())


def test_the_whole_chain_of_a_face_is_told(context: Context) -> None:
    found = an_album(context)
    assert (found.photo.taken_at_source, found.photo.uploaded_at) == ("manifest", NOW)
    assert found.analysis.analysed_at == NOW
    analysis = found.analysis.making
    assert analysis is not None
    assert (analysis.method, analysis.code_version, analysis.space) == ("analysis", code_version(), "fused-512")
    assert analysis.parameters["video_interval_seconds"] == context.settings.video_interval_seconds
    pinned = {one.role: one.sha256 for one in analysis.models}
    assert pinned["detector"] == load_specs()["detector"].sha256
    embeddings = {one.space: one.making for one in found.embeddings}
    assert embeddings["fused-512"] == analysis
    carried = embeddings["family-512"]
    assert carried is not None
    assert (carried.method, carried.source_space) == ("carrying", "fused-512")
    (placed,) = found.placements
    assert (placed.arm, placed.shown, placed.state) == ("default", True, "confirmed")
    assert placed.why.startswith("joined Grandpa: ")
    assert placed.run is not None
    assert placed.run.making.code_version == code_version()
    assert placed.run.making.parameters["clustering"]
    assert [(one.kind, one.about, one.author) for one in found.decisions] == [("name", "person", "ann")]


def test_a_vector_that_an_adapter_made_leads_to_the_adapter_and_the_space_that_it_read(context: Context) -> None:
    face = min(add(context, shots(months=1, a_month=4)))
    same = Adapter.straight("orthogonal", np.eye(512, dtype=np.float32), np.zeros(512, np.float32))
    content = replace(same, source="fused-512", target="family-512").to_bytes()
    model = register_model(context, NewModel("adapter", "bridge", content, "Apache-2.0", False, "training"))
    assert fill_by_adapter(context, model.label) > 0
    first, second = sorted(trace_face(context, FAMILY_ID, face).embeddings, key=lambda one: one.space)
    assert first.making is not None
    (use,) = first.making.models
    assert (use.role, use.version, use.sha256, use.model_id) == ("adapter", "1", model.sha256, model.model_id)
    assert first == EmbeddingOrigin(
        "family-512", Making("adapter", code_version(), "family-512", "fused-512", {}, (use,))
    )
    assert (second.space, second.making and second.making.method) == ("fused-512", "analysis")


def test_a_run_leads_to_the_experiment_that_ran_with_its_arm_then_and_to_no_later_one(context: Context) -> None:
    january = Month(2026, 1)
    face = min(add(context, shots(months=1, a_month=8)))
    add(context, shots(months=1, a_month=8), family=OTHER)
    cluster_families(context, january)
    create_arm(context, "sharp", algorithm="constrained", author="ann")
    begun, done, ended = (replace(context, clock=lambda at=NOW + timedelta(days=days): at) for days in (1, 2, 3))
    arms = (("default", 0.5), ("sharp", 0.5))
    create_experiment(begun, Draft("sharper", "shadow", arms, "breakage", 0.05, months=1, families=2), author="ann")
    start_experiment(begun, "sharper", author="ann", first_month=january)
    cluster_families(done, january)
    stop_experiment(ended, "sharper", author="ann")
    runs_of = {one.arm: one.run for one in trace_face(context, FAMILY_ID, face).placements}
    default, sharp = runs_of["default"], runs_of["sharp"]
    assert default is not None
    assert sharp is not None
    assert default.experiments == (), "it was done before"
    (then,) = sharp.experiments
    assert then == ExperimentThen("sharper", "shadow", begun.clock(), ended.clock(), done.clock(), None)


def test_every_model_of_an_analysis_is_found_in_the_registry_by_its_checksum(context: Context) -> None:
    found = an_album(context)
    for making in (found.analysis.making, found.placements[0].run and found.placements[0].run.making):
        assert making is not None
        unknown = [one.role for one in making.models if one.model_id is None or one.sha256 is None]
        assert not unknown
    assert {one.stage for one in making.models} == {"production"}
    assert "thresholds" in {one.role for one in making.models}


def test_a_face_that_waits_or_is_shown_provisionally_has_no_run(context: Context) -> None:
    photos_ = shots(months=2, a_month=8)
    add(context, photos_[:8])
    cluster_families(context, Month(2026, 1))
    (alone,) = add(context, [Shot("alone", photos_[-1].taken_at, (77,))])
    fresh = add(context, photos_[8:])
    match_family(context, FAMILY_ID)
    assert [(one.person_id, one.state, one.run) for one in trace_face(context, FAMILY_ID, alone).placements] == [
        (None, None, None)
    ]
    placed = [trace_face(context, FAMILY_ID, face).placements[0] for face in sorted(fresh)[:8]]
    assert any(one.state == "provisional" and one.run is None and one.assigned_at == NOW for one in placed)


def test_what_was_made_before_this_was_kept_is_told_as_not_on_record(context: Context) -> None:
    face = an_album(context).face_id
    with context.database.begin() as transaction:
        for table in (photos, face_embeddings, runs):
            transaction.execute(update(table).values(maker_id=None))
    found = trace_face(context, FAMILY_ID, FaceId(face))
    assert found.analysis.making is not None
    assert found.analysis.making.code_version is None
    assert {one.sha256 for one in found.analysis.making.models} == {None}
    assert {one.role: one.version for one in found.analysis.making.models}["detector"] == load_specs()[
        "detector"
    ].version
    assert {one.making for one in found.embeddings} == {None}
    assert found.placements[0].run is not None
    assert found.placements[0].run.making.code_version == code_version(), "runs kept that always"


def test_a_link_leads_back_to_its_run_and_then_to_the_user_who_said_so(context: Context) -> None:
    add(context, shots(months=2, a_month=8))
    hana = Child(child_id(FAMILY_ID, "Hana"), "Hana", datetime(2022, 1, 5, tzinfo=UTC).date(), Gender.MALE)
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, hana, now=NOW)
    cluster_families(context, YEAR)
    person = list_persons(context, FAMILY)[0].person_id
    decide(context, FAMILY, Said(Kind.LINK, person=str(person), child="Hana"), author="ann")
    found = trace_link(context, FAMILY_ID, person)
    assert (found.link.child_id, found.link.confirmed, found.arm) == (hana.child_id, True, "default")
    assert [(one.kind, one.author, one.undone_at) for one in found.decisions] == [("link", "ann", None)]
    album = trace_album(context, FAMILY_ID, str(hana.child_id))
    assert person in album.persons
    assert found.link in album.links


def test_an_album_counts_its_faces_by_what_analysed_embedded_and_placed_them(context: Context) -> None:
    an_album(context)
    person = list_persons(context, FAMILY)[0]
    found = trace_album(context, FAMILY_ID, str(person.person_id))
    assert found.persons == (person.person_id,)
    for shares in (found.analyses, found.embeddings, found.runs):
        assert sum(one.faces for one in shares) == person.faces
    assert {one.run.month.month for one in found.runs if one.run} == {1, 2}
    with pytest.raises(UnknownAlbumError):
        trace_album(context, FAMILY_ID, "nobody's")


def test_a_model_leads_forward_to_families_faces_arms_and_runs(context: Context) -> None:
    face = an_album(context).face_id
    add(context, shots(months=1, a_month=4), family=OTHER)
    uses, families = find_uses(context, "detector", limit=10)
    assert (uses.arms, uses.runs, uses.families) == (("default",), 2, 2)
    assert {one.family_id for one in families} == {FAMILY_ID, family_id(OTHER)}
    mine = next(one for one in families if one.family_id == FAMILY_ID)
    assert (mine.photos, mine.persons, mine.runs, mine.since) == (16, len(list_persons(context, FAMILY)), 2, NOW)
    pages, after = [], None
    while part := list_faces_made(context, FAMILY_ID, "detector", limit=5, after=after):
        pages, after = [*pages, *part], part[-1]
    assert face in pages
    assert pages == sorted(set(pages))
    assert len(pages) == mine.faces
    first, second = (find_uses(context, "detector", limit=1, after=one)[1] for one in (None, families[0].family_id))
    assert [*first, *second] == families


def test_a_trained_calibrator_leads_back_to_its_training_and_forward_to_its_faces(context: Context) -> None:
    content = calibrator().content()
    new = NewModel("calibrator", "younger", content, "Apache-2.0", False, "training", training_run="r1", snapshot="d1")
    model = register_model(context, new)
    truth = add(context, shots(months=1, a_month=4))
    face = min(truth, key=lambda one: (-list(truth.values()).count(truth[one]), one))
    arm = create_arm(context, "younger", algorithm="constrained", calibrator=model.label, author="ann")
    promote_arm(context, arm.name, author="ann")
    cluster_families(context, Month(2026, 1))
    found = trace_face(context, FAMILY_ID, face)
    assert found.analysis.calibrator is not None
    assert (found.analysis.calibrator.training_run, found.analysis.calibrator.snapshot) == ("r1", "d1")
    run = found.placements[0].run
    assert run is not None
    assert [one.model_id for one in run.making.models if one.role == "calibrator"] == [model.model_id]
    uses, families = find_uses(context, str(model.model_id), limit=10)
    assert (uses.arms, uses.runs, [one.family_id for one in families]) == (("younger",), 1, [FAMILY_ID])
    assert face in list_faces_made(context, FAMILY_ID, str(model.model_id), limit=100)


def test_a_release_is_asked_about_as_a_model_is(context: Context) -> None:
    an_album(context)
    uses, families = find_uses(context, f"code:{code_version()}", limit=10)
    assert {one.method for one in uses.makings} == {"analysis", "carrying", "clustering"}
    assert len(families) == 1
    for asked, error in (("code:0", InvalidValueError), ("snapshot:0", InvalidValueError), ("0", UnknownModelError)):
        with pytest.raises(error):
            find_uses(context, asked, limit=10)


def test_nothing_of_another_family_is_told(context: Context) -> None:
    face = an_album(context).face_id
    add(context, shots(months=1, a_month=4), family=OTHER)
    with pytest.raises(UnknownFaceError):
        trace_face(context, family_id(OTHER), FaceId(face))
    theirs = list_faces_made(context, family_id(OTHER), "detector", limit=1000)
    assert not set(theirs) & set(list_faces_made(context, FAMILY_ID, "detector", limit=1000))


def test_of_a_deleted_family_nothing_is_left_but_how_things_were_made(context: Context) -> None:
    an_album(context)
    forget_family(context, FAMILY)
    uses, families = find_uses(context, "detector", limit=10)
    assert (uses.families, uses.runs, families) == (0, 0, [])
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.count()).select_from(family_makers)).scalar() == 0
        assert transaction.execute(select(func.count()).select_from(makers)).scalar() == 3
