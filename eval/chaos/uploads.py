"""Families upload photos, hostile files among them, while things go wrong.

The first month is analysed and clustered in peace, so that there are people whom later photos can be shown with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

from eval.chaos.storm import Outcome, Storm
from eval.stage import Stage
from eval.stage.photos import (
    Shot,
    family_names,
    make_hostile_files,
    make_photos,
    write_families_csv,
    write_photos_csv,
)
from eval.stage.stage import StageError
from facealbum.storage.photos import count_photos

PROCESSES = {
    "analysis-1": ("worker", "--queues", "analysis", "--processes", "1"),
    "analysis-2": ("worker", "--queues", "analysis", "--processes", "1"),
    "rest": ("worker", "--queues", "matching,clustering,evaluation,maintenance", "--processes", "1"),
    "relay": ("relay",),
    "beat": ("beat",),
}
_FIRST, _LATER = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
_FIRST_OF_EACH = 8
_HOSTILE_SHARE = 0.02
_BURSTS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """The files of a run in the order of their upload, and the one that kills each process that reads it."""

    families: list[str]
    first: list[Shot]
    later: list[Shot]
    deadly: Shot


def make_upload(folder: Path, *, photos: int, families: int, seed: int) -> Upload:
    """Photos of these families, with hostile files here and there."""
    names = family_names(families)
    first = make_photos(folder / "first", names, families * _FIRST_OF_EACH, month=_FIRST, seed=seed)
    later = make_photos(folder / "later", names, photos, month=_LATER, seed=seed + 1)
    deadly = later[photos // 2]
    hostile = make_hostile_files(
        folder / "hostile", names, 3 + int(photos * _HOSTILE_SHARE), month=_LATER, seed=seed + 2
    )
    for number, shot in enumerate(hostile):
        later.insert(number * 50 % photos, shot)
    return Upload(names, first, later, deadly)


def run_uploads(stage: Stage, upload: Upload, storm: Storm) -> Outcome:
    """Upload everything while the storm blows."""
    families = write_families_csv(stage.folder / "families.csv", upload.families)
    first = write_photos_csv(stage.folder / "first.csv", upload.first)
    stage.run("import", str(first), "--families", str(families), broker=False)
    stage.run("analyze", broker=False)
    stage.run("cluster", "--through", f"{_FIRST:%Y-%m}", broker=False)
    stage.wire.make_deadly(f"originals/{sha256(upload.deadly.path.read_bytes()).hexdigest()}")

    def share() -> float:
        photos = stage.ask(count_photos) or {}
        done = sum(count for status, count in photos.items() if status != "pending")
        return (done - len(upload.first)) / len(upload.later)

    with _Uploading(stage, upload.later) as uploading:
        return storm.blow(stage, PROCESSES, uploading.start, share=share, working=uploading.goes_on)


class _Uploading:
    """Burst after burst by the command line, in a thread; a burst that fails is tried again, as its user would."""

    def __init__(self, stage: Stage, shots: Sequence[Shot]) -> None:
        self._stage, self._shots = stage, shots
        self._stopped = Event()
        self._thread = Thread(target=self._upload, daemon=True)
        self.start, self.goes_on = self._thread.start, self._thread.is_alive

    def __enter__(self) -> "_Uploading":  # noqa: PYI034 - nobody derives from it
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread.ident:
            self._thread.join()

    def _upload(self) -> None:
        for number, shots in enumerate(_portions(self._shots, 1 + len(self._shots) // _BURSTS)):
            photos = write_photos_csv(self._stage.folder / f"burst-{number:03d}.csv", shots)
            while not self._stopped.is_set():
                try:
                    self._stage.run("import", str(photos))
                    break
                except StageError:
                    self._stopped.wait(0.5)


def _portions(shots: Sequence[Shot], size: int) -> Iterator[Sequence[Shot]]:
    for start in range(0, len(shots), size):
        yield shots[start : start + size]
