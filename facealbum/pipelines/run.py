"""Running a training from its data to the registry, on record.

Registration comes last and changes nothing the second time, so a run that is killed at any moment is run again and
goes on; what learnt from families that are gone is neither kept nor registered.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from facealbum.domain.ids import FamilyId
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Manifest
from facealbum.pipelines.engine import Engine, Guard, Pipeline, Report, Source
from facealbum.pipelines.record import open_record
from facealbum.pipelines.step import Values
from facealbum.pipelines.training import Training, chosen_parameters, training_steps
from facealbum.steps.context import Context
from facealbum.steps.registry import NewModel, RegisteredModel, register_model
from facealbum.steps.snapshots import expect_whole, open_outputs, record_snapshot, sweep_outputs
from facealbum.storage.outputs import Output, digest_of, file_digests

CONFIRMED = "confirmed"
_BENCH = "bench"


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run gave.  run: its id in MLflow.  cached: the steps that were done before."""

    run: str
    model: RegisteredModel
    outputs: Mapping[str, Output]
    cached: tuple[str, ...]


def run_training(
    context: Context, training: Training, *, source: str, chosen: Values | None = None, seed: int = 0
) -> Finished:
    """Collect, split, train, evaluate, plot and register; what was done before is not done again.

    source: `confirmed`, the families' own confirmed albums, or `bench:FOLDER`.  Raises InvalidValueError for parameters
    or a source that can't be, and whatever a step raises, with which the run is on record.
    """
    pipeline = training_pipeline(training, source=source, chosen=chosen or {}, seed=seed)
    sweep_outputs(context)
    with open_record(context, pipeline, source=source.partition(":")[0]) as record:
        context.progress.begin(training.name, len(pipeline.steps) + 1)
        report = _Progress(record, context, [])
        outputs = Engine(open_outputs(context.settings), context, report, snapshot_guard(context)).run(pipeline)
        folders = {name: output.folder for name, output in outputs.items()}
        (data,) = outputs["train"].data
        model = register_trained(context, training, folders, data=data, run=record.run)
        record.tag("model", model.model_id)
        record.log(f"registered as {model.kind} {model.label}")
        context.progress.advance()
        return Finished(record.run, model, outputs, tuple(report.cached))


def training_pipeline(training: Training, *, source: str, chosen: Values, seed: int) -> Pipeline:
    """The training as a pipeline; raises InvalidValueError for parameters or a source that can't be."""
    steps = training_steps(training, asks=source == CONFIRMED)
    return Pipeline(training.name, steps, chosen_parameters(training, chosen), seed, read_source(source))


def read_source(source: str) -> Source:
    """`confirmed`, or `bench:FOLDER` with the digest of all that lies there; raises InvalidValueError."""
    kind, _, place = source.partition(":")
    if source == CONFIRMED:
        return Source(source, None)
    folder = Path(place)
    if kind != _BENCH or not place or not folder.is_dir():
        raise InvalidValueError(
            f"data must be {CONFIRMED}, or {_BENCH}:FOLDER with a folder that is there; got {source!r}"
        )
    files = file_digests(folder)
    return Source(source, digest_of({name: digest for name, digest in files.items() if "__pycache__" not in name}))


def snapshot_guard(context: Context) -> Guard:
    """Puts each data set on record, and lets nothing pass that comes from one with a family that is gone."""

    def guard(step: str, folder: Path, data: Collection[str]) -> None:
        if step == "collect":
            (digest,) = data
            record_collected(context, folder, digest)
        else:
            expect_whole(context, data)

    return guard


def record_collected(context: Context, folder: Path, digest: str) -> None:
    """Put the data set in the folder on record; raises ChangedMeanwhileError if a family of it is gone."""
    manifest = Manifest.read(folder)
    record_snapshot(
        context,
        digest,
        query=manifest.query,
        items=len(manifest.items),
        groups=len({item.group for item in manifest.items}),
        families=[FamilyId(UUID(family)) for family in manifest.families],
    )


def register_trained(
    context: Context, training: Training, folders: Mapping[str, Path], *, data: str, run: str | None
) -> RegisteredModel:
    """Put what was trained into the registry as a draft, once; data: the digest of what was collected."""
    card = json.loads((folders["train"] / "model.json").read_bytes())
    new = NewModel(
        kind=training.kind,
        name=card["name"],
        artefact=(folders["train"] / "model.bin").read_bytes(),
        licence=card["licence"],
        research_only=card["research_only"],
        source=f"training {training.name}, version {training.version}",
        training_run=run,
        snapshot=data,
        metrics=json.loads((folders["evaluate"] / "metrics.json").read_bytes()),
        slices=json.loads((folders["evaluate"] / "slices.json").read_bytes()),
        primary=card.get("primary"),
        slot=card.get("slot"),
    )
    return register_model(context, new)


@dataclass(frozen=True, slots=True)
class _Progress:
    """Tells the record and whoever watches."""

    record: Report
    context: Context
    cached: list[str]

    def log(self, line: str) -> None:
        self.record.log(line)

    def done(self, output: Output, *, cached: bool) -> None:
        self.record.done(output, cached=cached)
        self.context.progress.advance()
        if cached:
            self.cached.append(output.step)
