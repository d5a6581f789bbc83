"""The monthly job in memory, on which arms are compared, gives the people that the database gives."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from eval.albums import Album, AlbumFace
from eval.months import TrialArm, live_through
from facealbum.clustering import ClusteringParameters, select_nodes
from facealbum.clustering.nodes import CANDIDATES
from facealbum.domain.ids import face_id, photo_id
from facealbum.domain.months import Month
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.storage.nodes import load_nodes
from facealbum.storage.observations import Arm, load_person_faces, load_waiting
from facealbum.storage.schema import arms, assignments
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, draw_face, shots

YEAR = Month(2026, 12)


def arm(context: Context) -> Arm:
    with context.database.begin() as transaction:
        row = transaction.execute(select(arms)).one()
    return Arm(row.arm_id, row.name, row.space_id, row.algorithm, row.parameters)


@pytest.mark.parametrize("algorithm", ["hdbscan", "constrained"])
def test_the_months_lived_through_in_memory_are_those_of_the_database(context: Context, algorithm: str) -> None:
    photos = shots(months=4, a_month=10)
    plan = ArmPlan(algorithm=algorithm)
    cluster_families(context, YEAR, arm=plan)  # makes the arm
    add(context, photos)
    with context.database.begin() as transaction:
        seen = {one.face_id: one for one in load_waiting(transaction, FAMILY_ID, arm(context), before=YEAR.start())}
    detector = default_models().versions["detector"]
    faces = [
        AlbumFace(
            FAMILY,
            shot.key,
            seen[face_id(photo_id(FAMILY_ID, shot.key), detector, number)],
            draw_face(FAMILY_ID, shot.key, number, person),
        )
        for shot in photos
        for number, person in enumerate(shot.people)
    ]
    result = cluster_families(context, YEAR, arm=plan)
    *_, (_, households, _) = live_through(Album(Path(), tuple(faces), {}), TrialArm(algorithm, plan.clustering))
    with context.database.begin() as transaction:
        rows = transaction.execute(select(assignments.c.face_id, assignments.c.person_id)).all()
    assert len(result.runs) == 4
    assert groups(households[FAMILY].person_of.items()) == groups((row.face_id, row.person_id) for row in rows)


def test_a_person_of_very_many_faces_stands_by_those_that_all_of_its_faces_would_choose(context: Context) -> None:
    days = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number // 3) for number in range(CANDIDATES + 40)]
    add(context, [Shot(f"{number:03d}", day, (0,)) for number, day in enumerate(days)])
    cluster_families(context, YEAR)
    parameters = ClusteringParameters.from_dict(arm(context).parameters["clustering"])
    with context.database.begin() as transaction:
        nodes = load_nodes(transaction, FAMILY_ID, arm(context), parameters)
        faces = load_person_faces(transaction, FAMILY_ID, arm(context), nodes[0].person_id, most=1000)
    assert len(faces) == len(days)
    expected = select_nodes(faces, parameters)
    assert [one.observation.face_id for one in nodes] == [one.face_id for one in expected]


def groups(person_of: Iterable[tuple[object, object]]) -> set[frozenset[object]]:
    """Who is together, whatever the persons are called."""
    together: dict[object, set[object]] = defaultdict(set)
    for face, person in person_of:
        together[person].add(face)
    return {frozenset(faces) for faces in together.values()}
