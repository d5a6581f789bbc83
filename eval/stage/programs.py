"""Child processes that end with their parent, however it ends, and what the kernel tells of them."""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PAGE = resource.getpagesize()
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None)


class Program:
    """A command that runs until it is killed; its words are added to a log."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, folder: Path, log: Path) -> None:
        self.command, self.environment, self.folder, self.log = list(command), dict(environment), folder, log
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs, and no shell
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call of the kernel, no lock is taken
            )

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.process.poll() is None

    def children(self) -> list[int]:
        """The processes that it has started."""
        return children_of(self.pid)

    def kill(self) -> None:
        """SIGKILL to all its processes at once, as when a machine goes."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def kill_first(self) -> None:
        """SIGKILL to its first process alone."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Have it do nothing, and answer nobody, until `resume`."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """SIGTERM to its first process."""
        self.process.terminate()


def _die_with_parent() -> None:
    _libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, and that run."""
    return [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]


def resident_mb(pid: int) -> float:
    """Megabytes that a process holds in memory; 0 if it is gone."""
    pages = _read(f"/proc/{pid}/statm").split()
    return int(pages[1]) * _PAGE / 1e6 if pages else 0.0


def open_files(pid: int) -> int:
    """Files, sockets and pipes that a process has open; 0 if it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, and its children that have ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def owner_of_port(port: int, among: Sequence[int]) -> int | None:
    """Which of these processes has a connection from this port of the loopback device."""
    wanted = {
        f"socket:[{fields[9]}]"
        for fields in map(str.split, _read("/proc/net/tcp").splitlines()[1:])
        if fields[1].endswith(f":{port:04X}")
    }
    for pid in among:
        try:
            sockets = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:
            continue
        if wanted & sockets:
            return pid
    return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
