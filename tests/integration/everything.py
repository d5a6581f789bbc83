"""A world that has one of everything, so that each route of the application can be asked about something real."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from eval.annotation import Kind as SampleKind
from facealbum.domain.access import Role
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import PersonId, child_id, family_id, photo_id
from facealbum.domain.messages import ClusterFamily
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.domain.photos import Problem
from facealbum.pipelines.tracking import experiment_of, open_tracking
from facealbum.steps.annotation import Wanted, draw_sample, load_sample
from facealbum.steps.arms import create_arm
from facealbum.steps.batches import start_batch, work_through
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_persons
from facealbum.steps.dashboard import refresh
from facealbum.steps.experiments import Draft, create_experiment
from facealbum.steps.outbox import park
from facealbum.steps.review import review_family
from facealbum.steps.uploads import promise_upload
from facealbum.steps.users import add_user, create_token
from facealbum.storage.families import save_child, save_family
from facealbum.storage.people import load_arm_id, load_named_faces
from facealbum.storage.photos import save_problems
from facealbum.storage.schema import runs
from facealbum.storage.searches import save_search
from facealbum.storage.serving import load_served_arm
from tests.integration.album import FAMILY, FAMILY_ID
from tests.integration.web_album import NOW, SHOTS

MARCH = Month(2026, 3)
OTHER = family_id("Tanaka")

Places = Mapping[str, str]
"""What stands in each place of a path, by the part before it and the parameter."""


@dataclass(frozen=True)
class Everything:
    """The application before a world that has one of everything, and what stands in the places of its paths."""

    client: TestClient
    places: Places

    @property
    def app(self) -> FastAPI:
        return self.client.app  # type: ignore[return-value]


@dataclass(frozen=True)
class Filled:
    """Such a world as a database to copy, with its objects and the token of an admin."""

    database: str
    folder: Path
    places: Places
    token: str


def fill(client: TestClient) -> Places:
    """Have one of everything beside the album; tells the ids."""
    world: Context = client.app.state.context  # type: ignore[attr-defined]
    with world.database.begin() as transaction:
        save_family(transaction, "Tanaka", now=NOW)
        child = Child(child_id(FAMILY_ID, "Aoi"), "Aoi", date(2022, 1, 5), Gender.FEMALE)
        save_child(transaction, FAMILY_ID, child, now=NOW)
        photo = photo_id(FAMILY_ID, SHOTS[0].key)
        save_problems(transaction, FAMILY_ID, [Problem(photo, "analysis", "damaged_image", "of a test")], now=NOW)
    work_through(world, start_batch(world, MARCH))
    refresh(world)
    create_arm(world, "stricter", algorithm="constrained", changes={"similarity": 0.3}, author="test")
    shares = (("default", 0.5), ("stricter", 0.5))
    create_experiment(world, Draft("sharper", "shadow", shares, "breakage", 0.01, 2, families=10), author="test")
    draw_sample(world, Wanted("first", SampleKind.FACES, 10, 7))
    add_user(world, "ann", Role.ADMIN, password=None, author="test")
    add_user(world, "ben", Role.VIEWER, password=None, author="test")
    create_token(world, "shop", Role.VIEWER, family=None, days=30, author="test")
    park(world, "clustering", ClusterFamily(FAMILY_ID, MARCH).to_json(), error=("killed", "by a test"), attempts=5)
    person, other, *_ = (str(one.person_id) for one in list_persons(world, FAMILY))
    number = decide(world, FAMILY, Said(Kind.NAME, person=person, name="Grandpa"), author="test").number
    upload = promise_upload(world, FAMILY_ID, "new.jpg", (b"\7" * 32, 4), taken_at=None).upload_id
    plan = {"trials": 9, "seed": 0, "families": 10, "held_out": 0.5, "through": "2026-02"}
    base = {"arm": "default", "space": "fused-512", "space_id": 1, "algorithm": "constrained", "parameters": {}}
    with world.database.begin() as transaction:
        save_search(transaction, "wider", base=base, plan=plan, author="test", now=NOW)
        arm = load_arm_id(transaction, load_served_arm(transaction, FAMILY_ID))
        run = transaction.execute(select(runs.c.run_id).where(runs.c.family_id == FAMILY_ID)).scalars().first()
        face = load_named_faces(transaction, FAMILY_ID, arm, PersonId(UUID(person)))[0].face_id
    return {
        "families/{family_id}": str(FAMILY_ID),
        "photos/{photo_id}": str(photo),
        "uploads/{upload_id}": str(upload),
        "persons/{person_id}": person,
        "persons/{other_id}": other,
        "faces/{face_id}": str(face),
        "links/{person_id}": person,
        "albums/{album_id}": person,
        "children/{child_id}": str(child.child_id),
        "decisions/{number}": str(number),
        "review/{question_id}": str(review_family(world, FAMILY_ID, limit=1).questions[0].question_id),
        "runs/{number}": "1",
        "{number}/{change}": "pause",
        "{name}/{action}": "start",
        "labels/{run_id}": str(run),
        "{run_id}/{person_id}": person,
        "experiments/{name}": "sharper",
        "arms/{name}": "stricter",
        "versions/{model_id}": "1",
        "diff/{other_id}": "2",
        "searches/{name}": "wider",
        "samples/{name}": "first",
        "annotation/{sample}": "first",
        "items/{item_id}": str(load_sample(world, "first")[1][0].item_id),
        "users/{name}": "ben",
        "tokens/{name}": "shop",
        "metrics/{metric}": "breakage",
        "models/{model_id}": "1",
        "pipelines/{run}": record_run(world),
        "plots/{name}": "metrics.png",
    }


def record_run(world: Context) -> str:
    """A run of a training on record that has one figure, with its plot, and goes on; tells its id."""
    client = open_tracking(world.settings)
    tags = {"facealbum.source": "confirmed", "facealbum.code": "0.1.0"}
    experiment = experiment_of(client, "calibrator", world.settings)
    run = str(client.create_run(experiment, start_time=0, tags=tags).info.run_id)
    ends = {"value": 1.5, "low": 1.4, "high": 1.6}
    figures = {"age_error": {**ends, "n": 9, "baseline": ends, "difference": ends, "better": None}}
    client.log_dict(run, figures, "metrics.json")
    with TemporaryDirectory() as folder:
        plot = Path(folder) / "metrics.png"
        plot.write_bytes(b"\x89PNG of a test")
        client.log_artifact(run, str(plot), "plots")
    return run


def path_of(template: str, places: Places) -> str:
    """The path with something real in each place."""
    parts = template.split("/")
    pairs = [(before, part) for before, part in zip(["", *parts], parts, strict=False)]
    for before, part in pairs:
        named = not part.startswith("{") or f"{before}/{part}" in places
        assert named, f"add what stands in {before}/{part} of {template} to `fill` in tests/integration/everything.py"
    return "/".join(places.get(f"{before}/{part}", part) for before, part in pairs)
