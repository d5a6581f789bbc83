"""What both kinds of run share: faults at their moments, messages that come twice, and the look at what is left."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.chaos.faults import QUIET, Dose, draw_faults
from eval.stage import Stage
from eval.stage.stage import StageError
from facealbum.storage.database import Transaction
from facealbum.storage.parked import load_parked
from facealbum.storage.photos import count_photos
from facealbum.storage.snapshots import Waiting, count_doubled_faces, count_waiting, load_rows

_DOUBLES = Path(__file__).parents[1] / "stage" / "doubles.sql"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left, what it waited for in vain, and what went wrong on purpose."""

    seconds: float
    rows: dict[str, list[str]]
    photos: dict[str, int]
    doubled_faces: int
    waiting: Waiting
    parked: list[str]
    messages_twice: int
    killed_by_photo: int
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Storm:
    """A dose of faults for some processes; nothing may stand still for longer than `patience` seconds."""

    dose: Dose
    seed: int
    patience: float = 300.0

    def blow(
        self,
        stage: Stage,
        processes: Mapping[str, tuple[str, ...]],
        work: Callable[[], None],
        *,
        share: Callable[[], float],
        working: Callable[[], bool],
    ) -> Outcome:
        """Start the processes and the work, have the faults happen while its share grows, and wait until all is calm.

        Raises StageError if it doesn't come to an end.
        """
        if self.dose != QUIET:
            stage.ask(lambda transaction: transaction.exec_driver_sql(_DOUBLES.read_text(encoding="utf-8")))
        for name, arguments in processes.items():
            stage.start(name, *arguments)
        start = time.monotonic()
        work()
        happened = self._faults(stage, list(processes), share, working)
        if self.dose != QUIET:
            stage.wait(lambda: _deliver_late(stage, everything=True), seconds=self.patience)
        stage.wait_until_calm(seconds=self.patience)
        seconds = time.monotonic() - start
        outcome = stage.ask(lambda transaction: self._look(transaction, stage, seconds, happened))
        if outcome is None:
            raise StageError("the database went away in peace")
        return outcome

    def _faults(
        self, stage: Stage, processes: list[str], share: Callable[[], float], working: Callable[[], bool]
    ) -> list[str]:
        faults = draw_faults(self.dose, processes, seed=self.seed)
        happened: list[str] = []
        done, moved = 0.0, time.monotonic()
        while faults or working():
            stage.tend()
            if self.dose != QUIET:
                _deliver_late(stage, everything=False)
            if (now := share()) > done:
                done, moved = now, time.monotonic()
            while faults and faults[0].at <= done:
                fault = faults.pop(0)
                happened.append(f"{done:.0%} {fault.name}")
                fault.happen(stage)
            if time.monotonic() - moved > self.patience:
                raise StageError(f"nothing has moved for {self.patience:.0f} s, {done:.0%} done; see {stage.folder}")
            time.sleep(0.05)
        return happened

    def _look(self, transaction: Transaction, stage: Stage, seconds: float, happened: list[str]) -> Outcome:
        wild = self.dose != QUIET
        return Outcome(
            seconds=seconds,
            rows=load_rows(transaction),
            photos=count_photos(transaction),
            doubled_faces=count_doubled_faces(transaction),
            waiting=count_waiting(transaction),
            parked=[f"{one.queue} {one.code} {one.detail}" for one in load_parked(transaction)],
            messages_twice=len(transaction.exec_driver_sql("TABLE late").all()) if wild else 0,
            killed_by_photo=stage.wire.kills,
            faults=happened,
        )


def _deliver_late(stage: Stage, *, everything: bool) -> bool:
    """Whether the late doubles were delivered."""
    call = f"CALL deliver_late({'true' if everything else 'false'})"
    return stage.ask(lambda transaction: transaction.exec_driver_sql(call)) is not None
