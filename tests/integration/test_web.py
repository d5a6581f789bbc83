"""What the HTTP interface takes, refuses and tells; each test talks to the whole application."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
import uvicorn
from fastapi.testclient import TestClient

from facealbum.domain.access import Role
from facealbum.domain.ids import family_id, photo_id
from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.context import open_context
from facealbum.steps.users import add_user
from facealbum.storage.families import save_family
from facealbum.storage.photos import load_known_photos
from facealbum.web import make_app, serve
from facealbum.web.tokens import parse_tokens

MORI, TANAKA = family_id("Mori"), family_id("Tanaka")
PHOTOS, UPLOADS = f"/v1/families/{MORI}/photos", f"/v1/families/{MORI}/uploads"
TOKEN, MORI_S = "a-token-for-everything", "a-token-for-the-moris"


@pytest.fixture
def configuration(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a fresh world with two families."""
    url = database_url.replace("+psycopg2", "")
    settings = Settings(data=tmp_path / "data", database_url=url, object_store=str(tmp_path / "objects"), web_threads=2)
    with open_context(settings) as context, context.database.begin() as transaction:
        for name in ("Mori", "Tanaka"):
            save_family(transaction, name, now=context.clock())
    return settings


@pytest.fixture
def client(configuration: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(configuration)) as opened:
        yield opened


def with_settings(configuration: Settings, **changes: object) -> TestClient:
    return TestClient(make_app(configuration.model_copy(update=changes)))


def files(**named: bytes) -> list[tuple[str, tuple[str, BytesIO]]]:
    return [("files", (f"{name}.jpg", BytesIO(content))) for name, content in named.items()]


def promise(content: bytes, name: str = "a.jpg") -> dict[str, Any]:
    return {"name": name, "sha256": sha256(content).hexdigest(), "bytes": len(content)}


def code(answer: Any, status: int) -> str:  # noqa: ANN401 - a response of whichever httpx there is
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert problem["type"].endswith(problem["code"])
    assert problem["detail"]
    return str(problem["code"])


def test_a_photo_comes_in_and_tells_how_far_it_is(client: TestClient) -> None:
    answer = client.post(PHOTOS, files=files(a=b"a"), data={"taken_at": "2026-10-31T12:00:00"})
    assert answer.status_code == 202
    (file,) = answer.json()["files"]
    photo = file["photo"]
    assert (file["result"], photo["status"], photo["photo_id"]) == (
        "registered",
        "pending",
        str(photo_id(MORI, "a.jpg")),
    )
    assert photo["taken_at"] == "2026-10-31T12:00:00Z"
    assert client.get(f"{PHOTOS}/{photo['photo_id']}").json().items() >= photo.items()


def test_of_several_files_each_tells_what_became_of_it(client: TestClient) -> None:
    answer = client.post(PHOTOS, files=[*files(a=b"a", b=b"b", c=b"a", d=b""), *files(a=b"other")])
    assert answer.status_code == 207
    told = answer.json()["files"]
    assert [one["result"] for one in told] == ["registered", "registered", "duplicate", "failed", "failed"]
    assert [one["problem"]["code"] for one in told[3:]] == ["empty_file", "name_taken"]
    again = client.post(PHOTOS, files=files(a=b"a", b=b"b"), headers={"Idempotency-Key": "1"})
    assert (again.status_code, [one["result"] for one in again.json()["files"]]) == (202, ["known", "known"])


def test_a_photo_that_is_refused_is_a_problem_with_a_code(configuration: Settings) -> None:
    with with_settings(configuration, max_photo_bytes=10) as client:
        client.post(PHOTOS, files=files(a=b"a"))
        assert code(client.post(PHOTOS, files=files(a=b"other")), 409) == "name_taken"
        assert code(client.post(PHOTOS, files=files(b=b"")), 422) == "empty_file"
        assert code(client.post(PHOTOS, files=files(b=b"far too large")), 413) == "image_size"
        assert code(client.post(PHOTOS, files=[("files", ("x" * 201, b"x"))]), 422) == "invalid_value"
        assert code(client.post(PHOTOS, data={"taken_at": "yesterday"}), 422) == "invalid_value"
        assert (
            code(client.post(PHOTOS, files=files(a=b"a"), data={"taken_at": "1850-06-01T12:00:00Z"}), 422)
            == "invalid_value"
        )
        unknown = f"/v1/families/{UUID(int=1)}/photos"
        assert code(client.post(unknown, files=files(a=b"a")), 404) == "unknown_family"
        assert code(client.get(f"{PHOTOS}/{UUID(int=1)}"), 404) == "unknown_photo"
        assert code(client.get("/v1/nothing"), 404) == "not_found"
        assert code(client.put(PHOTOS), 405) == "method_not_allowed"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", None),
        (b"", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"photo", "image/jpeg"),
        (b"--x\r\nno headers", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\ncut',
            "multipart/form-data; boundary=x",
            marks=pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile"),  # which Starlette leaves to be collected
        ),
    ],
)
def test_a_body_that_holds_no_photo_is_a_problem_of_the_client(
    client: TestClient, configuration: Settings, body: bytes, kind: str | None
) -> None:
    answer = client.post(PHOTOS, content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code in {400, 422}, answer.text
    assert code(answer, answer.status_code) in {"bad_request", "invalid_value"}
    assert photos_of(configuration) == []


def test_the_same_photo_in_requests_at_once_is_one(client: TestClient, configuration: Settings) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: client.post(PHOTOS, files=files(**{f"n{n % 2}": b"same"})), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    told = [answer.json()["files"][0] for answer in answers]
    assert sorted(one["result"] for one in told).count("registered") == 1
    assert len({one["photo"]["photo_id"] for one in told}) == 1
    assert len(photos_of(configuration)) == 1


def photos_of(configuration: Settings) -> list[str]:
    with open_context(configuration) as context, context.database.begin() as transaction:
        return [photo.key for photo in load_known_photos(transaction, MORI)]


def test_a_signed_url_takes_no_other_content_and_ends(
    configuration: Settings, s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    with with_settings(configuration, object_store=f"s3://photos/{tmp_path.name}", upload_seconds=2) as client:
        upload = client.post(UPLOADS, json=promise(b"photo")).json()
        assert put(upload["url"], b"other", upload["headers"]) >= 400
        time.sleep(3)
        assert put(upload["url"], b"photo", upload["headers"]) >= 400
        assert code(client.post(f"{UPLOADS}/{upload['upload_id']}/complete"), 409) == "not_uploaded"
        again = client.post(UPLOADS, json=promise(b"photo")).json()
        assert again["upload_id"] == upload["upload_id"]
        assert put(again["url"], b"photo", again["headers"]) == 200
        assert client.post(f"{UPLOADS}/{upload['upload_id']}/complete").json()["result"] == "registered"


def test_one_family_s_photo_is_unknown_to_another(client: TestClient) -> None:
    photo = client.post(PHOTOS, files=files(a=b"a")).json()["files"][0]["photo"]["photo_id"]
    assert code(client.get(f"/v1/families/{TANAKA}/photos/{photo}"), 404) == "unknown_photo"
    other = client.post(f"/v1/families/{TANAKA}/photos", files=files(a=b"a")).json()["files"][0]
    assert other["result"] == "registered"


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_large_request_is_refused_before_it_is_read(configuration: Settings, *, told: bool) -> None:
    with with_settings(configuration, max_request_bytes=1000) as client:
        headers = {"content-type": "multipart/form-data; boundary=x"} | ({"content-length": "600000"} if told else {})
        answer = client.post(PHOTOS, content=iter([b"x" * 600] * 1000), headers=headers)
        assert code(answer, 413) == "request_entity_too_large"


def test_promised_content_is_sent_to_us_where_the_store_signs_nothing(client: TestClient) -> None:
    upload = client.post(UPLOADS, json=promise(b"photo")).json()
    assert code(client.post(f"{UPLOADS}/{upload['upload_id']}/complete"), 409) == "not_uploaded"
    assert code(client.put(upload["url"], content=b"other"), 422) == "wrong_content"
    assert client.put(upload["url"], content=b"photo").json()["result"] == "registered"
    completed = client.post(f"{UPLOADS}/{upload['upload_id']}/complete").json()
    assert completed["result"] == "known"
    assert client.post(UPLOADS, json=promise(b"photo", "b.jpg")).json()["photo"] == completed["photo"]
    assert code(client.post(UPLOADS, json=promise(b"other")), 409) == "name_taken"
    assert code(client.put(f"{UPLOADS}/{UUID(int=1)}", content=b"x"), 404) == "unknown_upload"
    assert code(client.post(UPLOADS, json=promise(b"x") | {"sha256": "none"}), 422) == "invalid_value"


def test_promised_content_goes_to_s3_by_a_signed_url(
    configuration: Settings, s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    with with_settings(configuration, object_store=f"s3://photos/{tmp_path.name}") as client:
        upload = client.post(UPLOADS, json=promise(b"photo") | {"taken_at": "2026-10-31T12:00:00Z"}).json()
        assert put(upload["url"], b"photo", upload["headers"]) == 200
        completed = client.post(f"{UPLOADS}/{upload['upload_id']}/complete").json()
        assert completed["result"] == "registered"
        assert completed["photo"]["taken_at"] == "2026-10-31T12:00:00Z"
        large = b"\0\0\0\x18ftypisom".ljust(9_000_000, b"v")
        assert client.post(PHOTOS, files=files(video=large)).json()["files"][0]["result"] == "registered"


def put(url: str, data: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer."""
    request = Request(url, data=data, method="PUT", headers=dict(headers))  # noqa: S310 - our own server
    try:
        with urlopen(request) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_token_is_needed_where_there_are_some_and_may_be_good_for_one_family(configuration: Settings) -> None:
    with with_settings(configuration, api_tokens=f"{TOKEN}, {MORI_S}={MORI}") as client:
        photo = f"{PHOTOS}/{UUID(int=1)}"
        assert code(client.get(photo), 401) == "unauthorized"
        for wrong in ("Bearer ", "Bearer none", f"Basic {TOKEN}", f"Bearer {MORI_S}={MORI}", "Bearer \u00e9"):
            assert code(client.get(photo, headers={"Authorization": wrong.encode()}), 401) == "unauthorized"
        for token in (TOKEN, MORI_S):
            assert code(client.get(photo, headers={"Authorization": f"Bearer {token}"}), 404) == "unknown_photo"
        for path in (f"/v1/families/{TANAKA}/photos/{UUID(int=1)}", "/v1/families/none/photos", "/v1/"):
            assert code(client.get(path, headers={"Authorization": f"Bearer {MORI_S}"}), 403) == "forbidden"
        refused = client.post(PHOTOS, files=files(a=b"a"))
        assert code(refused, 401) == "unauthorized"
        assert client.get("/healthz").status_code == 200


def test_without_tokens_no_web_page_and_no_other_machine_is_served(configuration: Settings, client: TestClient) -> None:
    assert (
        code(client.post(PHOTOS, files=files(a=b"a"), headers={"Origin": "https://evil.example"}), 403) == "forbidden"
    )
    for host in ("192.0.2.1", "photos.example", "::"):
        with pytest.raises(InvalidValueError, match="FACEALBUM_API_TOKENS"):
            serve(configuration, host, 0)


def test_once_somebody_is_registered_other_machines_are_served(
    configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[str] = []
    monkeypatch.setattr(uvicorn, "run", lambda *_, host, **__: served.append(host))
    with open_context(configuration) as context:
        add_user(context, "ann", Role.ADMIN, password=None, author="test")
    everywhere = "0.0.0.0"  # noqa: S104 - that is the question
    serve(configuration, everywhere, 0)
    assert served == [everywhere]


def test_an_address_that_somebody_listens_on_is_told(configuration: Settings) -> None:
    with create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InvalidValueError, match=f"port {port} must be free"):
            serve(configuration, "127.0.0.1", port)


@pytest.mark.parametrize("tokens", ["short", f"{TOKEN}=no-family", f"{TOKEN},short"])
def test_a_token_that_is_none_is_refused_without_being_told(tokens: str) -> None:
    with pytest.raises(InvalidValueError, match="FACEALBUM_API_TOKENS") as caught:
        parse_tokens(tokens)
    assert TOKEN not in str(caught.value)
    assert len(parse_tokens("c29tZXRoaW5nIHNlY3JldA==\nc29tZXRoaW5nIG90aGVyIHE=")) == 2


def test_a_failure_beyond_the_client_tells_its_code_alone(
    client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "objects" / "families" / str(MORI)).mkdir(parents=True)
    (tmp_path / "objects" / "families" / str(MORI) / "originals").write_text("in the way")
    answer = client.post(PHOTOS, files=files(secret=b"a"))
    assert code(answer, 500) == "storage"
    assert "request_failed" in caplog.text
    assert "secret" not in caplog.text
    assert "secret" not in answer.text
    assert str(tmp_path) not in answer.text


def test_a_mistake_of_ours_tells_nothing(configuration: Settings) -> None:
    app = make_app(configuration)
    with TestClient(app) as client:
        app.state.context = None
        answer = client.post(PHOTOS, files=files(secret=b"a"))
        assert code(answer, 500) == "crashed"
        assert "Traceback" not in answer.text


def test_a_moment_of_any_offset_is_taken_and_one_beyond_the_calendar_refused(client: TestClient) -> None:
    picture = {"files": ("a.jpg", b"a")}
    for moment, status in {"2013-08-29T07:22:57-22:00": 202, "9999-12-31T23:00:00-02:00": 422, "86400": 422}.items():
        assert client.post(PHOTOS, files=picture, data={"taken_at": moment}).status_code == status


def test_the_process_tells_its_health_and_metrics(client: TestClient) -> None:
    client.post(PHOTOS, files=files(a=b"a"))
    assert client.get("/readyz").json() == {"database": "ok", "objects": "ok"}
    assert client.get("/healthz").status_code == 200
    assert 'facealbum_uploads_total{outcome="registered",way="http"}' in client.get("/metrics").text


def test_the_description_names_every_problem_and_gives_examples(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert "Problem" in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method in methods.values():
            assert {"401", "403", "404", "503"} <= set(method["responses"]), path
            assert method["description"]
    assert "example" in json.dumps(described["components"]["schemas"]["NewUpload"])


def test_a_photo_that_came_over_http_is_the_one_of_the_file_s_name(client: TestClient, configuration: Settings) -> None:
    client.post(PHOTOS, files=[("files", ("家族/はな 2歳.jpg", b"photo"))])
    assert photos_of(configuration) == ["家族/はな 2歳.jpg"]
