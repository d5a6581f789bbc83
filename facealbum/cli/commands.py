"""Every command by its name; the module of one is imported when that command is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from facealbum import console

MODULES = {
    "albums": ("import", "analyze", "cluster", "albums", "export"),
    "reports": ("report",),
    "decisions": ("decide", "decisions", "persons"),
    "looking": ("analyze-file", "contact-sheet"),
    "explain": ("explain",),
    "system": ("demo", "doctor", "migrate"),
    "workers": ("worker", "beat", "relay", "requeue"),
    "stack": ("stack",),
    "web": ("web", "events"),
    "families": ("family",),
    "photos": ("photo",),
    "models": ("models",),
    "pipelines": ("pipelines",),
    "runs": ("run",),
    "annotation": ("sample",),
    "metrics": ("metrics",),
    "signals": ("signals",),
    "compat": ("eval", "reembed"),
    "arms": ("arms",),
    "experiments": ("experiment",),
    "searches": ("search",),
    "drift": ("drift",),
    "fairness": ("fairness", "attribution"),
    "features": ("features",),
    "lineage": ("lineage",),
    "dashboard": ("dashboard",),
    "access": ("user", "token"),
}
"""The commands of each module beside this one, in the order in which they are listed."""


class _Commands(Mapping[str, Any]):
    """The commands by name, each loaded when it is first looked at."""

    def __init__(self) -> None:
        self._module = {name: module for module, names in MODULES.items() for name in names}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer names no type of its own for a command
        if name not in self._loaded:
            self._loaded |= load_commands(self._module[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._module)

    def __len__(self) -> int:
        return len(self._module)


def load_commands(module: str) -> dict[str, Any]:
    """The commands of a module of this package by name."""
    whole = typer.Typer()
    whole.add_typer(import_module(f"facealbum.cli.{module}").app)
    return dict(typer.main.get_group(whole).commands)


class _Group(TyperGroup):
    """All commands."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**attributes)
        self.commands = _Commands()  # type: ignore[assignment]  # nobody adds to it


app = typer.Typer(cls=_Group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        console.say(f"facealbum {version('facealbum')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turns a family's photo stream into an album per child."""
