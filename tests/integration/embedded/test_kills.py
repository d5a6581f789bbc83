"""What is left of a killed server or creation is never taken for a living one, and no committed row is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.embedded.clients import (
    Refused,
    StartClient,
    User,
    as_each_user,
    kill_backend,
    kill_server,
    state,
    wait_until,
)


@as_each_user
def test_committed_rows_survive_a_kill_of_the_server(client: StartClient) -> None:
    first, second = client(), client()
    first.ask("sql", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS x")
    kill_server(first.pid())
    assert second.ask("sql", "SELECT count(*) FROM t") == [[1000]]
    assert first.ask("start") == second.ask("start")


@as_each_user
def test_a_zombie_is_not_taken_for_the_server(client: StartClient) -> None:
    parent, other = client(), client()
    parent.ask("adopt_orphans")
    parent.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    zombie = parent.pid()
    kill_server(zombie)
    assert state(zombie) == "Z"
    assert other.ask("status")["pid"] is None
    assert other.ask("sql", "SELECT x FROM t") == [[1]]
    assert parent.ask("sql", "SELECT x FROM t") == [[1]]
    assert state(zombie) == "Z"


def test_a_start_waits_for_the_last_children_of_a_killed_server(client: StartClient, directory: Path) -> None:
    first, second = client(), client()
    first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    first.send("sql", "SELECT pg_sleep(600)")
    server = second.pid()
    backend = second.sleeping_backend()
    os.kill(backend, signal.SIGSTOP)
    kill_server(server)
    second.send("sql", "SELECT x FROM t")
    assert not second.answers_within(0.5)
    third = client()
    assert third.ask("status")["running"] is False
    assert "last children" in third.ask("status")["problems"][0]
    assert (directory / "pgdata" / "postmaster.pid").exists()
    os.kill(backend, signal.SIGCONT)
    assert second.answer() == [[1]]


@as_each_user
def test_a_backend_that_crashes_costs_no_committed_rows(client: StartClient) -> None:
    first, second = client(), client()
    first.ask("sql", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS x")
    first.send("sql", "SELECT pg_sleep(600)")
    server = second.pid()
    kill_backend(second.sleeping_backend())
    with pytest.raises(Refused, match="OperationalError"):
        first.answer()
    assert second.ask("sql", "SELECT count(*) FROM t") == [[1000]]
    assert second.pid() == server


def test_a_stop_during_the_recovery_from_a_crash_ends(client: StartClient) -> None:
    first, second = client(), client()
    first.ask("sql", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS x")
    first.send("sql", "SELECT pg_sleep(600)")
    kill_backend(second.sleeping_backend())
    second.ask("stop")
    assert second.ask("status")["running"] is False
    assert second.ask("sql", "SELECT count(*) FROM t") == [[1000]]


@pytest.mark.parametrize("content", ["{pid}\n{data}\n0\n5432\n{run}\n\n0 0\nready   \n", "{pid}\n", "nonsense", ""])
def test_stale_files_do_not_prevent_a_start(client: StartClient, directory: Path, content: str) -> None:
    first = client()
    first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    first.ask("release")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as unrelated:
        stale = content.format(pid=unrelated.pid, data=directory / "pgdata", run=directory / "run")
        (directory / "pgdata" / "postmaster.pid").write_text(stale)
        (directory / "run" / ".s.PGSQL.5432.lock").write_text(stale)
        (directory / "run" / ".s.PGSQL.5432").touch()
        assert first.ask("status")["running"] is False
        first.ask("stop")
        assert first.ask("sql", "SELECT x FROM t") == [[1]]
        first.ask("stop")
        assert unrelated.poll() is None
        unrelated.communicate(b"\n")
        assert unrelated.returncode == 0


def test_a_removed_lock_file_does_not_lead_to_a_second_server(client: StartClient, directory: Path) -> None:
    first, second = client(), client()
    first.ask("start")
    server = first.pid()
    for lock in directory.glob("*.lock"):
        lock.unlink()
    second.ask("start")
    assert second.pid() == server


@as_each_user
def test_an_interrupted_creation_is_begun_anew(client: StartClient, directory: Path) -> None:
    first, second = client(), client()
    first.send("start")
    wait_until((directory / "pgdata.new" / "global").exists)
    first.kill()
    assert not (directory / "pgdata").exists()
    assert second.ask("sql", "SELECT 1") == [[1]]
    assert not (directory / "pgdata.new").exists()


def test_a_half_made_cluster_is_replaced(client: StartClient, directory: Path, user: User) -> None:
    for made in (directory, directory / "pgdata.new"):
        made.mkdir()
        os.chown(made, user.uid, -1)
    (directory / "pgdata.new" / "PG_VERSION").write_text("18\n")
    assert client().ask("sql", "SELECT 1") == [[1]]
    assert not (directory / "pgdata.new").exists()
