"""Reading what is on record of runs: which there were, what they were given and gave, and their logs and plots."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from facealbum.errors import ModelError, UnknownPipelineRunError
from facealbum.pipelines.tracking import open_tracking
from facealbum.settings import Settings

if TYPE_CHECKING:
    from mlflow.entities import Run

_RUN = 32  # hexadecimal digits of a run's id


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


def list_runs(settings: Settings, *, training: str | None = None, limit: int = 50) -> list[RunRecord]:
    """The newest runs first, of all trainings or one."""
    client = open_tracking(settings)
    known = {one.experiment_id: one.name for one in client.search_experiments()}
    wanted = [number for number, name in known.items() if training in {None, name}]
    if not wanted:
        return []
    found = client.search_runs(wanted, max_results=limit, order_by=["attributes.start_time DESC"])
    return [_record(run, known[run.info.experiment_id]) for run in found if _is_ours(run)]


def read_run(settings: Settings, run: str) -> RunRecord:
    """The run of this id; raises UnknownPipelineRunError."""
    client = open_tracking(settings)
    found = client.get_run(_checked(settings, run))
    return _record(found, client.get_experiment(found.info.experiment_id).name)


def read_log(settings: Settings, run: str) -> str:
    """The run's log; empty while it runs.  Raises UnknownPipelineRunError."""
    client = open_tracking(settings)
    names = {one.path for one in client.list_artifacts(_checked(settings, run))}
    if "log.txt" not in names:
        return ""
    with TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run, "log.txt", folder)).read_text(encoding="utf-8")


def _checked(settings: Settings, run: str) -> str:
    """The id of a run of ours; raises UnknownPipelineRunError."""
    from mlflow import MlflowException  # noqa: PLC0415 - takes a second

    client = open_tracking(settings)
    try:
        if len(run) == _RUN and run.isalnum() and _is_ours(client.get_run(run)):
            return run
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise ModelError("the record of runs must answer; look whether MLFLOW_TRACKING_URI is right") from error
    raise UnknownPipelineRunError(
        f"no run of a pipeline has the id {run!r}; `facealbum pipelines list` shows those there are"
    )


def _is_ours(run: "Run") -> bool:
    return "facealbum.source" in run.data.tags


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
