"""Installing a model: what is fetched is whole and what was asked for, or nothing is there."""

import errno
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

from facealbum.errors import ChecksumError, DownloadError, InvalidValueError, ModelError, ModelNotInstalledError
from models import install as installing
from models.catalog import Download, Entry, Weights, load_catalog
from models.install import install, installed, remove
from tests.file_server import FileServer

CONTENT = bytes(range(256)) * 4000
OTHER = CONTENT[::-1]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entry(download: Download | None, *, weights: Weights | None = None) -> Entry:
    base = load_catalog()["auraface-v1-512"]
    return base.model_copy(update={"download": download, "weights": weights or Weights()})


@pytest.fixture
def published(file_server: FileServer) -> Entry:
    file_server.files["face.onnx"] = CONTENT
    return entry(Download(url=file_server.place("face.onnx"), bytes=len(CONTENT), sha256=sha256(CONTENT)))


def quiet(done: int, total: int | None) -> None:
    assert total is None or done <= total


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


WHOLE = {"auraface-v1-512.onnx", "auraface-v1-512.onnx.sha256"}


def test_an_installed_model_is_what_was_published(published: Entry, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    spec = install(published, tmp_path, report=lambda done, total: seen.append((done, total)))
    assert spec.backbones[0].model.read() == CONTENT
    assert (spec.space, spec.research_only, spec.head) == ("auraface-v1-512", False, None)
    assert names(tmp_path) == WHOLE
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert installed(published, tmp_path, check=True) == spec


def test_installing_twice_fetches_once(published: Entry, tmp_path: Path, file_server: FileServer) -> None:
    first = install(published, tmp_path, report=quiet)
    assert install(published, tmp_path, report=quiet) == first
    assert len(file_server.asked) == 1


def test_a_broken_connection_is_taken_up_where_it_broke(
    published: Entry, tmp_path: Path, file_server: FileServer
) -> None:
    file_server.break_after = [300_000, 100_000]
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT
    assert file_server.asked == [None, "bytes=300000-", "bytes=400000-"]


def test_an_install_that_was_given_up_goes_on_with_the_next(
    published: Entry, tmp_path: Path, file_server: FileServer
) -> None:
    file_server.break_after = [1000] * 4
    with pytest.raises(DownloadError, match="run the same command again"):
        install(published, tmp_path, report=quiet)
    assert names(tmp_path) == {"auraface-v1-512.onnx.part"}
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT
    assert file_server.asked[-1] == "bytes=4000-"


def test_a_server_without_ranges_gives_the_whole_file_again(
    published: Entry, tmp_path: Path, file_server: FileServer
) -> None:
    file_server.ranges, file_server.break_after = False, [300_000]
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT


@pytest.mark.parametrize("left", [OTHER[:5000], CONTENT + b"longer", OTHER])
def test_a_part_of_another_file_is_started_over(published: Entry, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "auraface-v1-512.onnx.part").write_bytes(left)
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT
    assert names(tmp_path) == WHOLE


@pytest.mark.parametrize("served", [OTHER, CONTENT + b"longer", CONTENT[:-1] + b"!"])
def test_a_file_with_another_checksum_is_refused_and_removed(
    published: Entry, tmp_path: Path, file_server: FileServer, served: bytes
) -> None:
    file_server.files["face.onnx"] = served
    with pytest.raises(ChecksumError, match="nothing is installed"):
        install(published, tmp_path, report=quiet)
    assert names(tmp_path) == set()


def test_a_shorter_file_is_never_taken_for_whole(published: Entry, tmp_path: Path, file_server: FileServer) -> None:
    file_server.files["face.onnx"] = CONTENT[:5000]
    with pytest.raises(ChecksumError, match="must have 1024000 bytes, the server has 5000"):
        install(published, tmp_path, report=quiet)
    assert (names(tmp_path), len(file_server.asked)) == (set(), 1)


def test_a_file_that_comes_compressed_is_refused(published: Entry, tmp_path: Path, file_server: FileServer) -> None:
    file_server.headers["Content-Encoding"] = "gzip"
    with pytest.raises(ChecksumError, match="sends it as gzip"):
        install(published, tmp_path, report=quiet)


@pytest.mark.parametrize("length", [None, "many"])
def test_a_file_whose_end_nobody_tells_is_fetched_no_further_than_it_may_be(
    published: Entry, tmp_path: Path, file_server: FileServer, length: str | None
) -> None:
    file_server.headers["Content-Length"] = length
    file_server.files["endless"] = CONTENT * 8
    with pytest.raises(ChecksumError, match="must have 1024000 bytes, more came"):
        install(published, tmp_path, report=quiet, place=file_server.place("endless"))
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT


def test_a_redirect_without_end_is_told_in_one_line(published: Entry, tmp_path: Path, file_server: FileServer) -> None:
    file_server.status, file_server.headers["Location"] = 302, file_server.place("face.onnx")
    with pytest.raises(DownloadError, match=r"302 .* infinite loop") as refused:
        install(published, tmp_path, report=quiet)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("status", [404, 403, 503])
def test_what_a_server_refuses_is_said(published: Entry, tmp_path: Path, file_server: FileServer, status: int) -> None:
    file_server.status = status
    with pytest.raises(DownloadError, match=str(status)):
        install(published, tmp_path, report=quiet)


@pytest.mark.parametrize("place", ["http://[::1/face.onnx", "file:///nowhere/face.onnx"])
def test_a_place_that_is_none_is_told(published: Entry, tmp_path: Path, place: str) -> None:
    with pytest.raises((InvalidValueError, DownloadError), match=r"must be a (URL|file that can be read), "):
        install(published, tmp_path, report=quiet, place=place)


@pytest.mark.usefixtures("file_server")
def test_without_a_network_the_command_says_so(tmp_path: Path) -> None:
    nowhere = Download(url="http://127.0.0.1:9/face.onnx", sha256=sha256(CONTENT))
    with pytest.raises(DownloadError, match="Connection refused") as refused:
        install(entry(nowhere), tmp_path, report=quiet)
    assert refused.value.retryable


def test_two_at_once_do_not_disturb_each_other(published: Entry, tmp_path: Path, file_server: FileServer) -> None:
    file_server.gate.clear()
    first = Thread(target=install, args=(published, tmp_path), kwargs={"report": quiet})
    first.start()
    assert file_server.halfway.wait(20)
    with pytest.raises(ModelError, match="by another process"):
        install(published, tmp_path, report=quiet)
    with pytest.raises(ModelError, match="by another process"):
        remove(published, tmp_path)
    file_server.gate.set()
    first.join()
    assert installed(published, tmp_path, check=True).backbones[0].model.read() == CONTENT


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    published: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_server: FileServer
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(installing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=r"must have 1\.0 MB free"):
        install(published, tmp_path, report=quiet)
    assert file_server.asked == []


def test_a_disk_that_fills_up_meanwhile_is_left_empty(published: Entry, tmp_path: Path) -> None:
    def full(done: int, _total: int | None) -> None:
        if done:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ModelError, match="the disk is full"):
        install(published, tmp_path, report=full)
    assert names(tmp_path) == set()


def test_an_interrupted_install_keeps_what_came(published: Entry, tmp_path: Path) -> None:
    def interrupt(done: int, _total: int | None) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(published, tmp_path, report=interrupt)
    assert names(tmp_path) == {"auraface-v1-512.onnx.part"}
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT


def zipped(member: str, content: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr("other.txt", b"other")
    return buffer.getvalue()


def packed(server: FileServer, archive: bytes, *, member: str = "pack/face.onnx") -> Entry:
    server.files["pack.zip"] = archive
    download = Download(url=server.place("pack.zip"), bytes=len(archive), sha256=sha256(archive), member=member)
    return entry(download, weights=Weights(bytes=len(CONTENT), sha256=sha256(CONTENT)))


def test_weights_are_taken_out_of_their_archive(tmp_path: Path, file_server: FileServer) -> None:
    spec = install(packed(file_server, zipped("pack/face.onnx", CONTENT)), tmp_path, report=quiet)
    assert spec.backbones[0].model.read() == CONTENT
    assert names(tmp_path) == WHOLE


def test_weights_that_come_without_their_archive_will_do(tmp_path: Path, file_server: FileServer) -> None:
    archive = packed(file_server, zipped("pack/face.onnx", CONTENT))
    file_server.files["face.onnx"] = CONTENT
    spec = install(archive, tmp_path, report=quiet, place=file_server.place("face.onnx"))
    assert spec.backbones[0].model.read() == CONTENT


@pytest.mark.parametrize(
    "archive",
    [
        zipped("elsewhere.onnx", CONTENT),
        zipped("pack/face.onnx", CONTENT + b"!"),
        zipped("pack/face.onnx", OTHER),
        b"no archive" * 100,
    ],
)
def test_an_archive_without_the_weights_is_refused_and_removed(
    tmp_path: Path, file_server: FileServer, archive: bytes
) -> None:
    with pytest.raises(ChecksumError, match="nothing is installed"):
        install(packed(file_server, archive), tmp_path, report=quiet)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("digest", [str.lower, str.upper])
def test_an_entry_without_a_checksum_demands_one(tmp_path: Path, digest: Callable[[str], str]) -> None:
    unpinned, file = entry(None), tmp_path / "mine.onnx"
    file.write_bytes(CONTENT)
    with pytest.raises(InvalidValueError, match="--from"):
        install(unpinned, tmp_path, report=quiet)
    with pytest.raises(InvalidValueError, match="--sha256"):
        install(unpinned, tmp_path, report=quiet, place=file.as_uri())
    spec = install(unpinned, tmp_path, report=quiet, place=file.as_uri(), sha256=digest(sha256(CONTENT)))
    assert spec.backbones[0].model.read() == CONTENT
    assert installed(unpinned, tmp_path, check=True) == spec


def test_no_second_file_fills_the_same_space(tmp_path: Path) -> None:
    unpinned, mine, other = entry(None), tmp_path / "mine.onnx", tmp_path / "other.onnx"
    mine.write_bytes(CONTENT)
    other.write_bytes(OTHER)
    first = install(unpinned, tmp_path, report=quiet, place=mine.as_uri(), sha256=sha256(CONTENT))
    with pytest.raises(ChecksumError, match="is installed already"):
        install(unpinned, tmp_path, report=quiet, place=other.as_uri(), sha256=sha256(OTHER))
    assert installed(unpinned, tmp_path, check=True) == first


def test_a_checksum_never_overrules_that_of_the_entry(published: Entry, tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match="leave out --sha256"):
        install(published, tmp_path, report=quiet, sha256=sha256(OTHER))
    with pytest.raises(InvalidValueError, match="64 hex digits"):
        install(published, tmp_path, report=quiet, sha256="123")


def test_a_model_that_is_not_installed_says_how_to_get_it(published: Entry, tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalledError, match="models install auraface-v1-512"):
        installed(published, tmp_path)


def test_an_installed_file_that_changed_is_noticed_and_mended(published: Entry, tmp_path: Path) -> None:
    install(published, tmp_path, report=quiet)
    (tmp_path / "auraface-v1-512.onnx").write_bytes(OTHER)
    with pytest.raises(ChecksumError, match="install it again"):
        installed(published, tmp_path, check=True)
    assert install(published, tmp_path, report=quiet).backbones[0].model.read() == CONTENT


def test_a_removed_model_leaves_nothing(published: Entry, tmp_path: Path) -> None:
    install(published, tmp_path, report=quiet)
    assert remove(published, tmp_path) > len(CONTENT)
    assert names(tmp_path) == set()
    assert remove(published, tmp_path) == 0
