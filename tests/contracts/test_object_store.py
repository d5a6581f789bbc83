"""What every object store guarantees, checked on a local folder and on a real S3 server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from facealbum.errors import InvalidValueError, ObjectNotFoundError, StorageError
from facealbum.storage.objects import ObjectStore, open_object_store

WRITER = """
import sys
from facealbum.storage.objects import open_object_store

store = open_object_store(sys.argv[1])
for number in range(1000):
    store.put(f"family/{number}", bytes([number % 256]) * 3_000_000)
    print(number, flush=True)
"""


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store."""
    if request.param == "folder":
        return str(tmp_path / "objects")
    for name, value in request.getfixturevalue("s3_server").items():
        monkeypatch.setenv(name, value)
    return f"s3://photos/{tmp_path.name}"


@pytest.fixture
def store(url: str) -> Iterator[ObjectStore]:
    opened = open_object_store(url)
    yield opened
    for key in list(opened.keys("")):
        opened.delete(key)


def test_an_object_comes_back_byte_for_byte(store: ObjectStore) -> None:
    data = bytes(range(256)) * 32768  # 8 MB
    store.put("family/photo.jpg", data)
    assert store.get("family/photo.jpg") == data
    assert store.exists("family/photo.jpg")


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("family/empty", b"")
    assert store.get("family/empty") == b""
    assert store.exists("family/empty")


@pytest.mark.parametrize("key", ["家族/はな 2歳.jpg", "a+b/c%20d&e=f?.jpg", "ä'\"(1)#~*", "x" * 255])
def test_a_key_may_hold_any_printable_character(store: ObjectStore, key: str) -> None:
    store.put(key, b"photo")
    assert store.get(key) == b"photo"
    assert list(store.keys("")) == [key]
    store.delete(key)
    assert not store.exists(key)


def test_a_second_put_replaces_the_first(store: ObjectStore) -> None:
    store.put("family/photo", b"a longer first object")
    store.put("family/photo", b"second")
    assert store.get("family/photo") == b"second"
    assert list(store.keys("")) == ["family/photo"]


def test_a_missing_object_is_an_error_of_its_own(store: ObjectStore) -> None:
    store.put("family/photo", b"1")
    for key in ("family/other", "family", "other/photo", "family/photo/part"):
        assert not store.exists(key)
        with pytest.raises(ObjectNotFoundError, match=key):
            store.get(key)


def test_deleting_twice_is_the_same_as_once(store: ObjectStore) -> None:
    store.put("family/photo", b"1")
    for _ in range(2):
        store.delete("family/photo")
        assert not store.exists("family/photo")
    assert list(store.keys("")) == []


def test_a_prefix_need_not_end_at_a_slash(store: ObjectStore) -> None:
    keys = ["fam/1", "fam/12/a", "fam/2", "family/1", "fa"]
    for key in keys:
        store.put(key, b"1")
    assert set(store.keys("")) == set(keys)
    assert set(store.keys("fam")) == {"fam/1", "fam/12/a", "fam/2", "family/1"}
    assert set(store.keys("fam/")) == {"fam/1", "fam/12/a", "fam/2"}
    assert set(store.keys("fam/1")) == {"fam/1", "fam/12/a"}
    assert set(store.keys("none/")) == set()
    assert store.delete_prefix("fam/1") == 2
    assert set(store.keys("")) == {"fam/2", "family/1", "fa"}


def test_more_objects_than_one_page_are_listed_and_deleted(store: ObjectStore) -> None:
    expected = {f"big/{number:04}" for number in range(1100)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b"1"), expected))
    store.put("other", b"1")
    assert set(store.keys("big/")) == expected
    assert store.delete_prefix("big/") == 1100
    assert store.delete_prefix("big/") == 0
    assert list(store.keys("")) == ["other"]


@pytest.mark.parametrize("prefix", ["", "/", "../", "family//", "./"])
def test_a_deletion_needs_a_prefix_that_keys_can_have(store: ObjectStore, prefix: str) -> None:
    store.put("family/photo", b"1")
    with pytest.raises(InvalidValueError):
        store.delete_prefix(prefix)
    assert store.exists("family/photo")


@pytest.mark.parametrize(
    "key",
    ["", "/", "/etc/passwd", "..", "a/../b", "a//b", "a/", ".put-x", "a/.b", "a\\b", "a\0b", "a\nb", "\ud800"],
)
def test_a_key_that_some_store_can_not_hold_is_refused_by_all(store: ObjectStore, key: str) -> None:
    for use in (store.get, store.exists, store.delete, lambda key: store.put(key, b"1")):
        with pytest.raises(InvalidValueError, match="key"):
            use(key)


@pytest.mark.parametrize("key", ["x" * 256, "は" * 86, "y/" * 450 + "y"], ids=len)
def test_a_key_that_is_too_long_for_some_store_is_refused_by_all(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidValueError, match="at most 900 bytes"):
        store.put(key, b"1")


def test_a_reader_sees_one_of_two_writers_whole(store: ObjectStore) -> None:
    objects = [bytes([number]) * 500_000 for number in range(2)]
    store.put("family/photo", objects[0])
    with ThreadPoolExecutor(2) as pool:
        writes = [pool.submit(store.put, "family/photo", data) for data in objects * 10]
        while not all(write.done() for write in writes):
            assert store.get("family/photo") in objects
        assert [write.result() for write in writes] == [None] * 20
    assert list(store.keys("")) == ["family/photo"]


def test_a_writer_and_a_deleter_of_one_folder_do_not_disturb_each_other(store: ObjectStore) -> None:
    with ThreadPoolExecutor(2) as pool:
        deletes = pool.submit(lambda: [store.delete_prefix("family/") for _ in range(50)])
        for number in range(50):
            store.put(f"family/{number}/photo", b"1")
        deletes.result()
    store.put("family/last/photo", b"1")
    assert store.get("family/last/photo") == b"1"


def test_a_killed_writer_leaves_whole_objects_and_nothing_else(store: ObjectStore, url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        reported = [int(writer.stdout.readline()) for _ in range(3)]
        os.kill(writer.pid, signal.SIGKILL)
    found = {int(key.removeprefix("family/")) for key in store.keys("family/")}
    assert found >= set(reported)
    for number in found:
        assert store.get(f"family/{number}") == bytes([number % 256]) * 3_000_000
    assert store.delete_prefix("family/") == len(found)
    assert list(store.keys("")) == []


def test_a_store_says_where_it_is_and_names_the_key_of_a_failure(store: ObjectStore) -> None:
    assert store.describe()
    store.put("family/photo", b"1")
    with pytest.raises(StorageError, match="family/nobody") as caught:
        store.get("family/nobody")
    assert caught.value.code == "object_not_found"


def test_a_file_is_stored_and_read_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000  # 5 MB
    (tmp_path / "video").write_bytes(data)
    with (tmp_path / "video").open("rb") as file:
        file.read(64)
        store.put_file("family/video", file, sha256=sha256(data).digest())
    parts = list(store.chunks("family/video"))
    assert b"".join(parts) == data
    assert len(parts) > 1


def test_a_file_that_changed_since_it_was_hashed_is_refused(store: ObjectStore) -> None:
    with pytest.raises(StorageError, match="family/video"):
        store.put_file("family/video", BytesIO(b"other"), sha256=sha256(b"hashed").digest())
    assert list(store.keys("")) == []


def test_the_parts_of_a_missing_object_are_an_error(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError, match="family/nobody"):
        list(store.chunks("family/nobody"))


def test_a_state_tells_size_and_time_and_changes_with_every_put(store: ObjectStore) -> None:
    assert store.head("family/photo") is None
    store.put("family/photo", b"first")
    first = store.head("family/photo")
    assert first is not None
    assert first.size == 5
    assert first.modified.tzinfo is not None
    store.put("family/photo", b"other")
    second = store.head("family/photo")
    assert second is not None
    assert second.mark != first.mark


def test_what_was_put_anew_is_not_deleted_by_its_old_mark(store: ObjectStore) -> None:
    store.put("family/photo", b"first")
    first = store.head("family/photo")
    assert first is not None
    store.put("family/photo", b"second")
    second = store.head("family/photo")
    assert second is not None
    store.delete("family/photo", mark=first.mark)
    assert store.get("family/photo") == b"second"
    for _ in range(2):
        store.delete("family/photo", mark=second.mark)
        assert not store.exists("family/photo")


def test_a_signed_url_takes_the_promised_content_and_no_other(store: ObjectStore) -> None:
    data, other = b"promised content", b"another content!"
    signed = store.presign_put("family/a b+c", sha256=sha256(data).digest(), size=len(data), seconds=60)
    if signed is None:
        assert store.describe().startswith("folder")
        return
    assert put(signed.url, other, signed.headers) == 400
    assert put(signed.url, data + b"!", {**signed.headers, "content-length": "17"}) == 403
    assert put(signed.url, data, {}) == 403
    assert not store.exists("family/a b+c")
    assert put(signed.url, data, signed.headers) == 200
    assert store.get("family/a b+c") == data
    state = store.head("family/a b+c")
    assert state is not None
    assert state.sha256 == sha256(data).digest()


def put(url: str, data: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer."""
    request = Request(url, data=data, method="PUT", headers=dict(headers))  # noqa: S310 - our own server
    try:
        with urlopen(request) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
