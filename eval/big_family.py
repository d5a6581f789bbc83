"""What the pages, lists and decisions of one very large family cost, from `facealbum web` in a process of its own.

    python -m eval.big_family --faces 50000 [--keep FOLDER] [--out docs/dashboard-views.md]

PostgreSQL draws the family (eval/big_family.sql): ten years, 300 people of whom few are seen most.  Beside what a
reader waits for stands the processor time of the web process and PostgreSQL, which tells more on a busy machine.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from eval.bench import write_table
from eval.dashboard_load import refresh, serve
from facealbum.clustering import BreakageThresholds, ClusteringParameters
from facealbum.domain.ids import FamilyId, family_id
from facealbum.linking import LinkParameters
from facealbum.storage.analyses import ensure_analyzer
from facealbum.storage.database import Database, open_database
from facealbum.storage.families import load_families
from facealbum.storage.runs import ensure_arm

_SCRIPT = Path(__file__).with_suffix(".sql")
_TIMES = 5
_FAMILY = "big"
_MARKS = "<!-- big: start -->", "<!-- big: end -->"
LISTS = (
    "albums",
    "albums/{child}/photos",
    "albums/children/photos",
    "faces",
    "faces/{face}",
    "faces/{face}/explanation",
    "highlights?month=2020-10",
    "persons",
    "persons/{person}",
    "persons/{person}/faces",
    "photos",
    "photos/{photo}",
)
PAGES = ("", "/persons/{person}", "/waiting", "/photos/{photo}", "/decisions", "/changes")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds: the median wait, and processor time a call."""

    waited: float
    worked: float


def draw(database: Database, faces: int) -> FamilyId:
    """Write the family, with so many faces, unless it is there."""
    with database.begin() as transaction:
        known = [one.family_id for one in load_families(transaction) if one.name == _FAMILY]
        if known:
            return known[0]
        analyzer = ensure_analyzer(transaction, {"detector": "drawn"}, "fused-512")
        parameters = {"clustering": ClusteringParameters().to_dict(), "linking": LinkParameters().to_dict()}
        parameters["breakage"] = asdict(BreakageThresholds())
        arm = ensure_arm(
            transaction, "default", space_id=analyzer.space_id, algorithm="constrained", parameters=parameters
        )
        given = {"faces": faces, "family": str(family_id(_FAMILY)), "arm": arm.arm_id}
        given |= {"analyzer": analyzer.analyzer_id, "space": analyzer.space_id}
        transaction.exec_driver_sql(_SCRIPT.read_text(encoding="utf-8"), given)
    refresh(database)
    with database.begin() as transaction:
        transaction.exec_driver_sql("ANALYZE")
    return family_id(_FAMILY)


def _send(address: str, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    request = Request(address + path, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own
    try:
        with urlopen(request) as answer:  # noqa: S310 - our own
            text = answer.read()
    except HTTPError as error:
        raise SystemExit(f"{method} {path} was answered {error.code}: {error.read().decode()}") from error
    return json.loads(text) if path.startswith("/v1") else text


def _worked(folder: Path) -> float:
    """Milliseconds that the server of this folder, its children and our own have worked, those that ended too."""
    (file,) = folder.glob("postgres/**/postmaster.pid")
    server = int(file.read_text().split("\n", 1)[0])
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        if int(stat.parent.name) == server or int(parts[1]) in (server, os.getpid()):  # its parent
            ticks += sum(map(int, parts[11:15]))
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def measure(folder: Path, *calls: Callable[[], object]) -> list[Cost]:
    """Do these in turns several times; what each costs."""
    waited: list[list[float]] = [[] for _ in calls]
    worked = [0.0] * len(calls)
    for _ in range(_TIMES):
        for number, call in enumerate(calls):
            before, start = _worked(folder), perf_counter()
            call()
            waited[number].append(1000 * (perf_counter() - start))
            worked[number] += (_worked(folder) - before) / _TIMES
    return [Cost(median(times), work) for times, work in zip(waited, worked, strict=True)]


def browse(folder: Path, address: str, family: FamilyId) -> Iterator[tuple[str, Cost]]:
    """Every list and page, asked for once before it is measured."""
    below = f"/v1/families/{family}"
    named = _names(address, below)
    paths = [f"{below}/{one}" for one in LISTS] + [f"/families/{family}{one}" for one in PAGES]
    for path in paths:
        call = partial(_send, address, "GET", path.format(**named))
        call()
        (cost,) = measure(folder, call)
        yield f"`{path.replace(str(family), '{family}')}`", cost
    search = partial(_send, address, "POST", f"{below}/search", {"face_id": named["face"]})
    yield "search by a face", measure(folder, search)[0]


def _names(address: str, below: str) -> Mapping[str, str]:
    """The largest person, one of its faces with its photo, a smaller person, and a child."""
    persons = _send(address, "GET", f"{below}/persons?limit=200")["items"]
    person = persons[0]["person_id"]
    face = _send(address, "GET", f"{below}/persons/{person}/faces")["items"][7]
    child = _send(address, "GET", f"{below}/children")["items"][0]["child_id"]
    named = {"person": person, "other": persons[60]["person_id"], "child": child}
    return named | {"face": face["face_id"], "photo": face["photo_id"]}


def decide(folder: Path, address: str, family: FamilyId) -> Iterator[tuple[str, Cost]]:
    """Decisions about the largest person and a smaller one, each taken back at once."""
    path = f"/v1/families/{family}/decisions"
    named = _names(address, f"/v1/families/{family}")
    faces, person, other = [named["face"]], named["person"], named["other"]
    said: Mapping[str, Mapping[str, object]] = {
        "confirm": {"faces": faces, "person": person},
        "reject": {"faces": faces, "person": person},
        "move": {"faces": faces, "person": person, "other": other},
        "split": {"faces": faces, "person": person},
        "merge": {"person": other, "other": person},
        "link": {"person": other, "child": named["child"]},
        "name": {"person": person, "name": "Hana"},
        "not_a_face": {"faces": faces},
        "age": {"faces": faces, "age": 3},
    }
    for kind, about in said.items():
        numbers: list[int] = []
        body = {"kind": kind, **about}
        made, undone = measure(
            folder,
            lambda body=body, numbers=numbers: numbers.append(_send(address, "POST", path, body)["number"]),  # type: ignore[misc]
            lambda numbers=numbers: _send(address, "DELETE", f"{path}/{numbers[-1]}"),  # type: ignore[misc]
        )
        yield f"decide `{kind}`", made
        yield f"undo `{kind}`", undone


def load(folder: Path, faces: int) -> str:
    """Measure the family with so many faces, and tell it as Markdown."""
    with open_database(None, folder) as database:
        family = draw(database, faces)
        with serve(folder) as address:
            found = [*browse(folder, address, family), *decide(folder, address, family)]
    lines = [
        f"One family of {faces:,} faces; medians of {_TIMES}.",
        "",
        "| what | ms | of it processor time |",
        "|---|---:|---:|",
    ]
    return "\n".join([*lines, *(f"| {what} | {cost.waited:.0f} | {cost.worked:.0f} |" for what, cost in found)])


def main() -> None:
    """Parse the command line, and print or write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=50_000)
    parser.add_argument("--keep", type=Path, help="a folder for the database")
    parser.add_argument("--out", type=Path, help="the document that holds the table between its marks")
    options = parser.parse_args()
    with ExitStack() as stack:
        told = load(options.keep or Path(stack.enter_context(TemporaryDirectory())), options.faces)
    if options.out is None:
        print(told)  # noqa: T201 - what this program is for
        return
    write_table(options.out, f"{told}\n", marks=_MARKS)


if __name__ == "__main__":
    main()
