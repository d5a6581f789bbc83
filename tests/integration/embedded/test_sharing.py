"""Many processes share one server, which comes with the first and goes with the last."""

import os
import signal

import pytest

from tests.integration.embedded.clients import (
    StartClient,
    as_each_user,
    is_alive,
    wait_until_dead,
)


@as_each_user
def test_the_last_one_out_stops_the_server(client: StartClient) -> None:
    first, second = client(), client()
    url = first.ask("start")
    server = first.pid()
    assert second.ask("start") == url
    assert second.pid() == server
    first.ask("release")
    assert is_alive(server)
    assert second.ask("sql", "SELECT 1") == [[1]]
    second.ask("release")
    wait_until_dead(server)
    assert first.ask("status")["running"] is False


def test_starting_and_releasing_twice_is_the_same_as_once(client: StartClient) -> None:
    first, second = client(), client()
    assert first.ask("start") == first.ask("start") == second.ask("start")
    server = first.pid()
    first.ask("release")
    first.ask("release")
    assert is_alive(server)


def test_rows_outlive_the_server(client: StartClient) -> None:
    first = client()
    first.ask("sql", "CREATE TABLE t AS SELECT 1 AS x")
    first.ask("release")
    assert first.ask("sql", "SELECT x FROM t") == [[1]]


@as_each_user
def test_processes_that_start_at_once_share_one_new_server(client: StartClient) -> None:
    clients = [client() for _ in range(4)]
    for one in clients:
        one.send("start")
    assert len({one.answer() for one in clients}) == 1
    assert len({one.pid() for one in clients}) == 1


def test_starts_and_releases_in_any_order_never_meet_a_dead_server(client: StartClient) -> None:
    clients = [client() for _ in range(4)]
    for one in clients:
        for _ in range(8):
            one.send("sql", "SELECT 1")
            one.send("release")
    for one in clients:
        assert [one.answer() for _ in range(16)] == [[[1]], None] * 8
    assert clients[0].ask("status")["running"] is False


def test_a_killed_user_does_not_keep_the_server(client: StartClient) -> None:
    first, second = client(), client()
    first.ask("start")
    server = first.pid()
    second.ask("start")
    first.kill()
    assert is_alive(server)
    second.ask("release")
    wait_until_dead(server)


def test_a_server_whose_only_user_was_killed_serves_the_next(client: StartClient) -> None:
    first, second = client(), client()
    first.ask("start")
    server = first.pid()
    first.kill()
    second.ask("start")
    assert second.pid() == server
    second.ask("release")
    wait_until_dead(server)


def test_a_forked_child_ends_its_own_use_only(client: StartClient) -> None:
    first = client()
    first.ask("start")
    server = first.pid()
    first.ask("release_in_fork")
    assert is_alive(server)
    first.ask("release")
    wait_until_dead(server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_users_terminal_does_not_reach_the_server(client: StartClient, number: signal.Signals) -> None:
    first, second = client(), client()
    first.ask("start")
    server = first.pid()
    os.killpg(first.process.pid, number)
    first.process.communicate()
    assert second.ask("sql", "SELECT 1") == [[1]]
    assert second.pid() == server
