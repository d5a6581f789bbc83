"""A head is trained on what the families' albums hold, and becomes a space to work with."""

from datetime import date

import numpy as np
import pytest
from sqlalchemy import delete, insert, select

from facealbum.domain.ids import child_id, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import InvalidValueError
from facealbum.pipelines.own_head import train_own_head
from facealbum.pipelines.runs import read_run
from facealbum.steps import reembed
from facealbum.steps.cluster import cluster_families
from facealbum.steps.compat import evaluate_change
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space
from facealbum.steps.models import check_models, list_models, remove_model
from facealbum.steps.registry import find_model
from facealbum.steps.releases import use_model
from facealbum.steps.train_head import collect_faces
from facealbum.steps.uses import find_uses
from facealbum.storage.families import save_child
from facealbum.storage.schema import links, persons
from models.train.faces import LabelledFaces
from tests.conftest import NOW
from tests.integration.album import PEOPLE, add, shots

FAMILIES = tuple(f"Family {number}" for number in range(6))


@pytest.fixture
def albums(context: Context) -> Context:
    """Six families of four people each, clustered."""
    for number, family in enumerate(FAMILIES):
        add(context, shots(months=1, a_month=9, seed=number), family=family)
    cluster_families(context, Month.parse("2026-01"))
    return context


def test_what_is_learnt_from_is_what_the_albums_hold(albums: Context) -> None:
    faces = collect_faces(albums).faces
    assert len(set(faces.families.tolist())) == len(FAMILIES)
    assert len(set(faces.persons.tolist())) <= len(FAMILIES) * PEOPLE
    assert np.linalg.norm(faces.embeddings, axis=1) == pytest.approx(1, abs=1e-3)
    for person in set(faces.persons.tolist()):
        mine = faces.persons == person
        assert len(set(faces.families[mine].tolist())) == 1
        assert len(set(faces.photos[mine].tolist())) == mine.sum()


def test_persons_linked_to_one_child_are_one_and_have_its_age(albums: Context) -> None:
    family, before = family_id(FAMILIES[0]), collect_faces(albums).faces
    hana = Child(child_id(family, "Hana"), "Hana", date(2020, 1, 1), Gender.FEMALE)
    with albums.database.begin() as transaction:
        save_child(transaction, family, hana, now=NOW)
        two = select(persons.c.person_id).where(persons.c.family_id == family).limit(2)
        transaction.execute(delete(links).where(links.c.family_id == family))
        for person in transaction.execute(two).scalars():
            link = {"person_id": person, "child_id": hana.child_id, "probability": 1, "evidence": {}}
            transaction.execute(insert(links).values(family_id=family, linked_at=NOW, **link))
    after = collect_faces(albums).faces
    assert len(set(after.persons.tolist())) == len(set(before.persons.tolist())) - 1
    (merged,) = set(after.persons.tolist()) - _alone(before, after)
    assert after.ages[after.persons == merged] == pytest.approx(6.1, abs=0.1)


def _alone(before: LabelledFaces, after: LabelledFaces) -> set[int]:
    """The people of `after` whose faces are those of one person before."""
    return {
        person for person in after.persons.tolist() if len(set(before.persons[after.persons == person].tolist())) == 1
    }


@pytest.mark.usefixtures("tracking")
def test_a_trained_space_is_on_record_and_can_be_chosen(albums: Context) -> None:
    trained = train_own_head(albums, "ours-1", epochs=1)
    run = read_run(albums.settings, trained.run)
    assert (run.record.training, run.record.parameters["epochs"]) == ("embedding_head", "1")
    assert "too few people to judge" in run.log, "24 persons, of whom a twin would know fewer than 20"
    assert find_model(albums, trained.model).metrics == {}
    assert (trained.families, trained.faces) == (len(FAMILIES), len(collect_faces(albums)))
    assert {model.name: model.state for model in list_models(albums)}["ours-1"] == "trained"
    assert all(check.fine for check in check_models(albums.settings, "ours-1"))
    reembed.start(albums, "ours-1")
    reembed.work_through(albums)
    assert evaluate_change(albums, default_space(), "ours-1").report.passed
    assert use_model(albums, "ours-1").lacking == 0
    with pytest.raises(InvalidValueError, match="is taken"):
        train_own_head(albums, "ours-1", epochs=1)
    uses, _ = find_uses(albums, "ours-1", limit=1)
    (head,) = {one for making in uses.makings for one in making.models if one.version.startswith("ours-1-")}
    assert (head.training_run, head.snapshot) == (trained.run, run.record.data)
    use_model(albums, default_space())
    assert remove_model(albums, "ours-1") > 0
    assert "ours-1" not in {model.name for model in list_models(albums)}


@pytest.mark.usefixtures("tracking")
def test_an_empty_database_teaches_nothing(context: Context) -> None:
    with pytest.raises(InvalidValueError, match="20 persons"):
        train_own_head(context, "ours-1")
