"""Reading what is on record of runs: which there were, what they were given and gave, and their logs and plots."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from facealbum.errors import InvalidValueError, ModelError, ObjectNotFoundError, UnknownPipelineRunError
from facealbum.pipelines.tracking import open_tracking, tracking_place
from facealbum.settings import Settings
from facealbum.steps.snapshots import pipelines_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_RUN = 32  # hexadecimal digits of a run's id
_OURS = "tags.`facealbum.source` != ''"
_PLOTS = "plots"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run.  status: RUNNING, FINISHED, FAILED or KILLED.  model: its id in the registry.

    data: the digest of what was collected.  steps: of each its key, digest, seconds, failures and whether it was done
    before.  metrics: by name, with `.low`, `.high`, `.n`, `.baseline` and `.difference` behind it.
    """

    run: str
    training: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    source: str
    code_version: str
    data: str | None
    model: int | None
    failure: str | None
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    steps: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run with what it left.

    figures: of each metric its value, low, high, n, baseline, difference and whether it is better, as a training's
    `evaluate` writes them.  plots: their names.  log: as far as it is, of a run of this machine; of others once they
    have ended.  mlflow: where MLflow has it, an address or the file of its store.
    """

    record: RunRecord
    figures: Mapping[str, Mapping[str, Any]]
    plots: tuple[str, ...]
    log: str
    mlflow: str


def list_runs(
    settings: Settings, *, training: str | None = None, limit: int = 50, after: str | None = None
) -> tuple[list[RunRecord], str | None]:
    """The newest runs first, of all trainings or one, and what to give as `after` for those behind them.

    A run that begins meanwhile moves the others on by one.  Raises InvalidValueError for another `after`.
    """
    client = open_tracking(settings)
    from mlflow import MlflowException  # noqa: PLC0415 - takes a second, and may not be installed

    known = {one.experiment_id: one.name for one in client.search_experiments()}
    wanted = [number for number, name in known.items() if training in {None, name}]
    if not wanted:
        return [], None
    try:
        found = client.search_runs(
            wanted, _OURS, max_results=limit, order_by=["attributes.start_time DESC"], page_token=after
        )
    except MlflowException as error:
        if after is None:
            raise _unanswered() from error
        raise InvalidValueError("after must be the `next` of the page before") from error  # it answered just now
    return [_record(run, known[run.info.experiment_id]) for run in found], found.token or None


def read_run(settings: Settings, run: str) -> WholeRun:
    """The run of this id; raises UnknownPipelineRunError."""
    client = open_tracking(settings)
    found = _find(client, run)
    experiment = client.get_experiment(found.info.experiment_id)
    names = {one.path for one in client.list_artifacts(run)}
    plots = client.list_artifacts(run, _PLOTS) if _PLOTS in names else []
    return WholeRun(
        _record(found, experiment.name),
        json.loads(_fetch(client, run, "metrics.json")) if "metrics.json" in names else {},
        tuple(sorted(PurePath(one.path).name for one in plots)),
        _fetch(client, run, "log.txt").decode() if "log.txt" in names else _living_log(found, settings),
        tracking_place(settings, experiment=experiment.experiment_id, run=run),
    )


def read_plot(settings: Settings, run: str, name: str) -> bytes:
    """A plot of the run, as PNG; raises UnknownPipelineRunError and ObjectNotFoundError."""
    client = open_tracking(settings)
    _find(client, run)
    path = f"{_PLOTS}/{name}"
    if not name.endswith(".png") or path not in {one.path for one in client.list_artifacts(run, _PLOTS)}:
        raise ObjectNotFoundError(f"the run has no plot {name!r}; its record lists those there are")
    return _fetch(client, run, path)


def _find(client: "MlflowClient", run: str) -> "Run":
    """A run of ours; raises UnknownPipelineRunError."""
    from mlflow import MlflowException  # noqa: PLC0415 - takes a second

    try:
        if len(run) == _RUN and run.isalnum():
            found = client.get_run(run)
            if "facealbum.source" in found.data.tags:
                return found
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise _unanswered() from error
    raise UnknownPipelineRunError(
        f"no run of a pipeline has the id {run!r}; `facealbum pipelines list` shows those there are"
    )


def _unanswered() -> ModelError:
    return ModelError("the record of runs must answer; look whether MLFLOW_TRACKING_URI is right")


def _fetch(client: "MlflowClient", run: str, path: str) -> bytes:
    with TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run, path, folder)).read_bytes()


def _living_log(run: "Run", settings: Settings) -> str:
    """What a run of this machine has logged so far; nothing of one that lives elsewhere, or has ended by now."""
    name = PurePath(run.data.tags.get("facealbum.lock", "")).name or "none"
    try:
        return (pipelines_folder(settings) / "alive" / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _record(run: "Run", training: str) -> RunRecord:
    tags = {
        name.removeprefix("facealbum."): value for name, value in run.data.tags.items() if name.startswith("facealbum.")
    }
    steps = {name.removeprefix("step."): json.loads(value) for name, value in tags.items() if name.startswith("step.")}
    return RunRecord(
        run=run.info.run_id,
        training=training,
        status=run.info.status,
        started_at=_moment(run.info.start_time),
        ended_at=_moment(run.info.end_time) if run.info.end_time else None,
        source=tags["source"],
        code_version=tags["code"],
        data=tags.get("data"),
        model=int(tags["model"]) if "model" in tags else None,
        failure=tags.get("failure"),
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        steps=steps,
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
