"""Runs of trainings over HTTP: all of them, one of them, and none that isn't there."""

import sys
from http import HTTPStatus

import pytest

from tests.integration.everything import Everything


def test_a_run_is_listed_and_read(everything: Everything) -> None:
    run = everything.places["pipelines/{run}"]
    (listed,) = everything.client.get("/v1/pipelines").json()["items"]
    assert (listed["run"], listed["training"], listed["status"]) == (run, "calibrator", "RUNNING")
    read = everything.client.get(f"/v1/pipelines/{run}").json()
    assert {**read, **listed} == read
    assert (read["parameters"], read["steps"], read["log"]) == ({}, {}, "")


def test_a_run_that_is_not_there_is_not_found(everything: Everything) -> None:
    answer = everything.client.get("/v1/pipelines/nothing")
    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.NOT_FOUND, "unknown_pipeline_run")


def test_without_mlflow_it_is_told_what_to_install(everything: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as where the package is not installed
    answer = everything.client.get("/v1/pipelines")
    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.CONFLICT, "model_not_installed")
    assert "pip install" in answer.json()["detail"]
