"""How long after its upload a photo shows whom it shows, while photos come at random moments.

Photos are sent over HTTP to `facealbum web` of a stage on which workers and a relay run.  First more than the stage
bears, which tells its capacity; then at shares of it, so that they come as they would from many families.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import UUID

import numpy as np

from eval.stage import Stage
from eval.stage.photos import Shot, family_names, make_photos, write_families_csv, write_photos_csv
from eval.stage.servers import free_ports
from eval.stage.stage import StageError
from facealbum.domain.ids import family_id, photo_id
from facealbum.storage.snapshots import load_ways

_FAMILIES = 20
_FIRST_OF_EACH = 8
_FIRST, _LATER = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
_LOADS = (0.5, 0.9)
_CAPACITY_PHOTOS = 600
_TOO_MANY = 16.0  # photos a second, more than two cores bear
_SENDERS = 32
_PATIENCE_SECONDS = 900.0
_TOKEN = "eval-of-delays-only"  # noqa: S105 - it opens a server of the moment
_EDGE = b"----a-photo-of-a-stage"


@dataclass(frozen=True, slots=True)
class Delays:
    """At a load: seconds from a request's start to its answer, and for each face that got one, to its person."""

    load: float
    rate: float
    photos: int
    answered: Sequence[float]
    shown: Sequence[float]


def measure_delays(stage: Stage, *, seconds: float, seed: int) -> list[Delays]:
    """The delays at 50 % and at 90 % of the capacity, for so many seconds each."""
    families = family_names(_FAMILIES)
    introduce(stage, families, seed)
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    stage.start("web", "web", "--port", str(port), API_TOKENS=_TOKEN)
    stage.start("relay", "relay")
    stage.wait(lambda: answers(address), seconds=_PATIENCE_SECONDS)
    draw = np.random.default_rng(seed)
    shots = make_photos(stage.folder / "first-load", families, _CAPACITY_PHOTOS, month=_LATER, seed=seed + 1)
    too_fast = np.arange(len(shots)) / _TOO_MANY
    capacity = _send(stage, address, shots, too_fast, until=float(too_fast[-1])).rate
    found = []
    for number, load in enumerate(_LOADS):
        gaps = draw.exponential(1 / (load * capacity), int(seconds * load * capacity))
        folder = stage.folder / f"load-{number}"
        shots = make_photos(folder, families, len(gaps), month=_LATER, seed=seed + 2 + number)
        found.append(_send(stage, address, shots, np.cumsum(gaps), load=load))
    return found


def rate_of(moments: Sequence[float]) -> float:
    """Events a second between the tenth and the ninetieth percent of them; they are in order."""
    first, last = int(0.1 * len(moments)), int(0.9 * len(moments))
    return (last - first) / (moments[last] - moments[first])


def introduce(stage: Stage, families: Sequence[str], seed: int) -> None:
    """Have the families known people, with whom later photos can be shown."""
    shots = make_photos(stage.folder / "known", families, len(families) * _FIRST_OF_EACH, month=_FIRST, seed=seed)
    people = write_families_csv(stage.folder / "families.csv", families)
    manifest = write_photos_csv(stage.folder / "known.csv", shots)
    stage.run("import", str(manifest), "--families", str(people), broker=False)
    stage.run("analyze", broker=False)
    stage.run("cluster", "--through", f"{_FIRST:%Y-%m}", broker=False)


def _send(
    stage: Stage,
    address: str,
    shots: Sequence[Shot],
    moments: np.ndarray,
    *,
    load: float = 1.0,
    until: float = inf,
) -> Delays:
    """Send each photo at its moment (seconds from now), and wait until all is done; the rate is that up to `until`."""
    start = time.time()
    sent: dict[UUID, float] = {}

    def send(shot: Shot, moment: float) -> float:
        family, name = family_id(shot.family), f"{shot.path.parent.name}-{shot.photo}.jpg"
        time.sleep(max(0.0, start + moment - time.time()))
        begun = sent[photo_id(family, name)] = time.time()
        _post(f"{address}/v1/families/{family}/photos", name, shot.path)
        return time.time() - begun

    with ThreadPoolExecutor(_SENDERS) as senders:
        answered = list(senders.map(send, shots, moments))
    stage.wait_until_calm(seconds=_PATIENCE_SECONDS)
    ways = [one for one in stage.ask(load_ways) or [] if one.photo_id in sent]
    analysed = sorted({one.photo_id: one.analysed_at for one in ways}.values())
    if len(analysed) != len(shots):
        raise StageError(f"{len(shots)} photos were sent, {len(analysed)} came")
    shown = [one.shown_at - sent[one.photo_id] for one in ways if one.shown_at is not None]
    rate = rate_of([moment for moment in analysed if moment < start + until])
    return Delays(load, rate, len(shots), answered, shown)


def _post(url: str, name: str, path: Path) -> None:
    disposition = f'Content-Disposition: form-data; name="files"; filename="{name}"'.encode()
    body = b"\r\n".join([b"--" + _EDGE, disposition, b"", path.read_bytes(), b"--" + _EDGE + b"--", b""])
    headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": f"multipart/form-data; boundary={_EDGE.decode()}"}
    with urlopen(Request(url, body, headers), timeout=60) as answer:  # noqa: S310 - our own server
        answer.read()


def answers(address: str) -> bool:
    """Whether the server is ready."""
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:  # URLError among them
        return False
