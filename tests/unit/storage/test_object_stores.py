"""What is particular to the folder of objects and to the client of S3."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facealbum.errors import InvalidValueError, ObjectStoreUnavailableError, StorageError
from facealbum.storage.objects import LocalObjectStore, S3ObjectStore, open_object_store

STUCK_WRITER = """
import os, signal, sys
from pathlib import Path
from facealbum.storage.objects import LocalObjectStore

def stuck(descriptor):
    print("writing", flush=True)
    signal.pause()

store = LocalObjectStore(Path(sys.argv[1]))
store.put("family/first", b"1")
os.fsync = stuck
store.put("family/second", b"2")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> LocalObjectStore:
    return LocalObjectStore(root)


def test_an_unfinished_object_is_no_key_and_goes_once_its_writer_is_dead(store: LocalObjectStore, root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK_WRITER, root], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert list(store.keys("")) == ["family/first"]
        assert store.delete_prefix("family/first") == 1
        assert len(list((root / "family").iterdir())) == 1, "the file of a living writer was removed"
        writer.kill()
    assert list(store.keys("")) == []
    assert store.delete_prefix("family/") == 0
    assert list(root.iterdir()) == []


def test_objects_are_private_to_their_owner(store: LocalObjectStore, root: Path) -> None:
    store.put("family/month/photo", b"1")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}
    assert modes == {"objects": 0o700, "family": 0o700, "month": 0o700, "photo": 0o600}


def test_a_folder_goes_with_its_last_object(store: LocalObjectStore, root: Path) -> None:
    for key in ("family/a/1", "family/a/2", "family/b/1"):
        store.put(key, b"1")
    store.delete("family/a/1")
    assert (root / "family" / "a").is_dir()
    store.delete("family/a/2")
    assert not (root / "family" / "a").exists()
    store.delete_prefix("family/")
    assert root.is_dir()
    assert list(root.iterdir()) == []


def test_a_link_out_of_the_folder_is_not_followed(store: LocalObjectStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    store.put("family/photo", b"1")
    (root / "family" / "link").symlink_to(tmp_path / "outside")
    store.delete_prefix("family/")
    assert (tmp_path / "outside" / "file").exists()


def test_a_key_below_another_object_fails_with_both_kept(store: LocalObjectStore) -> None:
    store.put("family", b"1")
    with pytest.raises(StorageError, match="family/photo"):
        store.put("family/photo", b"2")
    store.delete("family/photo")
    assert store.get("family") == b"1"


def test_a_full_disk_may_have_room_later(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount, unmount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], ["umount", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        store = LocalObjectStore(small / "objects")
        store.put("family/first", b"1")
        with pytest.raises(ObjectStoreUnavailableError, match="No space left"):
            store.put("family/second", bytes(100_000))
        assert list(store.keys("")) == ["family/first"]
        store.put("family/third", b"3")
    finally:
        subprocess.run(unmount, check=True)


def test_a_full_disk_fails_with_the_key_and_leaves_nothing(store: LocalObjectStore, root: Path) -> None:
    store.put("family/first", b"1")
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from facealbum.storage.objects import LocalObjectStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "LocalObjectStore(Path(sys.argv[1])).put('family/second', bytes(2000))"
    )
    writer = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True, check=False)
    assert "StorageError" in writer.stderr
    assert "family/second" in writer.stderr
    assert [path.name for path in (root / "family").iterdir()] == ["first"]


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_is_opened_by_path_or_url(form: str, tmp_path: Path) -> None:
    store = open_object_store(form.format(tmp_path / "objects"))
    store.put("family/photo", b"1")
    assert (tmp_path / "objects" / "family" / "photo").read_bytes() == b"1"


@pytest.mark.parametrize("url", ["", "s3://", "http://host/bucket", "file://host/folder"])
def test_an_address_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidValueError, match="object store"):
        open_object_store(url)


def test_a_bucket_is_described_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert open_object_store("s3://bucket/some/prefix/").describe() == "s3://bucket/some/prefix/"


def test_an_unreachable_server_may_be_tried_again() -> None:
    credentials = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    store = S3ObjectStore("bucket", endpoint_url="http://127.0.0.1:1", **credentials)
    with pytest.raises(ObjectStoreUnavailableError, match="family/photo") as caught:
        store.get("family/photo")
    assert caught.value.retryable


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="family/photo"):
        LocalObjectStore(tmp_path / "objects").put("family/photo", b"1")


def test_a_bucket_that_is_gone_is_not_an_object_that_is_gone(
    s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match="no bucket") as caught:
        S3ObjectStore("nobody").head("family/photo")
    assert caught.value.code == "storage"
