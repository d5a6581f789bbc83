"""Features are what the product itself computes with, now and as of every instant; their file is whole or absent."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import delete, func, select, text

from facealbum.clustering import ClusteringParameters
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import child_id, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import InvalidValueError, UndoError, UnknownFamilyError
from facealbum.features import Entity, find_features
from facealbum.steps import feature_export
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_decisions, undo
from facealbum.steps.families import forget_family, register_family
from facealbum.steps.feature_export import export_features
from facealbum.steps.features import Asked, page_features
from facealbum.storage.families import save_child
from facealbum.storage.family_metrics import load_companies
from facealbum.storage.nodes import load_nodes
from facealbum.storage.observations import load_arm, load_evidence, load_observations
from facealbum.storage.schema import assignments, face_embeddings, faces
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, shots

YEAR = Month(2026, 12)
HANA = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 1, 1), Gender.UNKNOWN)


@pytest.fixture
def clustered(context: Context) -> None:
    """Two clustered months of four people, one of them a registered child."""
    add(context, shots(months=2, a_month=8))
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=context.clock())
    cluster_families(context, YEAR)


def read(
    context: Context,
    entity: Entity,
    tmp_path: Path,
    names: Sequence[str] = (),
    *,
    as_of: datetime | None = None,
    family: str | None = None,
) -> list[dict[str, Any]]:
    out = tmp_path / f"{entity}.parquet"
    done = export_features(context, out, Asked(entity, names, as_of), family=family)
    rows: list[dict[str, Any]] = parquet.read_table(out).to_pylist()
    assert len(rows) == done.rows
    return rows


def all_features(context: Context, tmp_path: Path, as_of: datetime | None = None) -> str:
    """Every feature of everything, to the last bit."""
    return repr([read(context, entity, tmp_path, as_of=as_of) for entity in Entity])


def single(value: float | None) -> float | None:
    """The number as its column holds it; the driver reads the shortest decimal that names it."""
    return None if value is None else float(np.float32(value))


def now(context: Context) -> datetime:
    with context.database.begin() as transaction:
        moment: datetime = transaction.execute(select(func.clock_timestamp())).scalar_one()
        return moment


@pytest.mark.usefixtures("clustered")
def test_a_face_has_the_very_numbers_that_clustering_and_linking_read(context: Context, tmp_path: Path) -> None:
    rows = {row["face_id"]: row for row in read(context, Entity.FACE, tmp_path)}
    with context.database.begin() as transaction:
        arm = load_arm(transaction, "default")
        assert arm is not None
        observed = load_observations(transaction, FAMILY_ID, arm, list(rows))
        evidence = load_evidence(transaction, FAMILY_ID, arm)
        scores = dict(transaction.execute(select(assignments.c.face_id, assignments.c.score)).all())  # type: ignore[arg-type]
    assert {one.face_id for one in observed} == rows.keys()
    for one in observed:
        row = rows[one.face_id]
        assert np.array_equal(np.array(row["embedding"], np.float32), one.embedding)
        assert row["taken_at"] == one.taken_at
        assert (row["quality"], row["yaw"]) == (single(one.quality), single(one.yaw))
        assert row["similarity"] == single(scores.get(one.face_id))
    told = sorted(
        (row["person"], row["taken_at"], row["age"], row["p_female"]) for row in rows.values() if row["confirmed"]
    )
    seen = sorted(
        (who.person_id, one.taken_at, single(one.age), single(one.p_female)) for who in evidence for one in who.faces
    )
    assert told == seen


@pytest.mark.usefixtures("clustered")
def test_a_person_has_the_very_numbers_that_linked_it(context: Context, tmp_path: Path) -> None:
    rows = {row["person_id"]: row for row in read(context, Entity.PERSON, tmp_path)}
    with context.database.begin() as transaction:
        found = transaction.execute(text("SELECT person_id, child_id, probability, evidence FROM links")).all()
        companies = load_companies(transaction, FAMILY_ID, 1)
        arm = load_arm(transaction, "default")
        assert arm is not None
        nodes = load_nodes(transaction, FAMILY_ID, arm, ClusteringParameters.from_dict(arm.parameters["clustering"]))
    assert found
    for person, child, probability, evidence in found:
        row = rows[person]
        assert (row["child"], row["link_probability"]) == (child, probability)
        assert round(row["age_error"], 6) == evidence["age_error"]
        assert round(row["p_female"], 6) == evidence["p_female"]
        assert row["faces"] == evidence["faces"]
    assert {person: row["faces"] for person, row in rows.items()} == {
        one: count for one, (count, _) in companies.items()
    }
    assert {person for person, row in rows.items() if row["spread"] is not None} == {node.person_id for node in nodes}


@pytest.mark.usefixtures("clustered")
def test_a_month_has_the_very_shares_of_its_metrics(context: Context, tmp_path: Path) -> None:
    rows = read(context, Entity.FAMILY_MONTH, tmp_path)
    with context.database.begin() as transaction:
        measured = transaction.execute(
            text("SELECT month, metric, total / cases FROM family_metrics WHERE slice = ''")
        ).all()
        count = transaction.execute(select(func.count()).select_from(faces)).scalar_one()
    shares = {(month, metric): share for month, metric, share in measured}
    for row in rows:
        for name in ("association", "coverage", "breakage", "corrections", "churn"):
            assert row[name] == shares.get((row["month"], name))
    assert sum(row["faces"] for row in rows) == count
    assert [row["photos"] for row in rows[:2]] == [8, 8]


def test_an_instant_s_features_stay_what_they_were(context: Context, tmp_path: Path) -> None:
    told = []

    def note() -> None:
        told.append((now(context), all_features(context, tmp_path)))

    add(context, shots(months=1, a_month=8))
    note()
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=context.clock())
    cluster_families(context, YEAR)
    note()
    decide(context, FAMILY, Said(Kind.AGE, faces=(str(some_face(context)),), age=3.0), author="test")
    note()
    add(context, shots(months=2, a_month=8))
    cluster_families(context, YEAR)
    note()
    undo(context, FAMILY, 1, author="test")
    note()
    assert len({features for _, features in told}) == len(told)
    for moment, features in told:
        assert all_features(context, tmp_path, moment) == features


def some_face(context: Context) -> UUID:
    with context.database.begin() as transaction:
        face: UUID = transaction.execute(select(faces.c.face_id).order_by(faces.c.face_id).limit(1)).scalar_one()
        return face


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["import", "again", "cluster", "confirm", "reject", "undo", "embed", "delete"]),
        min_size=2,
        max_size=6,
    )
)
def test_random_histories_are_told_as_they_went(context: Context, tmp_path: Path, history: list[str]) -> None:
    album = shots(months=2, a_month=5)
    add(context, album[:5])
    told: list[tuple[datetime, str]] = []
    for step in history:
        happen(context, step, album)
        if step == "delete":  # nothing of the family is told any more, not even of before
            told.clear()
        told.append((now(context), all_features(context, tmp_path)))
    for moment, features in told:
        assert all_features(context, tmp_path, moment) == features
    forget_family(context, FAMILY)


def happen(context: Context, step: str, album: list[Shot]) -> None:
    """One thing that happens to a family; nothing where there is nobody for it to happen to."""
    match step:
        case "import" | "again":
            add(context, album if step == "import" else album[:5])
        case "cluster":
            cluster_families(context, YEAR)
        case "delete":
            forget_family(context, FAMILY)
            add(context, album[:5])
        case "undo":
            for one in list_decisions(context, FAMILY)[-1:]:
                with suppress(UndoError):
                    undo(context, FAMILY, one.number, author="test")
        case "embed":
            with context.database.begin() as transaction:
                transaction.execute(
                    text(
                        "UPDATE face_embeddings SET embedding = array_fill(0.05::real, ARRAY[512])::halfvec - embedding"
                    )
                )
        case "confirm" | "reject":
            with context.database.begin() as transaction:
                held = transaction.execute(select(assignments).order_by(assignments.c.face_id).limit(1)).one_or_none()
            if held is not None:
                said = Said(Kind(step), faces=(str(held.face_id),), person=str(held.person_id))
                decide(context, FAMILY, said, author="test")


@pytest.mark.usefixtures("clustered")
def test_a_deleted_family_is_in_no_file_and_one_that_is_asked_for_is_alone_in_it(
    context: Context, tmp_path: Path
) -> None:
    add(context, shots(months=1, a_month=3), family="Tanaka")
    moment = now(context)
    assert {row["family_id"] for row in read(context, Entity.FACE, tmp_path)} == {FAMILY_ID, family_id("Tanaka")}
    assert {row["family_id"] for row in read(context, Entity.FACE, tmp_path, family=FAMILY)} == {FAMILY_ID}
    forget_family(context, FAMILY)
    for entity in Entity:
        assert {row["family_id"] for row in read(context, entity, tmp_path, as_of=moment)} <= {family_id("Tanaka")}


@pytest.mark.usefixtures("clustered")
def test_the_file_says_what_is_in_it_and_lies_in_the_order_of_families(context: Context, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    add(context, shots(months=1, a_month=3), family="Tanaka")
    export_features(context, out, Asked(Entity.FACE, ("age", "embedding")))
    made = json.loads(parquet.read_schema(out).metadata[b"facealbum"])
    assert made["versions"] == {"age": 1, "embedding": 1}
    assert (made["entity"], made["arm"], made["as_of"], made["research_only"]) == ("face", "default", None, False)
    keys = [(row["family_id"], row["face_id"]) for row in parquet.read_table(out).to_pylist()]
    assert keys == sorted(keys)


@pytest.mark.usefixtures("clustered")
def test_an_arrow_file_and_one_of_many_groups_hold_the_same(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Tanaka", "Sato"):
        add(context, shots(months=2, a_month=8), family=name)
    cluster_families(context, YEAR)
    for entity in Entity:
        one, many, arrow = (tmp_path / f"{entity}-{name}" for name in ("one.parquet", "many.parquet", "one.arrow"))
        export_features(context, one, Asked(entity))
        export_features(context, arrow, Asked(entity))
        with monkeypatch.context() as patched:
            patched.setattr(feature_export, "_GROUP", 1)
            export_features(context, many, Asked(entity))
        whole = parquet.read_table(one)
        assert parquet.read_metadata(many).num_row_groups > 1 == parquet.read_metadata(one).num_row_groups
        assert whole.equals(parquet.read_table(many), check_metadata=True)
        with pa.ipc.open_file(arrow) as file:
            assert file.read_all().to_pylist() == whole.to_pylist()
            assert file.schema.metadata == whole.schema.metadata


def test_a_file_that_can_not_be_finished_is_not_there(context: Context, tmp_path: Path) -> None:
    register_family(context, FAMILY)
    with pytest.raises(InvalidValueError, match="features of a person must be among"):
        export_features(context, tmp_path / "out.parquet", Asked(Entity.PERSON, ("shoe_size",)))
    with pytest.raises(UnknownFamilyError):
        export_features(context, tmp_path / "out.parquet", Asked(Entity.PERSON), family="Nobody")
    with pytest.raises(InvalidValueError, match=r"must end in \.parquet or \.arrow, got .*out\.csv"):
        export_features(context, tmp_path / "out.csv", Asked(Entity.PERSON))
    assert list(tmp_path.glob("out*")) == []


def test_a_face_without_a_vector_in_the_space_is_told_of_without_one(context: Context, tmp_path: Path) -> None:
    add(context, shots(months=1, a_month=3))
    with context.database.begin() as transaction:
        transaction.execute(delete(face_embeddings).where(face_embeddings.c.face_id == some_face(context)))
    rows = read(context, Entity.FACE, tmp_path, names=("embedding", "person", "age"))
    assert [row["embedding"] is None for row in rows] == [True] + [False] * (len(rows) - 1)
    assert {row["person"] for row in rows} == {None}


@pytest.mark.parametrize("entity", Entity)
def test_pages_of_the_api_hold_what_the_file_holds(context: Context, tmp_path: Path, entity: Entity) -> None:
    add(context, shots(months=2, a_month=4))
    cluster_families(context, YEAR)
    names = [one.name for one in find_features(entity) if one.name != "embedding"]
    file = [{name: row[name] for name in names} for row in read(context, entity, tmp_path, names)]
    pages, after = [], None
    while page := page_features(context, FAMILY_ID, Asked(entity, names), after=after, limit=2):
        pages += [one.values for one in page]
        after = page[-1].key
    assert pages == file
