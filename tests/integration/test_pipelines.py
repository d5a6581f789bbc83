"""A training from its data to the registry: on record whatever becomes of it, and registered once or not at all."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from facealbum.cli import families as family_commands
from facealbum.cli import pipelines as pipeline_commands
from facealbum.cli.commands import app as commands
from facealbum.domain.model_versions import ModelKind, ModelVersion
from facealbum.errors import (
    ChangedMeanwhileError,
    InvalidValueError,
    LeakageError,
    ObjectNotFoundError,
    UnknownPipelineRunError,
)
from facealbum.pipelines.dataset import Item, Manifest
from facealbum.pipelines.run import run_training
from facealbum.pipelines.runs import list_runs, read_plot, read_run
from facealbum.pipelines.step import Work
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family, register_family
from facealbum.steps.registry import list_versions, read_artefact
from facealbum.steps.snapshots import open_outputs, read_snapshot, trained_with
from facealbum.storage.database import open_database
from facealbum.storage.families import load_families
from tests.unit.pipelines.tiny import Tiny, write_numbers

STEPS = ("collect", "split", "train", "evaluate", "plot")


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_numbers(tmp_path / "numbers")


@pytest.mark.usefixtures("tracking")
def test_a_run_is_on_record_with_all_that_went_in_and_came_out(context: Context, source: str) -> None:
    done = run_training(context, Tiny(), source=source, chosen={"scale": "2"}, seed=3)
    whole = read_run(context.settings, done.run)
    run = whole.record
    assert (run.training, run.status, run.source, run.failure) == ("tiny", "FINISHED", "bench", None)
    assert run.parameters == {"scale": "2.0", "split_held_out": "0.4", "seed": "3"}
    assert run.started_at == run.ended_at == context.clock()
    assert run.data == done.model.snapshot == done.outputs["collect"].digest
    assert run.model == done.model.model_id
    assert set(run.steps) == set(STEPS)
    assert run.metrics["error"] == done.model.metrics["error"]["value"]
    assert {"error.low", "error.high", "error.n", "error.baseline", "error.difference"} < set(run.metrics)
    assert whole.figures == done.model.metrics
    assert "half of the way" in whole.log
    assert whole.plots == ("error.png",)
    plot = (done.outputs["plot"].folder / "plots" / "error.png").read_bytes()
    assert read_plot(context.settings, done.run, "error.png") == plot
    with pytest.raises(ObjectNotFoundError):
        read_plot(context.settings, done.run, "../metrics.json")
    assert whole.mlflow == str(context.settings.data_folder / "pipelines" / "mlflow.db")
    kept = {path.name for path in (context.settings.data_folder / "pipelines" / "artefacts").rglob("*")}
    assert {"metrics.json", "slices.json", "model.json", "error.png", "log.txt"} <= kept
    assert not {"model.bin", "data.npz", "manifest.json"} & kept
    snapshot = read_snapshot(context, run.data)
    assert (snapshot.query, snapshot.items, snapshot.groups, snapshot.families) == ("every number", 12, 4, 0)


@pytest.mark.usefixtures("tracking")
def test_a_second_run_is_served_from_cache_and_equal(context: Context, source: str) -> None:
    training = Tiny()
    first = run_training(context, training, source=source)
    second = run_training(context, training, source=source)
    assert training.ran == list(STEPS)
    assert second.cached == STEPS
    assert second.model == first.model
    assert second.outputs == first.outputs
    assert second.run != first.run
    (one,), following = list_runs(context.settings, training="tiny", limit=1)
    (other,), end = list_runs(context.settings, training="tiny", limit=1, after=following)
    assert {one.run, other.run} == {first.run, second.run}
    assert end is None or list_runs(context.settings, training="tiny", limit=1, after=end) == ([], None)
    assert list_runs(context.settings, training="another") == ([], None)
    for nonsense in ("nonsense", "é", "Mw=="):
        with pytest.raises(InvalidValueError, match="page before"):
            list_runs(context.settings, after=nonsense)


@pytest.mark.usefixtures("tracking")
def test_a_run_that_fails_is_on_record_with_its_reason(context: Context, source: str) -> None:
    class Leaking(Tiny):
        def split(self, work: Work) -> None:  # noqa: ARG002 - the protocol's
            raise LeakageError("group-1 stands on both sides")

    with pytest.raises(LeakageError):
        run_training(context, Leaking(), source=source)
    (run,), _ = list_runs(context.settings)
    assert (run.status, run.failure) == ("FAILED", "leakage: group-1 stands on both sides")
    assert run.failure in read_run(context.settings, run.run).log
    assert run.model is None
    assert not versions(context)


@pytest.mark.usefixtures("tracking")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_run_killed_in_its_registration_leaves_nothing_half_registered(
    context: Context, source: str, database_url: str
) -> None:
    """Killed as the run is about to say that it is done, and before that as its artefact is stored."""
    moments = [("open", "/log.txt"), ("open", "/objects/models/"), ("os.rename", "/objects/models/")]
    for scale, (event, place) in enumerate(moments):
        assert _is_killed(context, source, database_url, scale=scale, event=event, place=place)
        assert len(versions(context)) == 1
    training = Tiny()
    done = [run_training(context, training, source=source, chosen={"scale": scale}) for scale in range(3)]
    assert training.ran == []
    assert versions(context) == [one.model for one in done]
    assert all(read_artefact(context, one.model) for one in done)
    assert sorted(run.status for run in list_runs(context.settings)[0]) == ["FINISHED"] * 3 + ["KILLED"] * 3


@pytest.mark.usefixtures("tracking")
def test_a_family_that_leaves_takes_what_learnt_from_it_along_but_for_the_model(context: Context, source: str) -> None:
    mori = register_family(context, "Mori")[0].family_id

    class OfFamilies(Tiny):
        def collect(self, work: Work) -> None:
            super().collect(replace(work, source=source))
            items = Manifest.read(work.out).items
            Manifest("all", tuple(replace(item, family=str(mori)) for item in items)).write(work.out)

    done = run_training(context, OfFamilies(), source="confirmed")
    assert trained_with(context, mori) == [done.model.label]
    forget_family(context, "Mori")
    assert not list(open_outputs(context.settings).all())
    (model,) = versions(context)
    assert model.snapshot is not None
    left = read_snapshot(context, model.snapshot)
    assert (left.families, left.deleted) == (1, 1)
    with pytest.raises(ChangedMeanwhileError):
        run_training(context, OfFamilies(), source="confirmed")


@pytest.mark.usefixtures("tracking")
def test_the_commands_say_which_models_learnt_from_a_family_and_later_data_sets_are_without_it(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfEveryFamily(Tiny):
        def collect(self, work: Work) -> None:
            with context.database.begin() as transaction:
                families = [str(one.family_id) for one in load_families(transaction)]
            values = np.arange(len(families), dtype=np.float64)
            np.savez(work.out / "data.npz", values=values)
            items = (Item(one, one, one, one) for one in families)
            Manifest("every family", tuple(items)).write(work.out)

    @contextmanager
    def this_world() -> Iterator[Context]:
        yield context

    def tell(*words: str) -> Any:  # noqa: ANN401 - JSON
        done = CliRunner().invoke(commands, [*words, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    for module in (pipeline_commands, family_commands):
        monkeypatch.setattr(module, "open_world", this_world)
    monkeypatch.setattr("facealbum.pipelines.training.load_training", lambda _: OfEveryFamily())
    ids = [str(register_family(context, name)[0].family_id) for name in ("Mori", "Sato", "Abe", "Kato", "Ono", "Ito")]
    (first,) = tell("pipelines", "run", "ours")
    assert tell("family", "delete", "Mori", "--yes")["trained_with_it"] == [first["name"]]
    (second,) = tell("pipelines", "run", "ours")
    held = Manifest.read(next(one.folder for one in open_outputs(context.settings).all() if one.step == "collect"))
    assert sorted(held.families) == sorted(ids[1:])
    before, after = (read_snapshot(context, one["data"]) for one in (first, second))
    assert (before.families, before.deleted, after.families, after.deleted) == (6, 1, 5, 0)
    assert tell("family", "delete", "Sato", "--yes")["trained_with_it"] == [first["name"], second["name"]]


@pytest.mark.usefixtures("tracking")
def test_a_family_that_leaves_in_the_middle_ends_the_run(context: Context) -> None:
    mori = register_family(context, "Mori")[0].family_id

    class LeftMeanwhile(Tiny):
        def collect(self, work: Work) -> None:
            (work.out / "data.npz").touch()
            Manifest("all", (Item("1", "1", "1", str(mori)),)).write(work.out)

        def split(self, work: Work) -> None:
            (work.out / "of a face of Mori").touch()
            forget_family(context, "Mori")

    with pytest.raises(ChangedMeanwhileError):
        run_training(context, LeftMeanwhile(), source="confirmed")
    folder = context.settings.data_folder / "pipelines"
    assert not [path for name in ("store", "work", "trash") for path in (folder / name).iterdir()]


@pytest.mark.usefixtures("tracking")
@pytest.mark.parametrize("source", ["bench:/nowhere", "elsewhere", "bench:"])
def test_data_that_are_not_there_are_refused(context: Context, source: str) -> None:
    with pytest.raises(InvalidValueError, match="data must be confirmed, or bench:FOLDER"):
        run_training(context, Tiny(), source=source)


@pytest.mark.usefixtures("tracking")
@pytest.mark.parametrize("run", ["x", "0" * 32, "../" * 10 + "aa"])
def test_a_run_that_is_not_on_record_is_said_to_be_unknown(context: Context, run: str) -> None:
    with pytest.raises(UnknownPipelineRunError):
        read_run(context.settings, run)


def versions(context: Context) -> list[ModelVersion]:
    return [model for model in list_versions(context, kind=ModelKind.CALIBRATOR) if model.name == "tiny"]


def _is_killed(context: Context, source: str, url: str, *, scale: int, event: str, place: str) -> bool:
    """Whether a process that runs the training is killed as it is about to do this to a file of this place."""
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        assert status in (0, signal.SIGKILL)
        return status != 0

    def watch(name: str, arguments: tuple[object, ...]) -> None:
        if name == event and place in str(arguments[0]):
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with open_database(url, Path()) as database:
            sys.addaudithook(watch)
            run_training(replace(context, database=database), Tiny(), source=source, chosen={"scale": scale})
    except BaseException:  # noqa: BLE001 - the parent is told
        os._exit(1)
    os._exit(0)
