"""What the commands share: their options, the world they work in, and how they end."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.settings import load_settings

if TYPE_CHECKING:
    from facealbum.steps.context import Context

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
OneFamily = Annotated[str | None, typer.Option("--family", help="Only this family.")]

_SHORT = 8


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PROBLEMS = 3


@contextmanager
def open_world() -> Iterator["Context"]:
    """Database, object store and progress bars of this environment's settings."""
    from facealbum.steps.context import open_context

    with console.progress_bars() as bars, open_context(load_settings(), progress=bars) as context:
        yield context


def say_result(result: object, text: str, *, as_json: bool) -> None:
    """The result as JSON, or its one line of text."""
    if as_json:
        console.say_json(result)
    else:
        console.say(text)


def short_id(identity: object) -> str:
    """Enough digits of an id to tell millions of faces apart; commands take ids cut short."""
    return str(identity)[:_SHORT]


def count_of(number: int, one: str, many: str | None = None) -> str:
    """So many of them, in words: "1 family", "2 families"; without `many` with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def finish(*, problems: bool) -> None:
    """End the command, with the code for problems if there were some."""
    if problems:
        raise typer.Exit(Exit.PROBLEMS)
