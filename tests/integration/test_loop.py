"""The whole loop in one call: what is trained is tried in the shadow, compared, promoted and taken back."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facealbum.domain.model_versions import Stage
from facealbum.domain.months import Month
from facealbum.pipelines.loop import run_loop
from facealbum.pipelines.step import Work
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.experiment_results import show_experiment
from facealbum.steps.registry import find_model, list_changes, list_versions
from facealbum.steps.releases import Wish
from facealbum.storage.serving import load_installed_arm
from tests.integration.album import add, shots
from tests.integration.test_calibrators import calibrator, stored
from tests.unit.pipelines.tiny import Tiny, write_numbers

JANUARY = Month(2026, 1)
STEPS = ("collect", "split", "train", "evaluate", "plot")


@dataclass(frozen=True)
class Younger(Tiny):
    """As the tiny training, but for a calibrator that can serve: the mean that it learns makes everybody younger."""

    def train(self, work: Work) -> None:
        super().train(work)
        mean = float((work.scratch / "learnt").read_text())
        (work.out / "model.bin").write_bytes(calibrator(1 - mean / 10).content())

    def evaluate(self, work: Work) -> None:
        """Better by itself."""
        figure = {"value": 1.0, "low": 0.9, "high": 1.1}
        metrics = {"error": {**figure, "n": 12, "baseline": figure, "difference": figure, "better": True}}
        (work.out / "metrics.json").write_text(json.dumps(metrics))
        (work.out / "slices.json").write_text("{}")


TRAINING = Younger()


@pytest.mark.usefixtures("tracking")
def test_the_loop_goes_from_data_to_production_and_back_and_again_from_cache(context: Context, tmp_path: Path) -> None:
    world = replace(context, clock=lambda: datetime(2026, 2, 3, tzinfo=UTC))
    add(world, shots(months=1, a_month=8))
    cluster_families(world, JANUARY)
    before, source = stored(world), write_numbers(tmp_path / "numbers")
    serving = {one.slot: one for one in list_versions(world) if one.stage is Stage.PRODUCTION}

    (first,), (second,) = (
        run_loop(world, Wish(), source=source, through=JANUARY, out=tmp_path / out, trainings=[f"{__name__}:"])
        for out in ("first", "second")
    )
    assert (first.cached, second.cached) == ((), STEPS)
    assert (first.model, first.refused, first.serves) == ("tiny@1", None, serving["calibrator"].label)
    assert replace(second, run=first.run, cached=(), experiment=first.experiment, report=first.report) == first
    for one in (first, second):
        assert show_experiment(world, one.experiment).experiment.status == "concluded"
        assert "tiny-1" in one.report.read_text()
    trained = find_model(world, "tiny")
    assert trained.stage is Stage.SHADOW
    changes = [one.after for one in reversed(list_changes(world, model_id=trained.model_id))]
    assert changes == [Stage.DRAFT, Stage.SHADOW, Stage.PRODUCTION, Stage.SHADOW, Stage.PRODUCTION, Stage.SHADOW]
    assert {one.slot: one for one in list_versions(world) if one.stage is Stage.PRODUCTION} == serving
    with world.database.begin() as transaction:
        assert load_installed_arm(transaction) == "default"
    assert stored(world) == before
