"""Decode strangers' bytes in a process that may die or hang, and say what became of each; measures as Linux does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from os import sysconf
from pathlib import Path
from time import process_time

from eval.hostile.files import HostileFile
from facealbum.errors import PhotoError
from models.decode import decode
from models.limits import Limits

PICTURE, CRASH, HANG = "picture", "crash", "hang"
_OWN_STATUS, _OWN_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Reader = Callable[..., object]

_GRACE = 60  # wall seconds for each second of processor time that a file may take: other processes run as well


@dataclass(frozen=True, slots=True)
class Trial:
    """ended: `picture`, the code of a PhotoError, `crash` or `hang`; seconds of processor time; megabytes at most."""

    file: HostileFile
    ended: str
    seconds: float
    megabytes: float


def try_files(
    files: Iterable[HostileFile], *, limits: Limits, max_seconds: float = 5.0, read: Reader = decode
) -> Iterator[Trial]:
    """One trial for each file, in order; a process that dies or works longer than `max_seconds` is replaced."""
    child = None
    for file in files:
        child = child or _Child(limits, read)
        trial = child.try_file(file, max_seconds)
        yield trial
        if trial.ended in (CRASH, HANG):
            child.stop()
            child = None
    if child:
        child.stop()


class _Child:
    def __init__(self, limits: Limits, read: Reader) -> None:
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, limits, read), daemon=True)
        self._process.start()
        theirs.close()
        self._ours.recv()

    def try_file(self, file: HostileFile, max_seconds: float) -> Trial:
        before = self._spent()
        self._ours.send_bytes(b"." + file.data)
        if not any(self._ours.poll(max_seconds) or self._spent() - before > max_seconds for _ in range(_GRACE)):
            return Trial(file, HANG, max_seconds * _GRACE, 0.0)
        if not self._ours.poll():
            return Trial(file, HANG, self._spent() - before, 0.0)
        try:
            ended, seconds, megabytes = self._ours.recv()
        except EOFError:
            return Trial(file, CRASH, 0.0, 0.0)
        return Trial(file, HANG if seconds > max_seconds else ended, seconds, megabytes)

    def _spent(self) -> float:
        """Seconds of processor time that the process has taken so far, by itself and for it (proc(5), stat)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._ours.close()


def _serve(pipe: Connection, limits: Limits, read: Reader) -> None:
    """Answer until the other end goes away; an error that is no PhotoError ends the process, which is a crash."""
    pipe.send("ready")
    while True:
        try:
            data = pipe.recv_bytes()[1:]
        except EOFError:
            return
        _OWN_PEAK.write_text("5")  # starts a new peak, see proc(5)
        start = process_time()
        try:
            read(data, limits=limits)
            ended = PICTURE
        except PhotoError as error:
            ended = error.code
        pipe.send((ended, process_time() - start, _megabytes()))


def _megabytes() -> float:
    (line,) = (line for line in _OWN_STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
