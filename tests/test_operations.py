"""What operators are told exists: metrics, log events and their fields, alerts and the runbook's parts."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from facealbum.metrics import REGISTRY

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "operations"
SOURCES = [path for package in ("facealbum", "workers") for path in sorted((ROOT / package).rglob("*.py"))]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def metrics_in_code() -> set[str]:
    counted = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith("facealbum_")
    }
    gauges = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "facealbum_" in node.value
        if re.fullmatch(r"facealbum_[a-z_]+", node.value)
    }
    return counted | {name for name in gauges if name not in {metric.removesuffix("_total") for metric in counted}}


def metrics_in(text: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in re.findall(r"facealbum_[a-z_]+", text)}


def expressions() -> list[str]:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    board = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return alerts + [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def test_every_metric_is_described_and_none_is_made_up() -> None:
    rows = [
        line for line in (DOCS / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `face")
    ]
    described = {name for row in rows for name in re.findall(r"`(facealbum_[a-z_]+)`", row.split("|")[1])}
    assert described == metrics_in_code()


def test_alerts_and_dashboard_ask_for_metrics_that_exist() -> None:
    asked = set().union(*(metrics_in(expression) for expression in expressions()))
    assert asked <= metrics_in_code()
    assert len(asked) > 15


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_is_whole(expression: str) -> None:
    assert all(expression.count(first) == expression.count(last) for first, last in ("()", "[]", "{}"))
    assert expression.count('"') % 2 == 0


def test_metric_names_tell_their_units_and_no_label_is_an_id() -> None:
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            assert not {"family_id", "photo_id", "task_id", "batch_id"} & set(sample.labels)
    assert all(name.endswith("_seconds") for name in metrics_in_code() if "age" in name.split("_"))


def test_every_alert_leads_to_a_part_of_the_runbook() -> None:
    runbook = (DOCS / "runbook.md").read_text(encoding="utf-8")
    parts = {re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-")) for title in re.findall("## (.+)", runbook)}
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        place, _, part = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / place).exists()
        assert part in parts
        assert rule["alert"] in runbook


def logged() -> list[tuple[str, ast.Call]]:
    """Each call of a module's logger."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "_log"
    ]


def test_every_event_and_every_field_of_one_is_described() -> None:
    text = (DOCS / "events.md").read_text(encoding="utf-8")
    events, fields = (set(re.findall(r"`(\w+)`", part)) for part in first_columns(text))
    used = set()
    for place, call in logged():
        assert len(call.args) == 1, f"{place}: an event has a name, and fields by name"
        assert isinstance(call.args[0], ast.Constant), f"{place}: the name of an event is a literal"
        used.add(call.args[0].value)
        assert {keyword.arg for keyword in call.keywords} <= fields, f"{place}: describe its fields in events.md"
    assert used | {"library"} == events


def first_columns(text: str) -> list[str]:
    """The first column of each of the two tables."""
    tables = text.split("| field |")
    return ["\n".join(line.split("|")[1] for line in part.splitlines() if line.startswith("|")) for part in tables]


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]
