"""As whom the server runs, with which rights and settings, and what it logs."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest

from facealbum.errors import DatabaseUnavailableError
from facealbum.storage.embedded.account import ensure_user
from facealbum.storage.embedded.binaries import find_installation
from tests.integration.embedded.clients import ROOT, Client, Refused, StartClient, User, as_each_user, kill_backend


@as_each_user
def test_the_server_belongs_to_a_normal_user_and_opens_no_folder(
    client: StartClient, folder: Path, directory: Path, user: User
) -> None:
    first = client()
    first.ask("start")
    owner = pwd.getpwnam(first.ask("status")["user"])
    assert owner.pw_name == ("facealbum" if user.uid == 0 else pwd.getpwuid(user.uid).pw_name)
    assert Path(f"/proc/{first.pid()}").stat().st_uid == owner.pw_uid != 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for private in ("pgdata", "log", "run"):
        found = (directory / private).stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (owner.pw_uid, 0o700)


@as_each_user
def test_the_server_has_no_more_rights_than_it_needs(client: StartClient, folder: Path, user: User) -> None:
    def capabilities(one: Client) -> int:
        status = Path(f"/proc/{one.pid()}/status").read_text()
        return int(dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)["CapEff"], 16)

    enclosed = client()
    enclosed.ask("start")
    assert capabilities(enclosed) == user.capability
    folder.chmod(0o755)
    reachable = client(folder / "open")
    reachable.ask("start")
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in find_installation().parents):
        assert capabilities(reachable) == 0


@pytest.mark.skipif(not ROOT, reason="only root can create users")
def test_a_missing_system_user_is_created_once() -> None:
    name = f"facealbum-{os.getpid()}"
    try:
        assert ensure_user(name) == ensure_user(name)
        assert pwd.getpwnam(name).pw_shell == "/usr/sbin/nologin"
        assert not Path(pwd.getpwnam(name).pw_dir).exists()
    finally:
        path = f"{os.defpath}:/usr/sbin:/sbin"
        subprocess.run(["userdel", name], check=True, capture_output=True, env={"PATH": path})  # noqa: S607 - as useradd


@pytest.mark.skipif(not ROOT, reason="only root can create users")
def test_a_system_user_that_can_not_be_created_is_refused_with_an_alternative() -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"'Not A Name' .*FACEALBUM_DATABASE_URL"):
        ensure_user("Not A Name")


def test_the_server_is_durable_and_on_no_network(client: StartClient) -> None:
    settings = {
        "listen_addresses": "",
        "fsync": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "max_connections": "60",
        "shared_buffers": "128MB",
        "unix_socket_permissions": "0700",
        "log_rotation_size": "5MB",
    }
    first = client()
    shown = first.ask("sql", "SELECT " + ", ".join(f"current_setting('{name}')" for name in settings))
    assert dict(zip(settings, shown[0], strict=True)) == settings
    assert first.ask("sql", "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'facealbum'") == [
        ["b", "C.UTF-8"]
    ]


def test_vectors_are_there(client: StartClient) -> None:
    first = client()
    first.ask("sql", "CREATE EXTENSION vector")
    assert first.ask("sql", "SELECT '[1,2]'::halfvec(2) <-> '[1,3]'::halfvec(2)") == [[1.0]]


def test_no_value_of_a_row_reaches_the_log(client: StartClient, directory: Path) -> None:
    first, second = client(), client()
    first.ask("sql", "CREATE TABLE t (name text PRIMARY KEY, age int)")
    first.ask("sql", "INSERT INTO t VALUES ('Sakura', 3)")
    for failing in (
        "INSERT INTO t VALUES ('Sakura', 3)",
        "INSERT INTO t VALUES ('Other', 'Sakura')",
        "SELECT Sakura FROM t",
        "DO $$ BEGIN RAISE WARNING 'Sakura'; RAISE 'Sakura'; END $$",
    ):
        with pytest.raises(Refused, match="Sakura"):
            first.ask("sql", failing)
    first.send("sql", "SELECT pg_sleep(600), 'Sakura'")
    kill_backend(second.sleeping_backend())
    with pytest.raises(Refused, match="OperationalError"):
        first.answer()
    second.ask("sql", "SELECT 1")
    second.ask("stop")
    logged = "".join(path.read_text() for path in [*directory.glob("log/*"), directory / "start.log"])
    assert "was terminated by signal 9" in logged
    assert "Sakura" not in logged


def test_old_logs_are_removed_at_a_start(client: StartClient, directory: Path) -> None:
    first = client()
    first.ask("start")
    first.ask("release")
    for day in range(10, 20):
        (directory / "log" / f"postgres-202001{day}-000000.log").touch()
    first.ask("start")
    assert len(list(directory.glob("log/*"))) <= 5
