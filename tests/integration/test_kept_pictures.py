"""Pictures that were made once are kept beside their originals, and go with them, whatever happens at the same time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from facealbum.domain.ids import photo_id
from facealbum.domain.photos import family_prefix, original_key
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family
from facealbum.steps.photos import forget_lost_photo, forget_photo
from facealbum.storage.database import Transaction
from facealbum.storage.pictures import hold_upload, pictures_prefix
from facealbum.storage.schema import faces
from tests.integration.album import FAMILY_ID
from tests.integration.web_album import NOW, SHOTS, album_client, at

SHOT = next(shot for shot in SHOTS if shot.people)
CONTENT = photo_id(FAMILY_ID, SHOT.key).bytes * 2
DELETIONS: dict[str, Callable[[Context], object]] = {
    "photo": lambda world: forget_photo(world, "Mori", SHOT.key),
    "lost photo": lambda world: forget_lost_photo(world, FAMILY_ID, CONTENT),
    "family": lambda world: forget_family(world, "Mori"),
}


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with album_client(database_url, tmp_path) as opened:
        yield opened


def crop_of(world: Context) -> str:
    with world.database.begin() as transaction:
        query = select(faces.c.face_id).where(faces.c.photo_id == photo_id(FAMILY_ID, SHOT.key), faces.c.number == 0)
        face: UUID = transaction.execute(query).scalar_one()
    return f"/v1/families/{FAMILY_ID}/faces/{face}/crop"


def kept(world: Context) -> list[str]:
    return list(world.objects.keys(pictures_prefix(FAMILY_ID)))


def test_a_picture_is_made_once_in_each_size_that_is_kept(client: TestClient) -> None:
    world = at(client, NOW)
    crop = crop_of(world)
    first = {size: client.get(f"{crop}?size={size}").content for size in (112, 256, 113)}
    assert len(kept(world)) == 2
    world.objects.delete(original_key(FAMILY_ID, CONTENT))
    assert [client.get(f"{crop}?size={size}").content == first[size] for size in (112, 256)] == [True, True]
    assert client.get(f"{crop}?size=113").status_code == 404


@pytest.mark.parametrize("what", DELETIONS)
def test_pictures_go_with_what_they_show(client: TestClient, what: str) -> None:
    world = at(client, NOW)
    assert client.get(crop_of(world)).status_code == 200
    assert kept(world)
    if what == "lost photo":
        world.objects.delete(original_key(FAMILY_ID, CONTENT))
    DELETIONS[what](world)
    assert not kept(world)
    assert what != "family" or not list(world.objects.keys(family_prefix(FAMILY_ID)))


@pytest.mark.parametrize("what", DELETIONS)
def test_a_picture_that_is_being_kept_while_its_photo_is_deleted_goes_too(client: TestClient, what: str) -> None:
    world = at(client, NOW)
    world.objects.delete(original_key(FAMILY_ID, CONTENT))
    with ThreadPoolExecutor(1) as thread:
        with world.database.begin() as transaction:
            assert hold_upload(transaction, FAMILY_ID, CONTENT)
            deletion = thread.submit(DELETIONS[what], world)
            wait_until_somebody_waits_for(transaction)
            world.objects.put(f"{pictures_prefix(FAMILY_ID, CONTENT)}late", b"late")
        deletion.result(60)
    assert not kept(world)
    with world.database.begin() as transaction:
        assert not hold_upload(transaction, FAMILY_ID, CONTENT)


def wait_until_somebody_waits_for(transaction: Transaction) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if transaction.execute(waiting).scalar_one():
            return
    pytest.fail("nobody waits")
