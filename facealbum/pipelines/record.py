"""One run on record, from its first moment: what it was given, what each step did, what it measured, how it ended.

A run that is killed can't say so.  It holds a lock on its log while it lives, and whoever opens a record next ends
those whose lock is free.  A record holds ids and numbers: no names, no pixels, and no data of a family.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from facealbum.clock import Clock
from facealbum.code_version import code_version
from facealbum.pipelines.engine import Pipeline, reason
from facealbum.pipelines.tracking import experiment_of, open_tracking
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.snapshots import pipelines_folder
from facealbum.storage.embedded.locks import exclusive, share, try_exclusive
from facealbum.storage.outputs import Output

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KEPT = ("metrics.json", "slices.json", "model.json")
_SHOWN = ("value", "low", "high", "n")  # of a metric, besides its baseline and the difference to that


@dataclass(frozen=True, slots=True)
class Record:
    """An open record; it is told what the engine does."""

    client: "MlflowClient"
    run: str
    clock: Clock
    written: Path

    def log(self, line: str) -> None:
        """A line, with its time."""
        with self.written.open("a", encoding="utf-8") as file:
            file.write(f"{self.clock():%Y-%m-%d %H:%M:%S} {line}\n")

    def done(self, output: Output, *, cached: bool) -> None:
        """A step's output is there; with it its metrics and plots."""
        known = {"key": output.key, "digest": output.digest, "cached": cached, "seconds": round(output.seconds, 3)}
        self.tag(f"step.{output.step}", json.dumps({**known, "failures": output.failures}))
        self.log(f"{output.step}: {'from the store' if cached else f'made in {output.seconds:.1f} s'}")
        if output.step == "collect":
            self.tag("data", output.digest)
        for name in output.files:
            if name == "metrics.json":
                self._metrics(json.loads((output.folder / name).read_bytes()))
            if name in _KEPT or name.startswith("plots/"):
                place = "plots" if name.startswith("plots/") else None
                self.client.log_artifact(self.run, str(output.folder / name), place)

    def tag(self, name: str, value: object) -> None:
        """Something to find the run by."""
        self.client.set_tag(self.run, f"facealbum.{name}", str(value))

    def _metrics(self, metrics: Mapping[str, Mapping[str, Any]]) -> None:
        for name, metric in metrics.items():
            for part in _SHOWN:
                if metric.get(part) is not None:
                    self.client.log_metric(self.run, name if part == "value" else f"{name}.{part}", metric[part])
            for other in ("baseline", "difference"):
                if metric.get(other) is not None:
                    self.client.log_metric(self.run, f"{name}.{other}", metric[other]["value"])


@contextmanager
def open_record(context: Context, pipeline: Pipeline, *, source: str) -> Iterator[Record]:
    """A record of the block, whatever becomes of it; source: the kind of its data."""
    client = open_tracking(context.settings)
    end_killed(client, context.settings, now=context.clock())
    experiment = experiment_of(client, pipeline.name, context.settings)
    with _alive(context.settings) as written:
        tags = {"lock": written.name, "code": code_version(), "source": source}
        created = client.create_run(
            experiment,
            start_time=_milliseconds(context.clock()),
            run_name=f"{pipeline.name} {context.clock():%Y-%m-%d %H:%M:%S}",
            tags={f"facealbum.{name}": value for name, value in tags.items()},
        )
        record = Record(client, str(created.info.run_id), context.clock, written)
        for name, value in {**pipeline.parameters, "seed": pipeline.seed}.items():
            client.log_param(record.run, name, value)
        try:
            yield record
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            _end(client, record.run, status, written=written, why=reason(error), now=context.clock())
            raise
        _end(client, record.run, "FINISHED", written=written, now=context.clock())


def end_killed(client: "MlflowClient", settings: Settings, *, now: datetime) -> None:
    """End the records of this machine's runs that live no more."""
    folder = pipelines_folder(settings)
    with exclusive(folder / "mlflow.lock"):
        for path in sorted((folder / "alive").glob("*")):
            lock = try_exclusive(path)
            if lock is None:
                continue
            experiments = [one.experiment_id for one in client.search_experiments()]
            wanted = f"tags.`facealbum.lock` = '{path.name}' and status = 'RUNNING'"
            for run in client.search_runs(experiments, wanted):
                _end(client, run.info.run_id, "KILLED", written=path, why="killed", now=now)
            path.unlink(missing_ok=True)
            os.close(lock)


@contextmanager
def _alive(settings: Settings) -> Iterator[Path]:
    """A file for the log, locked as long as the run lives."""
    folder = pipelines_folder(settings) / "alive"
    folder.mkdir(mode=0o700, exist_ok=True)
    with exclusive(folder.parent / "mlflow.lock"):
        file, name = mkstemp(dir=folder)
        lock = share(Path(name))
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(lock)
        os.close(file)


def _end(
    client: "MlflowClient", run: str, status: str, *, written: Path, now: datetime, why: str | None = None
) -> None:
    if why is not None:
        client.set_tag(run, "facealbum.failure", why)
    client.log_text(run, written.read_text(encoding="utf-8"), "log.txt")
    client.set_terminated(run, status, end_time=_milliseconds(now))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
