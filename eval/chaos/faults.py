"""What goes wrong on a stage, and when: drawn from a seed, so that a run can be repeated as far as chance allows.

A fault's moment is a share of the photos that are done, as there is nothing to lose where nobody works.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer

import numpy as np

from eval.stage import Program, Stage
from eval.stage.stage import StageError

_OUTAGE_SECONDS = 20.0
_FULL_SECONDS = 10.0
_LAST = 0.95  # of the photos, after which nothing goes wrong any more
_BLOCK = b"\0" * (1 << 20)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, as soon as this share of the photos is done."""

    at: float
    name: str
    happen: Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Dose:
    """How much goes wrong in a run."""

    kills: int = 30
    restarts: int = 3
    outage: bool = True
    full_disk: bool = True


QUIET = Dose(kills=0, restarts=0, outage=False, full_disk=False)


def draw_faults(dose: Dose, processes: Sequence[str], *, seed: int) -> list[Fault]:
    """Faults in the order of their moments; `processes` are the names of what may be killed."""
    draw = np.random.default_rng(seed)
    kills = [_kill(processes[number % len(processes)], number // len(processes)) for number in range(dose.kills)]
    happenings = [
        *kills,
        *[("broker restarts", _restart_broker)] * dose.restarts,
        *[("database restarts", _restart_database)] * dose.restarts,
        *[("object store away", _cut_objects)] * dose.outage,
        *[("disk full", _fill_disk)] * dose.full_disk,
    ]
    moments = np.sort(draw.uniform(0.02, _LAST, len(happenings)))
    order = draw.permutation(len(happenings))
    return [Fault(float(at), *happenings[one]) for at, one in zip(moments, order, strict=True)]


def _kill(name: str, turn: int) -> tuple[str, Callable[[Stage], None]]:
    """SIGKILL to all processes of a program, to its first one, or to one of its children, in turn."""
    how = ("whole", "first", "child")[turn % 3]

    def happen(stage: Stage) -> None:
        program = stage.programs[name]
        if how == "whole":
            program.kill()
        elif how == "first":
            program.kill_first()
        else:
            _kill_child(program)

    return f"kill {name} ({how})", happen


def _kill_child(program: Program) -> None:
    children = program.children()
    if not children:
        program.kill()
        return
    with suppress(ProcessLookupError):
        os.kill(children[0], signal.SIGKILL)


def _restart_broker(stage: Stage) -> None:
    stage.broker.kill()
    time.sleep(1)
    stage.broker.start()


def _restart_database(stage: Stage) -> None:
    stage.postgres.kill()
    time.sleep(1)
    stage.postgres.start()


def _cut_objects(stage: Stage) -> None:
    """For a while; the other faults go on meanwhile."""
    stage.wire.cut()
    timer = Timer(_OUTAGE_SECONDS, stage.wire.mend)
    timer.daemon = True
    timer.start()


def _fill_disk(stage: Stage) -> None:
    """Leave no byte to any server for a while."""
    if not stage.has_quota:
        raise StageError("only a stage with a quota can be filled")
    ballast = stage.disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        deadline = time.monotonic() + _FULL_SECONDS
        while time.monotonic() < deadline:
            try:
                file.write(_BLOCK)
            except OSError:  # full: whatever becomes free meanwhile is taken too
                time.sleep(0.1)
    ballast.unlink()
