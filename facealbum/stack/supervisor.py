"""Keeps programs running: what ends is started again, after a pause that grows while it keeps ending.

Each program has a process group of its own, so a Ctrl-C in the terminal reaches the supervisor alone, and what a
program leaves behind is found.  A supervisor that is killed takes its programs along (see `leash`).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from facealbum.stack import leash

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LIVED_LONG = 60.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """What is to run; its output goes to the file `log`, written anew at each start, or where ours goes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None


class Supervisor:
    """Runs programs for the length of a block; tells `tell` of each that ended by itself."""

    def __init__(self, *, grace: float, tell: Callable[[str], None]) -> None:
        self._grace = grace
        self._tell = tell
        self._children: list[_Child] = []

    def start(self, program: Program) -> None:
        """One more program, from now on."""
        self._children.append(_Child(program))

    def look(self) -> None:
        """Start again what has ended and whose pause is over."""
        for child in self._children:
            if news := child.look(time.monotonic()):
                self._tell(news)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Tell all programs to stop at once; what still lives after the grace time is killed."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while any(child.lives() for child in self._children) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        for child in self._children:
            child.end()


class _Child:
    """A program and its process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._pause = _FIRST_PAUSE
        self._due: float | None = None  # when it is started again, if it has ended
        self._start()

    def _start(self) -> None:
        leashed = [sys.executable, "-S", leash.__file__, str(os.getpid()), *self.program.command]
        environment = {**os.environ, **self.program.environment}
        log = self.program.log
        with log.open("wb") if log else nullcontext(sys.stderr.fileno()) as output:
            self._process = subprocess.Popen(  # noqa: S603 - the stack's own programs, and no shell
                leashed,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        self._started = time.monotonic()
        self._due = None

    def look(self, now: float) -> str | None:
        """Start it again if it is time to; tells that it has ended, once."""
        if self.lives():
            return None
        if self._due is None:
            self.end()
            if now - self._started > _LIVED_LONG:
                self._pause = _FIRST_PAUSE
            self._due = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            return f"{self.program.name} ended ({_cause(self._process.returncode)}) and starts again"
        if now >= self._due:
            self._start()
        return None

    def lives(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To the first process of its group, which knows what to do with the others."""
        if self.lives():
            self._process.send_signal(number)

    def end(self) -> None:
        """Kill what is left of its group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _cause(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
