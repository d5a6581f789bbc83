"""How results look in a terminal, and as JSON for machines."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

_ENDLESS = 1_000_000
"""Columns of what is no terminal: there a row of a table is one line, for grep and awk."""

out = Console(highlight=False)
if not out.is_terminal:
    out.width = _ENDLESS
err = Console(stderr=True, highlight=False)

_SHOWN_PROBLEMS = 20
_SHORT = re.compile(r"-?\d+\.\d{1,4}")  # a number of more digits was not rounded for people
_WHOLE = 32
"""Characters of a table's first column that stay on one line, so that a name can be copied."""


@dataclass(slots=True)
class Bars:
    """Progress bars on standard error, one task at a time."""

    bars: Progress
    task: TaskID | None = None

    def begin(self, task: str, total: int) -> None:
        """Replace the bar with one for this task."""
        if self.task is not None:
            self.bars.remove_task(self.task)
        self.task = self.bars.add_task(task, total=total)

    def advance(self, parts: int = 1) -> None:
        """Move the bar on."""
        if self.task is not None:
            self.bars.advance(self.task, parts)


@contextmanager
def progress_bars() -> Iterator[Bars]:
    """Bars that vanish when the block ends; nothing is drawn where there is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        yield Bars(bars)


@contextmanager
def transfer_bar(task: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar for bytes on the way; what it yields is told how many are there, and how many there will be."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        bar = bars.add_task(task, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def say(text: str) -> None:
    """One line for people; names from photos and manifests are shown as they are."""
    out.print(text, markup=False, soft_wrap=True)


def say_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """One JSON value on standard output, the only thing there."""
    out.print(json.dumps(value, ensure_ascii=False, default=_plain), markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line on standard error."""
    err.print(text, style="red", markup=False, soft_wrap=True)


def show_problems(lines: Sequence[str]) -> None:
    """Each problem on a line of its own; of very many the first, and how many more there are."""
    for line in lines[:_SHOWN_PROBLEMS]:
        err.print(f"  ! {line}", style="yellow", markup=False, soft_wrap=True)
    if len(lines) > _SHOWN_PROBLEMS:
        err.print(f"  ! … and {len(lines) - _SHOWN_PROBLEMS} more (--json shows all)", style="yellow")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table; numbers to the right, point below point.  Rows wrap in a terminal alone."""
    cells = [list(row) for row in rows]
    if title:
        out.print(title, style="italic", markup=False, soft_wrap=True)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int | float) for row in cells)
        whole = number == 0 and all(len(str(row[0])) <= _WHOLE for row in cells)
        shown.add_column(column, justify="right" if numeric and cells else "left", overflow="fold", no_wrap=whole)
    for row in zip(*(_texts([row[number] for row in cells]) for number in range(len(columns))), strict=True):
        shown.add_row(*map(escape, row))
    out.print(shown)


def _texts(cells: Sequence[object]) -> list[str]:
    """What a column says; where all of it are short decimals, each with as many digits as the longest."""
    texts = [str(cell) for cell in cells]
    if not all(isinstance(cell, float) and _SHORT.fullmatch(text) for cell, text in zip(cells, texts, strict=True)):
        return texts
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{cell:.{digits}f}" for cell in cells]


def _plain(value: object) -> object:
    """Sets as sorted lists; paths, dates and ids as text."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
