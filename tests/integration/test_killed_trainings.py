"""Every training, killed behind each of its steps and in its learning, goes on to what it gives undisturbed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

import pytest

from facealbum.domain.model_versions import ModelVersion, Stage
from facealbum.pipelines.runs import list_runs
from facealbum.pipelines.step import Values
from facealbum.pipelines.training import STEPS
from facealbum.settings import Settings
from facealbum.steps import reembed
from facealbum.steps.context import Context
from facealbum.steps.packaged_models import PACKAGED
from facealbum.steps.registry import list_versions, read_artefact
from facealbum.steps.snapshots import open_outputs
from facealbum.storage.database import open_database
from facealbum.storage.objects import LocalObjectStore
from tests.conftest import NOW, copied
from tests.integration.album import add_linked
from tests.integration.dying import KEPT, Job, Moment

pytest.importorskip("mlflow")

EPOCH: Moment = (("os.rename", r"\.checkpoint$"),) * 2
"""One epoch is kept, and the next one is about to be."""

WRITING: Moment = (("open", r"/new/files/model\.bin$"),)
"""All is learnt, and nothing of it is written."""

REGISTERING: Moment = (("os.rename", r"/objects/models/\w+$"),)
"""The model's bytes are written apart, and about to take their place."""

CONFIRMED, DRAWN = "confirmed", "bench:{}/drawn"
TRAININGS: dict[str, tuple[str, Moment, Values]] = {
    "calibrator": (CONFIRMED, EPOCH, {"folds": 2, "epochs": 2}),
    "embedding_head": (CONFIRMED, EPOCH, {"epochs": 2}),
    "space_adapter": (CONFIRMED, WRITING, {"collect_from": "fused-512", "collect_to": "family-512"}),
    "quality_predictor": (DRAWN, EPOCH, {"folds": 2, "epochs": 2}),
    "backbone": (DRAWN, EPOCH, {"width": 4, "epochs": 2, "batch": 64}),
}


@dataclass(frozen=True)
class World:
    """Six families with a linked child each, in a database of their own."""

    url: str
    folder: Path
    tracking: Path

    @contextmanager
    def opened(self, name: str) -> Iterator[Context]:
        """The world with a new data folder of this name, which has made nothing yet; objects are one store."""
        data, objects = self.folder / name, self.folder / "objects"
        (data / "pipelines").mkdir(parents=True)
        copy(self.tracking, data / "pipelines")
        settings = Settings(data=data, object_store=str(objects), processes=1)
        with open_database(self.url, Path()) as database:
            yield Context(settings, database, LocalObjectStore(objects), clock=lambda: NOW)

    def job(self, context: Context, training: str) -> Job:
        """The training of this name there."""
        source, _, chosen = TRAININGS[training]
        return Job(context.settings, self.url, training, source.format(self.folder), chosen)


@pytest.fixture(scope="module")
def world(server: str, empty_tracking: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once, as it takes seconds."""
    with copied(server, "template", "killed_trainings") as url:
        made = World(url, tmp_path_factory.mktemp("killed"), empty_tracking)
        (made.folder / "drawn").mkdir()
        with made.opened("families") as context:
            add_linked(context, [f"Family {number}" for number in range(6)])
            reembed.start(context, "family-512", accept_research_only=True)
            reembed.work_through(context)
        yield made


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_killed_behind_each_step_and_in_its_learning_goes_on_to_the_same_model(
    world: World, name: str
) -> None:
    learning = TRAININGS[name][1]
    with world.opened(f"{name} killed") as context:
        job, before = world.job(context, name), versions(context)
        for moment in (KEPT, KEPT, learning, KEPT, KEPT, KEPT, REGISTERING):
            assert job.is_killed(moment)
            assert versions(context) == before, "nothing is registered, and what serves is what served"
        assert stored(context) == {one.sha256 for one in before}
        assert not job.is_killed(None)
        (model,) = (one for one in versions(context) if one not in before)
        runs, _ = list_runs(context.settings)
        assert sorted(one.status for one in runs) == ["FINISHED", *["KILLED"] * 7]
        (last,) = (one for one in runs if one.status == "FINISHED")
        assert (last.model, set(last.steps)) == (model.model_id, set(STEPS))
        again = {step for one in runs for step, told in one.steps.items() if not told["cached"]}
        assert again <= ({"collect"} if job.source == CONFIRMED else set()), "what was kept is made once"
        outcome = digests(context)
    with world.opened(name) as context:
        assert not world.job(context, name).is_killed(None)
        assert digests(context) == outcome
        assert outcome["train"]["model.bin"] == model.sha256
        assert versions(context) == [*before, model]
        assert read_artefact(context, model)


def versions(context: Context) -> list[ModelVersion]:
    """Those that were trained; looks whether what serves is packaged."""
    found = list_versions(context)
    assert all(one.source == PACKAGED for one in found if one.stage is Stage.PRODUCTION)
    return [one for one in found if one.source != PACKAGED]


def stored(context: Context) -> set[str]:
    """The names of the artefacts in the object store."""
    return {path.name for path in Path(context.settings.object_store_url, "models").glob("[0-9a-f]*")}


def digests(context: Context) -> dict[str, Mapping[str, str]]:
    """Of each step the SHA-256 of each of its files."""
    return {one.step: one.files for one in open_outputs(context.settings).all()}
