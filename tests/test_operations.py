"""What operators are told exists: metrics, log events and their fields, alerts and the runbook's parts."""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Histogram

from facealbum import metrics
from facealbum.metrics import REGISTRY
from workers.app import TASKS as QUEUES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "operations"
SOURCES = [path for package in ("facealbum", "workers") for path in sorted((ROOT / package).rglob("*.py"))]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
WORKING = {f'facealbum_worker_processes{{queue="{queue}"}}': "2x60" for queue in QUEUES}
PARKED = 'facealbum_parked_messages{queue="matching", code="killed"}'
TASKS = 'facealbum_tasks_total{queue="matching", outcome="%s"}'
PHOTOS = 'facealbum_photos_total{outcome="%s"}'
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


def described() -> dict[str, set[str]]:
    """The labels of each metric, as operators are told."""
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `face")]
    labels = {name: row[3] for row in rows for name in re.findall(r"`(facealbum_[a-z_]+)`", row[1])}
    return {name: set(re.findall(r"[a-z_]+", found)) for name, found in labels.items()}


def test_every_metric_is_described_and_none_is_made_up() -> None:
    assert described().keys() == metrics_in_code()


def test_every_counter_has_the_labels_that_are_described() -> None:
    counters = {
        metric.name + ("_total" if metric.type == "counter" else ""): set(getattr(one, "_labelnames", ()))
        for one in vars(metrics).values()
        if isinstance(one, Counter | Histogram)
        for metric in one.collect()
    }
    assert len(counters) > 8
    assert {name: labels for name, labels in described().items() if name in counters} == counters


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_labels_that_its_metrics_have(expression: str) -> None:
    for name, wanted in re.findall(r"(facealbum_[a-z_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)[=!]", wanted)) <= labels_of(name)
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        for name in metrics_in(expression):
            assert set(re.findall(r"\w+", by)) <= labels_of(name) | {"le"}


def labels_of(name: str) -> set[str]:
    return described()[SUFFIXES.sub("", name)] | {"job", "instance"}


def test_words_around_numbers_name_labels_that_are_there() -> None:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    board = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    used = [
        (rule["expr"], re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        for group in rules["groups"]
        for rule in group["rules"]
    ] + [
        (target["expr"], re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]
    for expression, labels in used:
        by = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", expression))))
        assert set(labels) <= by or "(" not in expression, expression


def promtool(*arguments: str | Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool of Prometheus is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    rules = [{"record": f"expression:{number}", "expr": one} for number, one in enumerate(expressions())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}), "utf-8")
    promtool("check", "rules", DOCS / "alerts.yml", tmp_path / "rules.yml")


FIRE = {
    "FacealbumPhotosWait": ({"facealbum_pending_age_seconds": "301+60x60"}, {"facealbum_pending_age_seconds": "5x60"}),
    "FacealbumNoWorkers": (dict(list(WORKING.items())[1:]), WORKING),
    "FacealbumOutboxStuck": ({"facealbum_outbox_age_seconds": "61x60"}, {"facealbum_outbox_age_seconds": "1x60"}),
    "FacealbumDatabaseDown": ({"facealbum_database_answers": "0x60"}, {"facealbum_database_answers": "1x60"}),
    "FacealbumParked": ({PARKED: "1x60"}, {PARKED: "0x60"}),
    "FacealbumTasksFail": (
        {TASKS % "parked": "0+2x60", TASKS % "done": "0+10x60"},
        {TASKS % "parked": "0+1x60", TASKS % "done": "0+10x60"},
    ),
    "FacealbumPhotosFail": (
        {PHOTOS % "failed": "0+1x60", PHOTOS % "analysed": "0+10x60"},
        {PHOTOS % "failed": "0+1x60", PHOTOS % "analysed": "0+100x60"},
    ),
    "FacealbumBatchDoesNotEnd": (
        {"facealbum_batch_age_seconds": "86401+60x60"},
        {"facealbum_batch_age_seconds": "60+60x60"},
    ),
    "FacealbumCoverage": ({"facealbum_last_batch_alarms": "1x60"}, {"facealbum_last_batch_alarms": "0x60"}),
    "FacealbumDiskFull": ({"facealbum_data_free_bytes": "4e9x60"}, {"facealbum_data_free_bytes": "6e9x60"}),
}
"""For each alert a state in which it fires, and the like in which it does not, as Prometheus's tests write series."""


def test_each_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    assert {rule["alert"] for group in rules["groups"] for rule in group["rules"]} == FIRE.keys()
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
                    "eval_time": "50m",
                    "exp_samples": [{"value": 1}] if fires else [],
                }
            ],
        }
        for alert, both in FIRE.items()
        for series, fires in zip(both, (True, False), strict=True)
    ]
    (tmp_path / "tests.yml").write_text(
        yaml.safe_dump({"rule_files": [str(DOCS / "alerts.yml")], "tests": tests}), "utf-8"
    )
    promtool("test", "rules", tmp_path / "tests.yml")


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
