"""What programs read of a family over HTTP, and that they can register one; each test talks to the application."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from facealbum.demo.portraits import load_pixels, load_portraits
from facealbum.domain.access import Role
from facealbum.domain.ids import child_id, family_id, photo_id
from facealbum.steps.albums import list_albums
from facealbum.steps.correct import list_persons
from facealbum.steps.families import list_families
from facealbum.storage.albums import AlbumKind
from facealbum.storage.families import save_family
from facealbum.storage.schema import face_embeddings, faces, photos
from tests.conftest import copied
from tests.integration.album import FAMILY, FAMILY_ID
from tests.integration.web_album import NOW, SHOTS, album_client, at, new_token

MORI, TANAKA = f"/v1/families/{FAMILY_ID}", f"/v1/families/{family_id('Tanaka')}"
KINDS = [kind.value for kind in AlbumKind]


@pytest.fixture(scope="module")
def album(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An album that every test leaves as it was."""
    folder = tmp_path_factory.mktemp("browsed")
    with copied(server, "template", "browsed") as url, album_client(url, folder) as opened:
        with at(opened, NOW).database.begin() as transaction:
            save_family(transaction, "Tanaka", now=NOW)
        yield opened


def every(client: TestClient, path: str, *, limit: int = 5) -> list[dict[str, Any]]:
    """All items of a list, part by part."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        part = client.get(f"{path}?limit={limit}{after}").json()
        assert len(part["items"]) <= limit
        found += part["items"]
        if part["next"] is None:
            return found
        after = f"&after={part['next']}"


def told(client: TestClient, path: str) -> tuple[int, str]:
    return told_by(client.get(path))


def told_by(answer: Any) -> tuple[int, str]:  # noqa: ANN401 - a response of whichever httpx there is
    return answer.status_code, answer.json()["code"]


def test_photos_come_newest_first_with_their_faces(album: TestClient) -> None:
    listed = every(album, f"{MORI}/photos")
    assert {one["name"]: one["faces"] for one in listed} == {shot.key: len(shot.people) for shot in SHOTS}
    assert len(listed) == len(SHOTS)
    assert all(one["taken_at"] >= other["taken_at"] for one, other in pairwise(listed))
    assert {one["status"] for one in listed} == {"analysed"}


def test_a_photo_tells_its_faces_from_left_to_right(album: TestClient) -> None:
    shot = next(shot for shot in SHOTS if len(shot.people) == 3)
    photo = album.get(f"{MORI}/photos/{photo_id(FAMILY_ID, shot.key)}").json()
    assert (photo["name"], photo["width"], photo["height"], photo["problems"]) == (shot.key, 800, 600, [])
    assert [face["box"]["x1"] for face in photo["faces"]] == [40, 240, 440]
    ages = [8.0 * person + 4 for person in shot.people]
    assert [face["age"] for face in photo["faces"]] == ages
    face = photo["faces"][0]
    assert (face["yaw"], face["turned"]) == (0, False)
    assert album.get(f"{MORI}/faces/{face['face_id']}").json() == face


def test_persons_have_the_faces_that_they_are_told_to_have(album: TestClient) -> None:
    persons = every(album, f"{MORI}/persons", limit=3)
    known = {str(one.person_id): one for one in list_persons(at(album, NOW), FAMILY)}
    assert [one["person_id"] for one in persons] == list(known)
    for person in persons:
        same = known[person["person_id"]]
        shown = every(album, f"{MORI}/persons/{person['person_id']}/faces")
        assert {face["person_id"] for face in shown} == {person["person_id"]}
        assert len(shown) == len({face["face_id"] for face in shown}) == person["faces"] == same.faces
        moments = [face["taken_at"] for face in shown]
        assert moments == sorted(moments, reverse=True)
        assert (person["first"], person["last"]) == (moments[-1], moments[0])
        assert album.get(f"{MORI}/persons/{person['person_id']}").json() == person
        assert person["crop"].split("/crop")[0].rpartition("/")[2] in {face["face_id"] for face in shown}


def test_faces_without_a_person_are_those_that_no_person_has(album: TestClient) -> None:
    waiting = {face["face_id"] for face in every(album, f"{MORI}/faces")}
    of_persons = {
        face["face_id"]
        for person in every(album, f"{MORI}/persons")
        for face in every(album, f"{MORI}/persons/{person['person_id']}/faces")
    }
    with at(album, NOW).database.begin() as transaction:
        everybody = {str(face) for face in transaction.execute(select(faces.c.face_id)).scalars()}
    assert waiting | of_persons == everybody
    assert not waiting & of_persons


def test_a_face_tells_why_it_is_where_it_is(album: TestClient) -> None:
    face = every(album, f"{MORI}/persons")[0]
    shown = every(album, f"{MORI}/persons/{face['person_id']}/faces")[0]
    explained = album.get(f"{MORI}/faces/{shown['face_id']}/explanation").json()
    assert explained["face_id"] == shown["face_id"]
    assert explained["why"]
    assert not explained["provisional"]


def test_albums_are_listed_with_their_photos_oldest_first(album: TestClient) -> None:
    listed = every(album, f"{MORI}/albums", limit=2)
    known = {one.title: one for one in list_albums(at(album, NOW), FAMILY)}
    assert {one["title"] for one in listed} == set(known)
    assert listed == sorted(listed, key=lambda one: (KINDS.index(one["kind"]), -one["photos"]))
    for one in listed:
        inside = every(album, f"{MORI}/albums/{one['album_id']}/photos")
        assert (
            len({photo["photo_id"] for photo in inside}) == len(inside) == one["photos"] == known[one["title"]].photos
        )
        moments = [photo["taken_at"] for photo in inside]
        assert moments == sorted(moments)
        assert (one["first"], one["last"]) == (moments[0], moments[-1])
    for key in ("children", "none", str(UUID(int=1))):
        assert told(album, f"{MORI}/albums/{key}/photos") == (404, "unknown_album")


def test_highlights_are_of_the_month_and_show_who_is_asked_for(album: TestClient) -> None:
    best = album.get(f"{MORI}/highlights?month=2026-02&count=5").json()["items"]
    assert len({one["photo_id"] for one in best}) == 5
    assert all(one["taken_at"].startswith("2026-02") for one in best)
    assert len({one["taken_at"] for one in best}) == 5
    assert best[:3] == album.get(f"{MORI}/highlights?month=2026-02&count=3").json()["items"]
    assert album.get(f"{MORI}/highlights?month=2025-01").json() == {"items": []}
    for wrong in ("month=2026-13", "month=", "", "month=2026-02&count=0", "month=2026-02&count=101"):
        assert told(album, f"{MORI}/highlights?{wrong}") == (422, "invalid_value")
    assert told(album, f"{MORI}/highlights?month=2026-02&child={UUID(int=1)}") == (404, "unknown_child")


def test_a_face_is_found_again_with_its_person_first(album: TestClient) -> None:
    for person in every(album, f"{MORI}/persons")[:4]:
        face = every(album, f"{MORI}/persons/{person['person_id']}/faces")[0]["face_id"]
        found = album.post(f"{MORI}/search", json={"face_id": face, "limit": 6}).json()
        assert found["persons"][0]["person_id"] == person["person_id"]
        assert found["persons"][0]["chance"] > 0.9 > max(one["chance"] for one in found["persons"][1:])
        assert {one["face"]["person_id"] for one in found["faces"]} == {person["person_id"]}
        assert face not in {one["face"]["face_id"] for one in found["faces"]}
        similar = [one["similarity"] for one in found["faces"]]
        assert similar == sorted(similar, reverse=True)
        assert len(similar) == 6


def test_a_hidden_person_is_found_no_more(album: TestClient) -> None:
    person = every(album, f"{MORI}/persons")[0]["person_id"]
    face = every(album, f"{MORI}/persons/{person}/faces")[0]["face_id"]
    hidden = album.post(f"{MORI}/decisions", json={"kind": "hide", "person": person}).json()["number"]
    found = album.post(f"{MORI}/search", json={"face_id": face}).json()["persons"]
    assert album.delete(f"{MORI}/decisions/{hidden}").status_code == 200
    assert person not in {one["person_id"] for one in found}
    assert album.post(f"{MORI}/search", json={"face_id": face}).json()["persons"][0]["person_id"] == person


def test_similarities_are_those_of_the_embeddings(album: TestClient) -> None:
    with at(album, NOW).database.begin() as transaction:
        embedding = dict(transaction.execute(select(face_embeddings.c.face_id, face_embeddings.c.embedding)).all())
    vectors = {str(face): np.array(one) for face, one in embedding.items()}
    face = min(vectors)
    others = {other: float(vectors[face] @ vectors[other]) for other in vectors if other != face}
    found = album.post(f"{MORI}/search", json={"face_id": face, "limit": 100}).json()
    assert {one["face"]["face_id"]: one["similarity"] for one in found["faces"]} == pytest.approx(others, abs=2e-3)
    assert told_by(album.post(f"{MORI}/search", json={"face_id": str(UUID(int=1))})) == (404, "unknown_face")
    assert told_by(album.post(f"{TANAKA}/search", json={"face_id": face})) == (404, "unknown_face")
    assert told_by(album.post(f"{MORI}/search", json={"face_id": face, "limit": 101})) == (422, "invalid_value")


def test_a_picture_is_searched_by_its_largest_face_and_forgotten(album: TestClient) -> None:
    portrait = cv2.imencode(".png", load_pixels(load_portraits()[0].key)[:, :, ::-1])[1].tobytes()
    found = album.post(f"{MORI}/search/picture", files={"file": ("a.jpg", portrait)}).json()
    assert found["faces_in_picture"] == 1
    assert len(found["faces"]) == 20
    assert max(one["chance"] for one in found["persons"]) < 0.05
    for wrong, problem in ((b"", "empty_file"), (b"none", "unknown_format"), (b"\x89PNG\r\n\x1a\n", "damaged_image")):
        answer = album.post(f"{MORI}/search/picture", files={"file": ("a.jpg", wrong)})
        assert told_by(answer) == (422, problem)
    assert len(every(album, f"{MORI}/photos", limit=200)) == len(SHOTS)


def test_nothing_of_one_family_is_known_to_another(album: TestClient) -> None:
    face = album.get(f"{MORI}/persons?limit=1").json()["items"][0]["crop"].split("/")[5]
    person = album.get(f"{MORI}/persons?limit=1").json()["items"][0]["person_id"]
    photo = photo_id(FAMILY_ID, SHOTS[0].key)
    for family, found in ((TANAKA, None), (f"/v1/families/{UUID(int=1)}", "unknown_family")):
        assert told(album, f"{family}/photos/{photo}") == (404, found or "unknown_photo")
        assert told(album, f"{family}/persons/{person}") == (404, found or "unknown_person")
        assert told(album, f"{family}/persons/{person}/faces") == (404, found or "unknown_person")
        assert told(album, f"{family}/faces/{face}") == (404, found or "unknown_face")
        assert told(album, f"{family}/faces/{face}/explanation") == (404, found or "unknown_face")
    for thing in ("albums", "photos", "persons", "faces", "children"):
        assert album.get(f"{TANAKA}/{thing}").json() == {"items": [], "next": None}
        assert told(album, f"/v1/families/{UUID(int=1)}/{thing}") == (404, "unknown_family")


def test_a_cursor_that_no_list_gave_is_refused(album: TestClient) -> None:
    after = album.get(f"{MORI}/photos?limit=1").json()["next"]
    for wrong in ("", "none", "é", after[:-3], after + "x", "W10"):
        assert told(album, f"{MORI}/photos?after={wrong}") == (422, "invalid_value")
    for limit in (0, 201, "many"):
        assert told(album, f"{MORI}/photos?limit={limit}") == (422, "invalid_value")


def test_every_answer_to_a_get_has_an_etag_that_spares_sending_it_again(album: TestClient) -> None:
    for path in (MORI, f"{MORI}/photos", f"{MORI}/persons", "/v1/families"):
        answer = album.get(path)
        assert answer.headers["cache-control"] == "private, no-cache"
        for given in (answer.headers["etag"], f'"other", W/{answer.headers["etag"]}', "*"):
            again = album.get(path, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == answer.headers["etag"]
        assert album.get(path, headers={"If-None-Match": '"other"'}).json() == answer.json()
    assert "etag" not in album.get(f"{MORI}/photos/{UUID(int=1)}").headers
    other = album.get(f"{MORI}/photos", headers={"If-None-Match": album.get(f"{MORI}/persons").headers["etag"]})
    assert other.status_code == 200


def test_families_are_listed_and_a_family_s_own_token_is_told_that_one_alone(album: TestClient) -> None:
    listed = every(album, "/v1/families", limit=1)
    assert [one["family_id"] for one in listed] == sorted(str(one) for one in (FAMILY_ID, family_id("Tanaka")))
    assert {one["name"] for one in listed} == {"Mori", "Tanaka"}
    own = {"Authorization": f"Bearer {new_token(at(album, NOW), 'own', Role.VIEWER, family='Tanaka')}"}
    (only,) = album.get("/v1/families", headers=own).json()["items"]
    assert only["name"] == "Tanaka"
    assert album.get(MORI).json()["photos"] == {"analysed": len(SHOTS)}


def test_a_family_is_registered_once_and_deleted_for_ever(album: TestClient) -> None:
    first = album.post("/v1/families", json={"name": " Sato "})
    again = album.post("/v1/families", json={"name": "Sato"})
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    sato = first.headers["location"]
    assert sato == f"/v1/families/{family_id('Sato')}"
    assert album.post("/v1/families", json={"name": ""}).status_code == 422
    assert album.post(f"{sato}/photos", files={"files": ("a.jpg", b"a")}).status_code == 202
    assert album.delete(sato).status_code == 204
    assert told(album, sato) == (404, "unknown_family")
    assert album.delete(sato).status_code == 404
    world = at(album, NOW)
    assert not list(world.objects.keys(f"families/{family_id('Sato')}/"))
    with world.database.begin() as transaction:
        left = select(photos.c.photo_id).where(photos.c.family_id == family_id("Sato"))
        assert transaction.execute(left).first() is None


def test_a_family_is_shown_under_another_name_and_found_by_its_first_one_and_its_id(album: TestClient) -> None:
    tag = album.get(TANAKA).headers["etag"]
    renamed = album.patch(TANAKA, json={"name": " Suzuki "}, headers={"If-Match": tag})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Suzuki")
    assert album.get(TANAKA, headers={"If-None-Match": renamed.headers["etag"]}).status_code == 304
    late = album.patch(TANAKA, json={"name": "Ito"}, headers={"If-Match": f'W/{tag}, "other"'})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert album.patch(TANAKA, json={"name": " "}).status_code == 422
    assert album.post("/v1/families", json={"name": "Tanaka"}).json() == {
        "family_id": str(family_id("Tanaka")),
        "name": "Suzuki",
    }
    for name in ("Tanaka", str(family_id("Tanaka"))):
        assert [one.name for one in list_families(at(album, NOW), name)] == ["Suzuki"]
    assert album.patch(TANAKA, json={"name": "Tanaka"}).status_code == 200


def test_a_child_is_corrected_only_as_it_was_read(album: TestClient) -> None:
    hana = {"name": "Hana", "birth_date": "2019-04-02", "gender": "female"}
    mine = album.post(f"{TANAKA}/children", json=hana).headers["location"]
    tag = {"If-Match": album.get(mine).headers["etag"]}
    first = album.patch(mine, json={"birth_date": "2019-04-12"}, headers=tag)
    assert first.status_code == 200
    assert album.patch(mine, json={"gender": "male"}, headers=tag).status_code == 412
    assert album.get(mine).json() == hana | {"child_id": first.json()["child_id"], "birth_date": "2019-04-12"}
    assert album.patch(mine, json={"gender": "male"}, headers={"If-Match": first.headers["etag"]}).status_code == 200
    assert album.patch(mine, json={"gender": "female"}, headers={"If-Match": "*"}).status_code == 200
    assert album.delete(mine).status_code == 204
    assert told(album, mine) == (404, "unknown_child")


def test_children_are_registered_corrected_and_removed(album: TestClient) -> None:
    hana = {"name": "Hana", "birth_date": "2019-04-02", "gender": "female"}
    path = f"{TANAKA}/children"
    added = album.post(path, json=hana)
    assert (added.status_code, added.json()["child_id"]) == (201, str(child_id(family_id("Tanaka"), "Hana")))
    assert album.post(path, json=hana).status_code == 200
    assert album.post(path, json=hana | {"gender": "male"}).json()["code"] == "name_taken"
    assert album.post(path, json={"name": "Riku", "birth_date": "2016-01-01"}).status_code == 201
    assert [one["name"] for one in every(album, path, limit=1)] == ["Riku", "Hana"]
    mine = added.headers["location"]
    assert album.patch(mine, json={"name": "Riku"}).json()["code"] == "name_taken"
    for wrong in ("2030-01-01", 86400, "86400"):
        assert album.patch(mine, json={"birth_date": wrong}).json()["code"] == "invalid_value"
    changed = album.patch(mine, json={"name": "Hanako", "birth_date": "2019-04-12"}).json()
    assert changed == added.json() | {"name": "Hanako", "birth_date": "2019-04-12"}
    assert album.post(path, json=hana).json()["code"] == "name_taken"
    assert album.patch(f"{path}/{UUID(int=1)}", json={}).json()["code"] == "unknown_child"
    assert album.delete(mine).status_code == 204
    assert album.delete(mine).status_code == 404
    assert [one["name"] for one in every(album, path)] == ["Riku"]
    assert album.delete(f"{path}/{child_id(family_id('Tanaka'), 'Riku')}").status_code == 204
