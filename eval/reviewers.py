"""How long the dashboard's pages take while many people review at the same time, and workers analyse beside them.

    python -m eval.reviewers [--reviewers 50] [--seconds 300] [--out docs/benchmarks.md]

Each reviewer opens families, persons and photos at random, waits for every face that the page shows and that its
browser has not kept, thinks for a moment, and now and then confirms a face.  `facealbum web` serves them in a process
of its own, and a worker has more photos waiting than it can analyse.  All of it shares this machine.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from eval.bench import write_table
from eval.delays import answers, introduce
from eval.stage import Stage
from eval.stage.photos import family_names, make_photos, write_photos_csv
from eval.stage.servers import free_ports
from facealbum.domain.ids import family_id
from facealbum.storage.snapshots import count_waiting

MARKS = ("<!-- reviewers: start -->", "<!-- reviewers: end -->")
_NEW = datetime(2026, 10, 1, tzinfo=UTC)
_PHOTOS_A_SECOND = 10  # more than a worker analyses beside so many readers
_TOKEN = "eval-of-reviewers-only"  # noqa: S105 - it opens a server of the moment
_PATIENCE_SECONDS = 60.0
_CONFIRMS = 0.2  # of the persons that are looked at, one of their faces is confirmed
_CONFLICT = 409
_ID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
_OVERALL = ("/", "/breakage", "/experiments", "/drift", "/jobs", "/runs")


@dataclass(slots=True)
class Answers:
    """Seconds to each answer's last byte; failed: those that were errors, conflicts: somebody else was faster."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    conflicts: int = 0


class Reviewer:
    """One person with a connection for each page, and a browser that keeps the faces it has seen."""

    def __init__(self, port: int, families: Sequence[str], *, seed: int, think: float) -> None:
        self.found: dict[str, Answers] = defaultdict(Answers)
        self._port, self._families, self._think = port, families, think
        self._draw = np.random.default_rng(seed)
        self._kept: set[str] = set()

    def review(self, until: float) -> Mapping[str, Answers]:
        """Look around until this moment (of time.monotonic), and tell how long each kind of page took."""
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)) as connection:
            while time.monotonic() < until:
                family = f"/families/{family_id(str(self._draw.choice(self._families)))}"
                self._look(connection, str(self._draw.choice(_OVERALL)))
                page = self._look(connection, family)
                for linked in self._some(re.findall(f'href="({family}/(?:persons|photos)/{_ID})"', page), 3):
                    shown = self._look(connection, linked)
                    if "/persons/" in linked and self._draw.random() < _CONFIRMS:
                        self._confirm(connection, family, linked, shown)
                self._look(connection, f"{family}/{self._draw.choice(['review', 'decisions'])}")
        return self.found

    def _look(self, connection: HTTPConnection, path: str) -> str:
        """Open a page with the faces that it shows, and think about it."""
        page = self._ask(connection, "GET", path)
        for source in re.findall(rf'src="(/v1/families/{_ID}/(?:faces|photos)/{_ID}/[^"]+)"', page):
            if source not in self._kept:
                self._kept.add(source)
                self._ask(connection, "GET", source)
        connection.close()  # servers keep an idle one for seconds only; the next request opens another
        time.sleep(self._draw.exponential(self._think))
        return page

    def _confirm(self, connection: HTTPConnection, family: str, person: str, page: str) -> None:
        faces = self._some(re.findall(rf"/faces/({_ID})/crop", page), 1)
        if faces:
            body = {"kind": "confirm", "faces": faces, "person": person.rpartition("/")[2]}
            self._ask(connection, "POST", f"/v1{family}/decisions", json.dumps(body))

    def _some(self, found: Iterable[str], most: int) -> list[str]:
        known = sorted(set(found))
        return [known[place] for place in self._draw.permutation(len(known))[:most]]

    def _ask(self, connection: HTTPConnection, method: str, path: str, body: str | None = None) -> str:
        """One request over the connection; gives the answer's text, of pictures nothing."""
        kind = self.found[f"{method} {re.sub(_ID, '…', path.partition('?')[0])}"]
        headers = {"Authorization": f"Bearer {_TOKEN}", "Accept": "text/html", "Content-Type": "application/json"}
        start = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            connection.close()
            kind.failed += 1
            return ""
        kind.seconds.append(time.monotonic() - start)
        conflict = method == "POST" and answer.status == _CONFLICT
        kind.conflicts += conflict
        kind.failed += answer.status >= 400 and not conflict  # noqa: PLR2004 - HTTP's errors
        return content.decode() if answer.headers.get_content_type() == "text/html" else ""


def measure(stage: Stage, *, reviewers: int, families: int, seconds: float, think: float) -> str:
    """Have so many people review for so long, and tell it as a table."""
    names = family_names(families)
    introduce(stage, names, 30)
    stage.run("dashboard", "refresh", "--all")
    more = make_photos(stage.folder / "new", names, int(_PHOTOS_A_SECOND * seconds), month=_NEW, seed=31)
    stage.run("import", str(write_photos_csv(stage.folder / "new.csv", more)))
    (port,) = free_ports(1)
    stage.start("web", "web", "--port", str(port), API_TOKENS=_TOKEN)
    stage.start("relay", "relay")
    stage.start("worker", "worker", "--processes", "1")
    stage.wait(lambda: answers(f"http://127.0.0.1:{port}"), seconds=_PATIENCE_SECONDS)
    before, until = _waiting(stage), time.monotonic() + seconds
    people = [Reviewer(port, names, seed=seed, think=think) for seed in range(reviewers)]
    with ThreadPoolExecutor(reviewers) as together:
        list(together.map(lambda one: one.review(until), people))
    analysed = before - _waiting(stage)
    heading = (
        f"{reviewers} reviewers for {seconds:.0f} s in {families} families, {think:g} s of thought a page on average;"
        f" a worker analysed {analysed} photos meanwhile, and {before - analysed} still waited.\n\n"
    )
    return heading + render(people)


def _waiting(stage: Stage) -> int:
    waiting = stage.ask(count_waiting)
    return waiting.photos if waiting else 0


def render(people: Iterable[Reviewer]) -> str:
    """Every kind of page and request, by its name."""
    together: dict[str, Answers] = defaultdict(Answers)
    for one in people:
        for kind, found in one.found.items():
            every = together[kind]
            every.seconds += found.seconds
            every.failed += found.failed
            every.conflicts += found.conflicts
    lines = ["| what | requests | p50, ms | p95, ms | conflicts | errors |", "|---|---:|---:|---:|---:|---:|"]
    for kind, found in sorted(together.items()):
        middle, late = (1000 * np.quantile(found.seconds, (0.5, 0.95))) if found.seconds else (np.nan, np.nan)
        counted = f"{len(found.seconds):,} | {middle:.0f} | {late:.0f}"
        lines.append(f"| `{kind}` | {counted} | {found.conflicts} | {found.failed} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--families", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--think", type=float, default=2.0, help="seconds between pages, on average")
    parser.add_argument("--out", type=Path, help="write the table between the marks of this file")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="facealbum-reviewers-") as folder,
        Stage(Path(folder) / "stage") as stage,
    ):
        table = measure(
            stage, reviewers=given.reviewers, families=given.families, seconds=given.seconds, think=given.think
        )
    sys.stdout.write(table)
    if given.out:
        write_table(given.out, table, marks=MARKS)


if __name__ == "__main__":
    main()
