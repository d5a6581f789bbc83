"""Programs are kept running, and stopped whole."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from facealbum.stack.supervisor import Program, Supervisor

PATIENCE_SECONDS = 60


def shell(folder: Path, script: str) -> Program:
    """A program that first notes its process id."""
    return Program("program", ["/bin/sh", "-c", f'echo $$ >>"{folder}/starts"; {script}'], log=folder / "log")


def starts(folder: Path) -> list[int]:
    path = folder / "starts"
    return [int(line) for line in path.read_text(encoding="utf-8").split()] if path.exists() else []


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether the process runs; a zombie doesn't."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def test_what_ends_is_told_once_and_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(grace=0, tell=said.append) as supervisor:
        supervisor.start(shell(tmp_path, "exit 3"))
        eventually(lambda: supervisor.look() or len(starts(tmp_path)) == 2)
    assert said[0] == "program ended (with code 3) and starts again"
    assert len(said) <= 2


def test_a_program_that_keeps_ending_waits_longer_each_time(tmp_path: Path) -> None:
    pauses = []
    with Supervisor(grace=0, tell=lambda _: pauses.append(time.monotonic())) as supervisor:
        supervisor.start(shell(tmp_path, "exit 3"))
        eventually(lambda: supervisor.look() or len(pauses) == 3)
    assert pauses[2] - pauses[1] > pauses[1] - pauses[0]


def test_what_lives_runs_on(tmp_path: Path) -> None:
    with Supervisor(grace=0, tell=lambda _: None) as supervisor:
        supervisor.start(shell(tmp_path, "exec sleep 1000"))
        eventually(lambda: starts(tmp_path))
        supervisor.look()
        assert len(starts(tmp_path)) == 1


def test_a_program_may_end_in_order(tmp_path: Path) -> None:
    script = f'trap "touch {tmp_path}/order; exit" TERM; touch {tmp_path}/ready; while :; do sleep 0.1; done'
    with Supervisor(grace=PATIENCE_SECONDS, tell=lambda _: None) as supervisor:
        supervisor.start(shell(tmp_path, script))
        eventually((tmp_path / "ready").exists)
    assert (tmp_path / "order").exists()


def test_what_is_deaf_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    script = f'trap "" TERM; (trap "" TERM; sleep 1000) & echo $! >>"{tmp_path}/starts"; wait'
    with Supervisor(grace=0.1, tell=lambda _: None) as supervisor:
        supervisor.start(shell(tmp_path, script))
        eventually(lambda: len(starts(tmp_path)) == 2)
    eventually(lambda: not any(lives(pid) for pid in starts(tmp_path)))
