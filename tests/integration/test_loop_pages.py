"""The pages of trainings and searches: what they show, and to whom; who may ask is in test_contract.py."""

import re
import sys
from html import unescape

import pytest

from facealbum.domain.access import Role
from facealbum.steps.users import create_token
from tests.integration.everything import Everything

HTML = {"accept": "text/html"}


def words(everything: Everything, path: str) -> str:
    """What a reader sees of the page."""
    answer = everything.client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", answer.text)))


def test_a_run_is_shown_with_its_steps_figures_and_plots(everything: Everything) -> None:
    run = everything.places["pipelines/{run}"]
    assert f"{run[:12]} calibrator running" in words(everything, "/pipelines")
    assert "Nothing was trained" in words(everything, "/pipelines?training=backbone")
    shown = words(everything, f"/pipelines/{run}")
    assert "train not done" in shown
    assert "age_error 1.5 1.4 to 1.6 1.5 1.4 to 1.6" in shown
    plot = everything.client.get(f"/v1/pipelines/{run}/plots/metrics.png")
    assert (plot.headers["content-type"], plot.content) == ("image/png", b"\x89PNG of a test")


def test_a_search_is_shown_although_it_has_no_trial_yet(everything: Everything) -> None:
    assert "wider default 9" in words(everything, "/searches")
    shown = words(everything, "/searches/wider")
    assert "facealbum search resume wider" in shown
    assert "No trial was begun yet." in shown


def test_without_mlflow_the_page_says_what_to_install(everything: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as where the package is not installed
    assert "pip install 'facealbum[train]'" in words(everything, "/pipelines")


def test_who_may_not_see_trainings_is_not_led_to_them(everything: Everything) -> None:
    world = everything.app.state.context
    for role, seen in ((Role.REVIEWER, False), (Role.OPERATOR, True)):
        secret = create_token(world, f"one-{role}", role, family=None, days=1, author="test")[1]
        headers = HTML | {"authorization": f"Bearer {secret}"}
        page = everything.client.get("/models", headers=headers).text
        assert [f'href="/{name}"' in page for name in ("pipelines", "searches")] == [seen, seen]
        assert everything.client.get("/pipelines", headers=headers).status_code == (200 if seen else 403)
