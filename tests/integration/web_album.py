"""The whole application before an album of synthetic people, each photo of which is a picture to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from fastapi.testclient import TestClient

from facealbum.domain.access import Role
from facealbum.domain.ids import photo_id
from facealbum.domain.months import Month
from facealbum.domain.photos import original_key
from facealbum.settings import Settings
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.users import create_token
from facealbum.web import make_app
from tests.integration.album import FAMILY_ID, Shot, add, shots

NOW = datetime(2026, 11, 1, 12, 20, tzinfo=UTC)
SHOTS = shots(months=3, a_month=8)
COLOURS = ((250, 40, 40), (40, 250, 40), (40, 40, 250))  # of the faces of a photo from left to right, RGB


def open_client(database_url: str, folder: Path) -> TestClient:
    """The application over this database, with its objects in the folder; to be entered."""
    settings = Settings(
        data=folder / "data",
        database_url=database_url.replace("+psycopg2", ""),
        object_store=str(folder / "objects"),
        web_threads=2,
        processes=1,
    )
    return TestClient(make_app(settings), follow_redirects=False)


@contextmanager
def album_client(database_url: str, folder: Path) -> Iterator[TestClient]:
    """A client of everything, by the token of an admin, before three clustered months; `at` changes its time."""
    with open_client(database_url, folder) as client:
        world = at(client, NOW)
        add(world, SHOTS)
        for shot in SHOTS:
            store_picture(world, shot)
        cluster_families(world, Month(2026, 3))
        client.headers["Authorization"] = f"Bearer {new_token(world, 'tests', Role.ADMIN)}"
        yield client


def at(client: TestClient, moment: datetime) -> Context:
    """The application's world, in which it is now this moment."""
    state = client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, clock=lambda: moment)
    return state.context  # type: ignore[no-any-return]


def new_token(world: Context, name: str, role: Role, *, family: str | None = None) -> str:
    return create_token(world, name, role, family=family, days=30, author="test")[1]


def store_picture(world: Context, shot: Shot) -> None:
    """A grey photo with a coloured square at each face."""
    pixels = np.full((600, 800, 3), 128, np.uint8)
    for number in range(len(shot.people)):
        left = 40 + 200 * number
        pixels[20:210, left - 20 : left + 140] = COLOURS[number]
    _, data = cv2.imencode(".jpg", pixels[:, :, ::-1])
    world.objects.put(original_key(FAMILY_ID, photo_id(FAMILY_ID, shot.key).bytes * 2), bytes(data))
