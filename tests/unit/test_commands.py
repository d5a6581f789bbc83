"""The command line knows every command before it imports any."""

import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import typer

from facealbum import cli
from facealbum.cli.commands import MODULES, app, load_commands

FOLDER = Path(cli.__file__).parent


@pytest.mark.parametrize("module", MODULES)
def test_a_module_holds_the_commands_that_are_listed_for_it(module: str) -> None:
    assert sorted(load_commands(module)) == sorted(MODULES[module])


def test_every_module_with_commands_is_listed() -> None:
    shared = {"__init__", "command", "commands", "releases"}  # releases are commands of models
    assert {path.stem for path in FOLDER.glob("*.py")} - shared == set(MODULES)


def test_all_commands_are_there_in_the_order_of_the_list() -> None:
    group = typer.main.get_command(app)
    assert list(group.commands) == list(chain.from_iterable(MODULES.values()))  # type: ignore[attr-defined]


def test_a_command_imports_its_own_module_alone() -> None:
    program = (
        "import sys; from facealbum.cli.commands import app; app(['analyze', '--help'], standalone_mode=False); "
        "sys.exit(' '.join(sorted(one for one in sys.modules if one.startswith('facealbum.cli.'))))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stderr
    assert told.split() == ["facealbum.cli.albums", "facealbum.cli.command", "facealbum.cli.commands"]


def test_a_slip_is_told_what_was_meant() -> None:
    told = subprocess.run([sys.executable, "-m", "facealbum", "anlyze"], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "Did you mean 'analyze'" in told.stderr
