"""Docs that would go stale are held against the code."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import typer
from fastapi.routing import APIRoute, iter_route_contexts

from facealbum.cli.commands import app
from facealbum.settings import Settings
from facealbum.storage.tables import metadata
from facealbum.web import make_app
from facealbum.web.rights import Requirement

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(group: typer.Typer, prefix: str = "") -> list[str]:
    command = typer.main.get_command(group)
    found = []
    for name, child in getattr(command, "commands", {}).items():
        found += [f"{prefix}{name} {inner}" for inner in getattr(child, "commands", {})] or [f"{prefix}{name}"]
    return found


def test_every_table_is_described() -> None:
    text = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    assert described == set(metadata.tables)


def test_every_route_of_the_api_is_described() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"<!-- routes: start -->\n(.*?)<!-- routes: end -->", text, flags=re.DOTALL)
    described, rows = make_app(Settings()).openapi()["paths"], ["| route | asks for | what |", "|---|---|---|"]
    for route in sorted(iter_route_contexts(make_app(Settings()).routes), key=lambda one: one.path or ""):
        if isinstance(route.original_route, APIRoute) and (route.path or "").startswith("/v1/"):
            (right,) = (one.call.right for one in route.dependant.dependencies if isinstance(one.call, Requirement))
            for method in sorted(route.methods or ()):
                what = described[route.path][method.lower()]["summary"].capitalize()
                asked = right.name.lower().replace("_", " ") if right else "to be known"
                rows.append(f"| `{method} {route.path}` | {asked} | {what} |")
    assert told.splitlines() == rows, "docs/api.md must hold these rows:\n" + "\n".join(rows)


def test_every_setting_is_described() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `FACEALBUM_(\w+)` \|", text, flags=re.MULTILINE))
    assert described == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("command", [name for name in commands(app) if name != "migrate"])
def test_every_command_is_described(command: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"`(facealbum )?{command}\b", text), f"describe `facealbum {command}` in README.md"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *chain.from_iterable(project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["dev"],
        *project["dependency-groups"]["build"],
    ]
    names = {re.split(r"[\[<>=;! ]", requirement)[0].lower() for requirement in wanted}
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    missing = {name for name in names if name not in text}
    assert not missing, f"write in docs/dependencies.md why these are needed: {missing}"


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    lost = [target for target in targets if not (document.parent / target).exists()]
    assert not lost
