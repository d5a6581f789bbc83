"""A step of a pipeline: a function from folders of files to a folder of files.

A step reads what earlier ones left, writes into `work.out` and nowhere else, and draws from `work.seed` alone.  So the
same inputs give the same files, and what was made once need not be made again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from facealbum.steps.context import Context

Value = int | float | str
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is given.

    inputs: the folder of each step that it needs, to read only.  out: its own folder, empty at first, and kept once
    the step is done.  scratch: a folder of this work alone, for checkpoints; it outlives a kill and goes once the step
    is done.  source: where data come from, `bench:FOLDER` or `confirmed`; None behind the first step.  context: None
    where there is no database.  log: takes a line for the run's record; it names nobody.
    """

    inputs: Mapping[str, Path]
    out: Path
    scratch: Path
    parameters: Values
    seed: int
    source: str | None
    context: Context | None
    log: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what runs, the steps that it needs, and the version of its code.

    `version` is raised when a change of the code changes what comes out.  parameters: the names of those that it is
    given, so that others change nothing for it.  seeded: whether it is given the seed.  asks: whether it reads what no
    key can name, as a database, and so runs every time; what it finds is kept under its own digest.
    """

    name: str
    run: Callable[[Work], None]
    needs: tuple[str, ...] = ()
    version: int = 1
    parameters: tuple[str, ...] = ()
    seeded: bool = True
    asks: bool = False
