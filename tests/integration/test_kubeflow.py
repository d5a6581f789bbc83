"""What is exported for a cluster runs the same code: run here by kfp, it gives what the pipeline gives."""

import json
import sys
from pathlib import Path

import pytest

from facealbum.domain.model_versions import ModelKind
from facealbum.pipelines.export import build_pipeline, export_pipeline
from facealbum.pipelines.run import run_training
from facealbum.pipelines.training import STEPS, load_training
from facealbum.steps.context import Context
from facealbum.steps.registry import list_versions, read_artefact
from facealbum.storage.outputs import file_digests
from tests.test_architecture import ROOT
from tests.unit.pipelines.tiny import write_numbers

kfp = pytest.importorskip("kfp")
yaml = pytest.importorskip("yaml")

ADDRESS = "tests.unit.pipelines.tiny:"
PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"  # other images, kfp warns, are not run here


def test_the_document_names_every_step_behind_the_one_that_it_needs(tmp_path: Path) -> None:
    export_pipeline(load_training(ADDRESS), tmp_path / "tiny.yaml", address=ADDRESS, image="facealbum:1")
    document = yaml.safe_load((tmp_path / "tiny.yaml").read_text())
    tasks = {task["taskInfo"]["name"]: task for task in document["root"]["dag"]["tasks"].values()}
    assert sorted(tasks) == ["collect", "evaluate", "plot", "register", "split", "train"]
    assert all(task["retryPolicy"]["maxRetryCount"] == 2 for task in tasks.values())
    assert {one["container"]["image"] for one in document["deploymentSpec"]["executors"].values()} == {"facealbum:1"}
    parameters = document["root"]["inputDefinitions"]["parameters"]
    assert parameters["parameters"]["defaultValue"] == {"scale": 1.0, "split_held_out": 0.4}


@pytest.mark.usefixtures("tracking")
def test_run_by_kfp_it_gives_what_the_pipeline_gives(
    context: Context, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_numbers(tmp_path / "numbers")
    for name, value in {"PYTHONPATH": ROOT, "FACEALBUM_DATA": tmp_path, "FACEALBUM_DATABASE_URL": database_url}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(ROOT)
    (tmp_path / "venv").symlink_to(sys.prefix)  # kfp can't run a Python whose path has a space
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / Path(sys.executable).name))
    kfp.local.init(runner=kfp.local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "kfp"))
    pipeline = build_pipeline(load_training(ADDRESS), address=ADDRESS, image=PYTHON)
    pipeline(data=source, seed=3, parameters={"scale": 2.0})
    (told,) = (tmp_path / "kfp").rglob("registered.json")
    registered = list_versions(context, kind=ModelKind.CALIBRATOR)
    done = run_training(context, load_training(ADDRESS), source=source, chosen={"scale": 2.0}, seed=3)
    for step in STEPS:
        assert file_digests(told.parent.parent / step) == done.outputs[step].files
    assert json.loads(told.read_text())["model"] == done.model.model_id
    assert list_versions(context, kind=ModelKind.CALIBRATOR) == registered, "the same model is the same row"
    assert read_artefact(context, done.model) == (told.parent.parent / "train" / "model.bin").read_bytes()
