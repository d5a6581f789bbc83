"""The house rules that a machine can check; each failure says what to do instead."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("facealbum", "workers", "models", "eval")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MIGRATIONS = ROOT / "facealbum" / "storage" / "migrations"
SQL_WORDS = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "DROP TABLE ")
TOP_LEVEL = {
    ".ci", ".dockerignore", ".git", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md",
    "Dockerfile", "LICENSE", "Makefile", "README.md", "docker-compose.yml", "docs", "eval", "facealbum", "models",
    "pyproject.toml", "requirements-dev.lock", "requirements.lock", "tests", "workers",
}  # fmt: skip


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_top_level_is_fixed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert found <= TOP_LEVEL, f"move {found - TOP_LEVEL} below one of the fixed folders"


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not silent, f"open these modules with a docstring: {silent}"


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = [
        path for path in SOURCES if {"utils", "util", "helpers", "common", "manager"} & {path.stem, path.parent.name}
    ]
    assert not drawers, f"name these after what they are about: {drawers}"


def test_files_stay_short() -> None:
    long = {path.name: count for path in SOURCES if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long, f"split these files: {long}"


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in SOURCES
        if MIGRATIONS not in path.parents
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno > 60
    ]
    assert not long, f"split these functions: {long}"


def test_sql_text_stays_in_storage() -> None:
    outside = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        if (ROOT / "facealbum" / "storage") not in path.parents
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(SQL_WORDS)
    ]
    assert not outside, f"move this SQL to facealbum/storage: {outside}"


def test_a_migration_imports_nothing_of_ours() -> None:
    for path in (MIGRATIONS / "versions").glob("*.py"):
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        }
        assert not imported & set(PACKAGES), f"{path.name} must stay as it is when the code changes"


def test_a_task_is_thin() -> None:
    for path in (ROOT / "workers").glob("*.py"):
        for function in functions(path):
            body = [node for statement in function.body for node in ast.walk(statement)]
            loops = [node for node in body if isinstance(node, ast.For | ast.While)]
            assert not loops, f"{path.name} {function.name}: loops belong in facealbum/steps"


def test_layers_and_borders_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    ]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    "module", ["facealbum.cli", "facealbum.steps.analyze", "facealbum.steps.cluster", "facealbum.web", "workers"]
)
def test_tensorflow_is_not_imported_by(module: str) -> None:
    program = f"import {module}, sys; sys.exit(bool({{'tensorflow', 'keras', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


LATER = {
    "facealbum.cli": {"typer", "rich", "pydantic", "structlog", "cv2", "sqlalchemy", "facealbum.cli.command"},
    "facealbum.cli.commands": {"cv2", "sqlalchemy", "ai_edge_litert", "boto3", "celery", "facealbum.cli.albums"},
    "facealbum.steps.analysis_pool": {"sqlalchemy", "pydantic", "scipy", "structlog", "rich", "av", "pillow_heif"},
    "facealbum.steps.analyze": {"alembic", "scipy", "structlog", "rich", "av", "pillow_heif"},
    "facealbum.steps.analyze_batch": {"alembic", "scipy", "av", "pillow_heif"},
    "facealbum.web": {"alembic", "plotly", "sklearn", "hdbscan", "pandas", "pyarrow"},
}
"""What each start must not wait for: it is imported where it is used."""


@pytest.mark.parametrize("module", LATER)
def test_what_is_needed_later_is_imported_later(module: str) -> None:
    program = f"import {module}, sys; sys.exit(' '.join({LATER[module]} & set(sys.modules)))"
    checked = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert not checked.stderr.strip(), f"{module} imports these at its start: {checked.stderr}"
