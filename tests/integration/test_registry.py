"""The registry of models: versions, stages, who moved them, and that production serves what was registered alone."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError

from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.errors import ConflictError, InvalidValueError, ModelError, UnknownModelError
from facealbum.steps.artefacts import artefact_key, read_artefact
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space
from facealbum.steps.registry import (
    NewModel,
    find_model,
    list_changes,
    list_versions,
    register_model,
)
from facealbum.storage.registry import load_production

CALIBRATOR = NewModel(ModelKind.CALIBRATOR, "ours", b"numbers", "Apache-2.0", research_only=False, source="training")


def test_the_same_artefact_is_one_version(context: Context) -> None:
    first = register_model(context, CALIBRATOR)
    again = register_model(context, replace(CALIBRATOR, source="elsewhere"))
    other = register_model(context, replace(CALIBRATOR, artefact=b"other numbers"))
    assert again == first
    assert (first.version, other.version) == ("1", "2")
    assert first.stage is Stage.DRAFT
    assert first.sha256 == hashlib.sha256(b"numbers").hexdigest()
    assert context.objects.get(artefact_key(first.sha256)) == b"numbers"
    assert [(one.before, one.after) for one in list_changes(context, model_id=first.model_id)] == [(None, Stage.DRAFT)]


def test_a_version_never_names_other_bytes(context: Context) -> None:
    register_model(context, replace(CALIBRATOR, version="2026-11"))
    with pytest.raises(ConflictError, match="leave the version out"):
        register_model(context, replace(CALIBRATOR, version="2026-11", artefact=b"other numbers"))


@pytest.mark.parametrize("wrong", [{"kind": "telescope"}, {"name": "a/b"}, {"version": "../1"}])
def test_what_has_no_address_is_refused(context: Context, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError):
        register_model(context, replace(CALIBRATOR, **wrong))


def test_what_is_packaged_is_in_production_from_the_start(context: Context) -> None:
    found = {(one.kind, one.name): one for one in list_versions(context)}
    assert found[ModelKind.EMBEDDER, default_space()].stage is Stage.PRODUCTION
    assert found[ModelKind.EMBEDDER, "family-512"].stage is Stage.DRAFT
    others = [one for one in found.values() if one.kind is not ModelKind.EMBEDDER]
    assert {ModelKind.DETECTOR, ModelKind.CALIBRATOR, ModelKind.QUALITY, ModelKind.THRESHOLDS} < {
        one.kind for one in others
    }
    assert {one.stage for one in others} == {Stage.PRODUCTION}
    changes = list_changes(context)
    assert list_versions(context) == list(found.values())
    assert list_changes(context) == changes


def test_a_model_is_found_by_id_and_by_name(context: Context) -> None:
    first = register_model(context, CALIBRATOR)
    newest = register_model(context, replace(CALIBRATOR, artefact=b"other numbers"))
    assert find_model(context, str(first.model_id)) == first
    assert find_model(context, "ours@1") == find_model(context, "calibrator/ours@1") == first
    assert find_model(context, "ours") == newest
    register_model(context, replace(CALIBRATOR, kind=ModelKind.ADAPTER))
    with pytest.raises(InvalidValueError, match="give adapter/ours or calibrator/ours"):
        find_model(context, "ours")
    for unknown in ("nothing", "ours@9", "987654"):
        with pytest.raises(UnknownModelError):
            find_model(context, unknown)


def test_an_artefact_that_changed_is_not_served(context: Context) -> None:
    model = register_model(context, CALIBRATOR)
    assert read_artefact(context, model) == b"numbers"
    context.objects.put(artefact_key(model.sha256), b"changed")
    with pytest.raises(ModelError, match=f"must have sha256 {model.sha256}"):
        read_artefact(context, model)
    context.objects.delete(artefact_key(model.sha256))
    with pytest.raises(ModelError, match="must lie in the object store"):
        read_artefact(context, model)


def test_the_database_lets_one_version_serve_in_a_slot_and_changes_no_record(context: Context) -> None:
    model = register_model(context, CALIBRATOR)
    list_versions(context)
    with context.database.begin() as transaction:
        serving = load_production(transaction, "calibrator")
    assert serving is not None
    assert serving.name == "age_gender"
    second = f"UPDATE model_versions SET stage = 'production' WHERE model_id = {model.model_id}"  # noqa: S608 - a number
    with pytest.raises(IntegrityError), context.database.begin() as transaction:
        transaction.execute(text(second))
    for change in ("DELETE FROM model_changes", "UPDATE model_changes SET author = 'nobody'"):
        with pytest.raises((InternalError, ProgrammingError), match="append-only"), context.database.begin() as trial:
            trial.execute(text(change))
