"""Any folder will do, and one that will not is refused with what to do."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facealbum.storage.embedded.binaries import find_installation
from tests.integration.embedded.clients import (
    Client,
    Refused,
    StartClient,
    User,
    as_each_user,
    fill,
    kill_server,
    mounted,
    wait_until_dead,
)


@pytest.mark.parametrize(
    "name", ["Fotos der Kinder", "家族の写真", "a,b", 'it\'s "$(false)" `x` %41 :5432 ?&#', "l" * 200]
)
def test_any_folder_name_will_do(client: StartClient, folder: Path, name: str) -> None:
    first, second = client(folder / name), client(folder / name)
    first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    assert second.ask("sql", "SELECT x FROM t") == [[1]]
    sockets = Path(first.ask("status")["socket_directory"])
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107
    kill_server(first.pid())
    assert second.ask("sql", "SELECT x FROM t") == [[1]]
    second.ask("stop")
    if folder not in sockets.parents:
        sockets.rmdir()


def test_a_folder_of_sockets_that_others_can_enter_is_refused(client: StartClient, directory: Path, user: User) -> None:
    for made in (directory, directory / "run"):
        made.mkdir()
        os.chown(made, user.uid, -1)
    (directory / "run").chmod(0o755)
    with pytest.raises(Refused, match=r"DatabaseUnavailableError: .*/run as a folder of mode 0700"):
        client().ask("start")


@as_each_user
def test_a_read_only_folder_is_refused_with_advice(client: StartClient, folder: Path, user: User) -> None:
    with contextlib.ExitStack() as stack:
        if user.uid == 0:
            stack.enter_context(mounted(folder, "ro"))
        else:
            folder.chmod(0o500)
        with pytest.raises(Refused, match=r"DatabaseUnavailableError: .*can write to"):
            client().ask("start")


def test_a_disk_too_small_for_the_database_is_refused_with_advice(
    client: StartClient, folder: Path, user: User
) -> None:
    place = folder / "disk"
    place.mkdir()
    with mounted(place, f"size=20m,uid={user.uid},mode=700"):
        with pytest.raises(Refused, match=r"DatabaseUnavailableError: .*No space left .*make room"):
            client(place / "postgres").ask("start")
        assert {path.name for path in (place / "postgres").iterdir()} <= {
            *("start.lock", "users.lock", "server.lock", "log", "run")
        }


def test_a_full_disk_costs_no_rows(client: StartClient, folder: Path, user: User) -> None:
    place = folder / "disk"
    place.mkdir()
    with mounted(place, f"size=120m,uid={user.uid},mode=700"):
        first = client(place / "postgres")
        first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
        first.ask("release")
        filler = place / "filler"
        fill(filler)
        with pytest.raises(Refused, match=r"DatabaseUnavailableError: .*with 0 MB of room there; .*No space left"):
            first.ask("start")
        filler.unlink()
        assert first.ask("sql", "SELECT x FROM t") == [[1]]
        first.ask("stop")
        first.kill()


def test_another_major_version_is_named(client: StartClient, directory: Path) -> None:
    first = client()
    first.ask("start")
    first.ask("release")
    (directory / "pgdata" / "PG_VERSION").write_text("17\n")
    assert "PostgreSQL 17" in first.ask("status")["problems"][0]
    with pytest.raises(Refused, match=r"DatabaseUnavailableError: .*files are incompatible"):
        first.ask("start")
    (directory / "pgdata" / "PG_VERSION").write_text("18\n")
    first.ask("start")


def test_looking_at_nothing_creates_nothing(client: StartClient, directory: Path) -> None:
    status = client().ask("status")
    assert status["version"].startswith("18.")
    assert {**status, "version": None} == {
        "running": False,
        "pid": None,
        "version": None,
        "directory": str(directory),
        "socket_directory": None,
        "user": None,
        "problems": [],
    }
    assert not directory.exists()


def test_programs_below_a_private_folder_run_for_root_too(folder: Path) -> None:
    installation = find_installation()
    package = folder / installation.parent.name
    shutil.copytree(installation, package / installation.name, symlinks=True)
    shutil.copytree(installation.parent.with_suffix(".libs"), package.with_suffix(".libs"))
    (package / "__init__.py").touch()
    folder.chmod(0o700)
    program = (
        "import sys; from pathlib import Path; from facealbum.storage.embedded import EmbeddedPostgres\n"
        "from facealbum.storage.embedded.binaries import find_installation\n"
        "assert str(find_installation()).startswith(sys.argv[1])\n"
        "with EmbeddedPostgres(Path(sys.argv[1]) / 'postgres') as url: print(url)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", program, str(folder)]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("postgresql+psycopg2://")


def test_a_copy_of_a_folder_that_nobody_uses_is_a_database_of_its_own(
    client: StartClient, directory: Path, folder: Path
) -> None:
    first = client()
    first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    end(first)
    subprocess.run(["/bin/cp", "-a", directory, folder / "copy"], check=True)
    second = client(folder / "copy")
    assert second.ask("sql", "SELECT x FROM t") == [[1]]
    assert first.ask("sql", "UPDATE t SET x = 2 RETURNING x") == [[2]]
    assert second.ask("sql", "SELECT x FROM t") == [[1]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to somebody else")
def test_a_folder_whose_owner_has_no_name_here_is_used_and_looked_at(client: StartClient, directory: Path) -> None:
    nobody = 54_321
    one = client()
    one.ask("start")
    end(one)
    for path in (directory, *directory.rglob("*")):
        os.chown(path, nobody, nobody, follow_symlinks=False)
    assert one.ask("sql", "SELECT 1") == [[1]]
    status = one.ask("status")
    assert (status["user"], status["problems"]) == (str(nobody), [])


def end(client: Client) -> None:
    """Return when the server is gone with its last user."""
    server = client.pid()
    client.ask("release")
    wait_until_dead(server)
