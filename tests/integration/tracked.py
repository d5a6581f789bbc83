"""A fresh store of MLflow for a test: a copy of one that was made once, as making one takes seconds."""

from pathlib import Path
from shutil import copy

import pytest

from facealbum.pipelines.tracking import open_tracking
from facealbum.settings import Settings


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store without runs."""
    folder = tmp_path_factory.mktemp("tracking")
    open_tracking(Settings(data=folder))
    return folder / "pipelines" / "mlflow.db"


@pytest.fixture
def tracking(empty_tracking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in the data folder of the test's world."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "data" / "pipelines"
    folder.mkdir(parents=True)
    copy(empty_tracking, folder)
