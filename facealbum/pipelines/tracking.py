"""MLflow's store, in which every run is on record: a SQLite file in the data folder, or MLFLOW_TRACKING_URI.

MLflow is imported with the first question, takes a second or two, and tells nobody outside of this machine anything.
"""

import os
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facealbum.errors import ModelNotInstalledError
from facealbum.settings import Settings
from facealbum.steps.snapshots import pipelines_folder
from facealbum.storage.embedded.locks import exclusive

if TYPE_CHECKING:
    from mlflow import MlflowClient

_URI = "MLFLOW_TRACKING_URI"
_FILE = "mlflow.db"
_NOLOAD = r"The ``noload`` loader strategy is deprecated"  # MLflow's tables use it, and SQLAlchemy 2.1 says so
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def open_tracking(settings: Settings) -> "MlflowClient":
    """A client of the store, which is made with the first one; raises ModelNotInstalledError without `train`."""
    folder = pipelines_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(_QUIET)  # read as MLflow is imported
    with exclusive(folder / "mlflow.lock"), warnings.catch_warnings():  # two may not make one database
        warnings.filterwarnings("ignore", _NOLOAD)
        try:
            from mlflow import MlflowClient  # noqa: PLC0415 - takes a second
        except ImportError as error:
            raise ModelNotInstalledError(
                "MLflow must be installed to keep runs; pip install 'facealbum[train]'"
            ) from error
        return MlflowClient(tracking_uri=os.environ.get(_URI) or f"sqlite:///{folder / _FILE}")


def tracking_place(settings: Settings, *, experiment: str, run: str) -> str:
    """Where a run can be looked at: its address at an MLflow server, else its store; without a user or password."""
    uri = os.environ.get(_URI)
    if not uri:
        return str(pipelines_folder(settings) / _FILE)
    parts = urlsplit(uri)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    shown = parts.scheme in {"http", "https"}
    return f"{place.rstrip('/')}/#/experiments/{experiment}/runs/{run}" if shown else place


def experiment_of(client: "MlflowClient", name: str, settings: Settings) -> str:
    """The id of MLflow's experiment for a pipeline, made with its first run; its artefacts lie beside the database."""
    folder = pipelines_folder(settings)
    with exclusive(folder / "mlflow.lock"):
        known = client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        place = None if os.environ.get(_URI) else (folder / "artefacts" / name).as_uri()
        return str(client.create_experiment(name, artifact_location=place))
