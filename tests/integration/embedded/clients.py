"""Processes that use the embedded server, and what tests do to them and to the server."""

import contextlib
import functools
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).parent / "client.py"
ROOT = os.geteuid() == 0
PATIENCE_SECONDS = 60
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2


class Refused(Exception):  # noqa: N818 - what the client answered
    """The client reports an error of ours."""


class Client:
    """One process that uses the server in `directory`."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [*command, str(CLIENT), str(directory)],
            bufsize=0,  # select sees nothing of what Python has read ahead
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def send(self, command: str, argument: str = "") -> None:
        """Tell the process to do something; it does one after the other."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, argument]).encode() + b"\n")

    def answers_within(self, seconds: float) -> bool:
        """Whether it has done the next."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def answer(self) -> Any:  # noqa: ANN401 - anything that JSON holds
        """What came of the next; raises `Refused` for an error."""
        assert self.answers_within(PATIENCE_SECONDS), "no answer"
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(f"{answer['error']}: {answer['message']}")
        return answer["value"]

    def ask(self, command: str, argument: str = "") -> Any:  # noqa: ANN401 - anything that JSON holds
        """Send and wait for the answer."""
        self.send(command, argument)
        return self.answer()

    def pid(self) -> int:
        """The server's process."""
        found = self.ask("status")["pid"]
        assert isinstance(found, int)
        return found

    def sleeping_backend(self) -> int:
        """The server's process that runs somebody's pg_sleep, once it does."""
        query = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
        wait_until(lambda: self.ask("sql", query))
        [[backend]] = self.ask("sql", query)
        assert isinstance(backend, int)
        return backend

    def kill(self) -> None:
        """As by kill -9."""
        self.process.kill()
        self.process.communicate()


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the clients, and the capability that the server then needs below a folder of mode 0700."""

    uid: int
    command: list[str]
    capability: int = 0


StartClient = Callable[..., Client]
"""Takes the directory, or none for the test's own."""


def this_user() -> User:
    """Whoever runs the tests."""
    return User(os.geteuid(), [sys.executable], CAP_DAC_READ_SEARCH if ROOT else 0)


def container_root() -> User:
    """Root with the rights that containers give: none to look into other users' processes, for one."""
    rights = "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,sys_chroot,mknod,setfcap"
    bounding = f"--bounding-set=-all,+{rights.replace(',', ',+')}"
    return User(0, ["setpriv", bounding, sys.executable], CAP_DAC_OVERRIDE)


REACHES_THE_PROGRAMS = (
    "import os, sys; from facealbum.storage.embedded.binaries import find_installation\n"
    "sys.exit(not os.access(find_installation() / 'bin' / 'postgres', os.X_OK))"
)


@functools.cache
def normal_user() -> User:
    """Somebody else, with the right to read the interpreter if it lies below a private folder."""
    nobody = pwd.getpwnam("nobody")
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    for command in ([*become, sys.executable], [*become, *reading, sys.executable]):
        if not subprocess.run([*command, "-c", REACHES_THE_PROGRAMS], capture_output=True, check=False).returncode:
            return User(nobody.pw_uid, command)
    pytest.skip("a normal user can't reach this Python or the programs of PostgreSQL")


USERS = {"this user": this_user} | ({"container's root": container_root, "normal user": normal_user} if ROOT else {})

as_each_user = pytest.mark.parametrize("user", USERS, indirect=True)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system in memory, if this user may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", options, "facealbum-test", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs more rights")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - found as mount was


def fill(filler: Path) -> None:
    """Write until the disk is full."""
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
        for _ in iter(lambda: file.write(bytes(4096)), 0):
            pass


def wait_until(holds: Callable[[], object]) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        select.select([], [], [], 0.005)


def state(pid: int) -> str:
    """The kernel's letter for the state of a process, or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_alive(pid: int) -> bool:
    """Whether it still runs; a zombie doesn't."""
    return state(pid) not in {"", "Z", "X"}


def wait_until_dead(pid: int) -> None:
    """A process lets go of its files, by which it is known to have ended, an instant before it is gone."""
    wait_until(lambda: not is_alive(pid))


def kill_backend(pid: int) -> None:
    """As by kill -9, and wait until the server has noticed: until then it takes connections that it will cut."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not state(pid))


def kill_server(pid: int) -> None:
    """As by kill -9, and wait until it is dead."""
    os.kill(pid, signal.SIGKILL)
    wait_until_dead(pid)
