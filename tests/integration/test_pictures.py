"""Pictures of faces and photos over HTTP: what they show, to whom, and for how long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from sqlalchemy import delete, select, update

from facealbum.domain.access import Role
from facealbum.domain.ids import family_id, photo_id
from facealbum.domain.photos import original_key
from facealbum.storage.face_views import load_views
from facealbum.storage.families import save_family
from facealbum.storage.schema import faces, photos
from tests.clips import Actor, Clip, film, frames, still
from tests.integration.album import FAMILY_ID
from tests.integration.web_album import COLOURS, NOW, SHOTS, album_client, at, new_token

FAMILY = f"/v1/families/{FAMILY_ID}"
PHOTO = photo_id(FAMILY_ID, next(shot.key for shot in SHOTS if len(shot.people) > 1))


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with album_client(database_url, tmp_path) as opened:
        yield opened


def faces_of(client: TestClient, photo: UUID = PHOTO) -> list[UUID]:
    """The faces of the photo from left to right."""
    with at(client, NOW).database.begin() as transaction:
        query = select(faces.c.face_id).where(faces.c.photo_id == photo).order_by(faces.c.number)
        return list(transaction.execute(query).scalars())


def shown(data: bytes) -> NDArray[np.uint8]:
    """uint8[height, width, 3], RGB."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[:, :, ::-1], np.uint8)


def code(client: TestClient, path: str) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.json()["code"]


def test_a_crop_shows_its_face_and_a_thumbnail_the_whole_photo(client: TestClient) -> None:
    for face, colour in zip(faces_of(client), COLOURS, strict=False):
        answer = client.get(f"{FAMILY}/faces/{face}/crop?size=200")
        assert answer.headers["content-type"] == "image/jpeg"
        picture = shown(answer.content)
        assert picture.shape == (200, 200, 3)
        assert np.abs(picture[60:140, 60:140].mean((0, 1)) - colour).max() < 8
    assert shown(client.get(f"{FAMILY}/photos/{PHOTO}/thumbnail?size=400").content).shape == (300, 400, 3)
    assert shown(client.get(f"{FAMILY}/photos/{PHOTO}/thumbnail?size=2048").content).shape == (600, 800, 3)


def test_what_cannot_be_shown_is_a_problem_with_a_code(client: TestClient) -> None:
    face = faces_of(client)[0]
    assert code(client, f"{FAMILY}/faces/{UUID(int=1)}/crop") == (404, "unknown_face")
    assert code(client, f"{FAMILY}/photos/{UUID(int=1)}/thumbnail") == (404, "unknown_photo")
    for size in (0, 31, 513, 10**9):
        assert code(client, f"{FAMILY}/faces/{face}/crop?size={size}") == (422, "invalid_value")
    world = at(client, NOW)
    with world.database.begin() as transaction:
        save_family(transaction, "Tanaka", now=NOW)
        transaction.execute(update(photos).where(photos.c.photo_id == PHOTO).values(status="failed"))
    assert code(client, f"/v1/families/{family_id('Tanaka')}/faces/{face}/crop") == (404, "unknown_face")
    assert code(client, f"{FAMILY}/photos/{PHOTO}/thumbnail") == (409, "not_analysed")
    world.objects.delete(original_key(FAMILY_ID, PHOTO.bytes * 2))
    assert code(client, f"{FAMILY}/faces/{face}/crop") == (404, "object_not_found")


def test_a_picture_is_kept_by_its_viewer_alone_and_is_not_made_again_for_who_has_it(client: TestClient) -> None:
    path = f"{FAMILY}/faces/{faces_of(client)[0]}/crop"
    answer = client.get(path)
    assert answer.headers["cache-control"] == "private, max-age=3600"
    at(client, NOW).objects.delete(original_key(FAMILY_ID, PHOTO.bytes * 2))
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert client.get(path + "?size=64", headers={"If-None-Match": answer.headers["etag"]}).status_code == 404


def test_a_frame_of_a_video_is_shown_and_of_the_video_the_first_one_with_a_face(client: TestClient) -> None:
    world = at(client, NOW)
    clip = film(Clip([Actor("collins-1998", still(0.25))], frames(3), size=(480, 270)))
    world.objects.put(original_key(FAMILY_ID, PHOTO.bytes * 2), clip)
    face = faces_of(client)[0]
    frame = photo_id(FAMILY_ID, "frame")
    with world.database.begin() as transaction:
        row = transaction.execute(select(photos).where(photos.c.photo_id == PHOTO)).mappings().one()
        given = {"photo_id": frame, "video_id": PHOTO, "frame_ms": 1000, "width": 480, "height": 270}
        transaction.execute(photos.insert().values({**row, "key": "frame", **given}))
        transaction.execute(update(faces).where(faces.c.face_id == face).values(photo_id=frame))
        transaction.execute(delete(faces).where(faces.c.photo_id == PHOTO))
    for photo in (PHOTO, frame):
        picture = shown(client.get(f"{FAMILY}/photos/{photo}/thumbnail").content)
        assert picture.shape == (270, 480, 3)
        assert picture[:, :240].std() > 20 > picture[:, 300:].std()
    assert shown(client.get(f"{FAMILY}/faces/{face}/crop").content).shape == (112, 112, 3)


def test_a_signed_url_shows_its_picture_without_a_token_until_it_expires(client: TestClient) -> None:
    crop = client.get(f"{FAMILY}/photos/{PHOTO}").json()["faces"][0]["crop"]
    thumbnail = client.get(f"{FAMILY}/photos/{PHOTO}").json()["thumbnail"]
    del client.headers["Authorization"]
    for url in (crop, crop + "&size=64", thumbnail):
        assert client.get(url).headers["content-type"] == "image/jpeg"
    until = NOW.replace(minute=0) + timedelta(hours=2)
    at(client, until - timedelta(seconds=1))
    assert client.get(crop).status_code == 200
    at(client, until)
    assert code(client, crop) == (401, "unauthorized")


def test_a_signed_url_is_good_for_its_picture_alone(client: TestClient) -> None:
    first, *_ = client.get(f"{FAMILY}/photos/{PHOTO}").json()["faces"]
    url = urlsplit(first["crop"])
    given = {name: value for name, (value,) in parse_qs(url.query).items()}
    del client.headers["Authorization"]
    wrong = {"viewer": ("user ann", ""), "until": ("9999999999", "x", "-1"), "signature": ("x", "\u00e9")}
    for changed in ({name: value} for name, values in wrong.items() for value in values):
        assert client.get(url.path, params=given | changed).status_code == 401, changed
    for other in (f"{FAMILY}/faces/{faces_of(client)[1]}/crop", f"{FAMILY}/photos/{PHOTO}/thumbnail", FAMILY):
        assert client.get(other, params=given).status_code == 401
    assert client.get(url.path, params=given).status_code == 200
    assert client.post(url.path, params=given).status_code == 401


def test_a_view_by_a_signed_url_is_on_record_as_of_whom_it_was_signed_for(client: TestClient) -> None:
    world = at(client, NOW)
    client.headers["Authorization"] = f"Bearer {new_token(world, 'shop', Role.VIEWER, family='Mori')}"
    url = client.get(f"{FAMILY}/photos/{PHOTO}").json()["faces"][0]["crop"]
    del client.headers["Authorization"]
    later = at(client, NOW + timedelta(hours=1))
    assert client.get(url).status_code == 200
    with later.database.begin() as transaction:
        views = load_views(transaction, FAMILY_ID)
    assert (views[0].viewer, views[0].hour) == ("token shop", NOW.replace(minute=0) + timedelta(hours=1))
