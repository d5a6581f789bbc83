"""What clustering costs: processor time and memory against the number of faces, and month by month over the years.

    python -m eval.cost [--faces 250 500 ...] [--months 180]

Families are drawn, with the spread of similarities that the albums with known truth have: about 0.6 within a person,
0.13 between two.  Half of the faces up to 1,000, and 500 of more, are nodes.  Each size is measured in a process of its
own on one thread; `product` is the matrix product of all embeddings with all.
"""

import argparse
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from time import process_time
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering import (
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    Node,
    Observation,
    cluster_unpinned,
    count_breakage,
    plan_beside_unpinned,
    plan_clusters,
    select_family_nodes,
)
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, PersonId, PhotoId

SIZES = (250, 500, 1000, 2000, 4000, 8000)
MOST_FOR_HDBSCAN = 4000
_OFTEN = 2000  # from more faces on, once must do
_MONTHS, _A_MONTH = 180, 100
_START = datetime(2011, 1, 1, tzinfo=UTC)
_PARAMETERS = ClusteringParameters()


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time, the medians of several; `both` shares work; `megabytes` is the peak."""

    faces: int
    product: float
    plan: float
    unpinned: float
    both: float
    hdbscan: float | None
    megabytes: float


def draw_family(faces: int, *, years: float = 15, seed: int = 0) -> tuple[list[Observation], list[int]]:
    """Faces in the order of time, and who each is; a few people are on most photos."""
    draw = np.random.default_rng([seed, faces])
    people = 8 + faces // 40
    often = 1 / np.arange(1, people + 1)
    who = draw.choice(people, faces, p=often / often.sum())
    when = np.sort(draw.random(faces))
    stage = who * 6 + (when * 6).astype(int)
    rows = 0.37 * _looks(draw, 1) + 0.75 * _looks(draw, people)[who] + 0.45 * _looks(draw, people * 6)[stage]
    rows += np.sqrt(draw.uniform(0.12, 0.5, (faces, 1))).astype(np.float32) * _looks(draw, faces)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids, photos = draw.permutation(faces).tolist(), np.cumsum(draw.random(faces) < 2 / 3).tolist()
    quality, taken = draw.uniform(0.3, 1, faces).tolist(), (when * years * 365.25).tolist()
    found = [
        Observation(
            FaceId(UUID(int=ids[n])),
            PhotoId(UUID(int=photos[n])),
            _START + timedelta(days=taken[n]),
            quality[n],
            0.0,
            100.0,
            rows[n],
        )
        for n in range(faces)
    ]
    return found, who.tolist()


def _looks(draw: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Directions in which faces differ: a few hold most of it, as with real embeddings."""
    rows = draw.normal(size=(count, EMBEDDING_SIZE)).astype(np.float32)
    rows /= np.float32(1) + np.arange(EMBEDDING_SIZE, dtype=np.float32) / 30
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def measure(faces: int) -> Cost:
    """The cost of one family of that many faces and nodes."""
    drawn, who = draw_family(faces)
    nodes = min(faces // 2, 500)
    known = tuple(Node(face, _person(one)) for face, one in zip(drawn[:nodes], who[:nodes], strict=True))
    problem = ClusteringProblem(faces=tuple(drawn[nodes:]), nodes=known)
    times = 9 if faces <= _OFTEN else 1
    plan = _time(lambda: plan_clusters(problem, _PARAMETERS), times)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    unpinned = _time(lambda: cluster_unpinned(problem, _PARAMETERS), times)
    both = _time(lambda: _plan_and_break(problem), times)
    vectors = np.stack([face.embedding for face in drawn])
    return Cost(faces, _product(vectors, times), plan, unpinned, both, _hdbscan(vectors), megabytes)


def _plan_and_break(problem: ClusteringProblem) -> ClusterPlan:
    """All that a month needs: the plan, and what became of the pseudo-labels."""
    plan, free = plan_beside_unpinned(problem, _PARAMETERS)
    count_breakage(free.label(free.cluster()))
    return plan


def _product(vectors: NDArray[np.float32], times: int) -> float:
    """In bands of rows, so that 40,000 faces fit; as numpy multiplies a matrix by itself, half of it is enough."""
    if len(vectors) <= SIZES[-1]:
        return _time(lambda: vectors @ vectors.T, times)

    def multiply() -> None:
        for at in range(0, len(vectors), 1000):
            vectors[at : at + 1000] @ vectors.T

    return _time(multiply, 1) / 2


def _hdbscan(vectors: NDArray[np.float32]) -> float | None:
    if len(vectors) > MOST_FOR_HDBSCAN:
        return None
    from hdbscan import HDBSCAN  # noqa: PLC0415 - it would count as memory of the plan

    return _time(lambda: HDBSCAN(core_dist_n_jobs=1).fit(vectors), 1)


def _time(work: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        start = process_time()
        work()
        found.append(process_time() - start)
    return float(np.median(found)) * 1000


def _person(number: int) -> PersonId:
    return PersonId(UUID(int=number))


def exponent(costs: Sequence[Cost], of: Callable[[Cost], float]) -> tuple[float, float]:
    """The power of the number of faces with which the cost grows, and its standard error."""
    x, y = np.log([cost.faces for cost in costs]), np.log([of(cost) for cost in costs])
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))


def measure_months(months: int = _MONTHS) -> list[float]:
    """Milliseconds to plan each month of a family with 100 new faces in each, breakage included."""
    drawn, _ = draw_family(months * _A_MONTH, years=months / 12)
    faces = {face.face_id: face for face in drawn}
    waiting: list[Observation] = []
    members: dict[PersonId, list[Observation]] = defaultdict(list)
    found = []
    for start in range(0, len(drawn), _A_MONTH):
        waiting += drawn[start : start + _A_MONTH]
        chosen = select_family_nodes(members, _PARAMETERS)
        nodes = (Node(one, who) for who, its in chosen.items() for one in its)
        problem = ClusteringProblem(tuple(waiting), tuple(nodes))
        begin = process_time()
        plan = _plan_and_break(problem)
        found.append((process_time() - begin) * 1000)
        for one in plan.attach:
            members[one.person_id].append(faces[one.face_id])
        for group in plan.create:
            members[PersonId(group.founder)] += [faces[face] for face in group.face_ids]
        waiting = [faces[one.face_id] for one in plan.leave]
    return found


def render(costs: Sequence[Cost], months: Sequence[float]) -> str:
    """Markdown: a row a size, the exponents, and the months."""
    lines = ["| faces | product | plan | unpinned | both | both / product | hdbscan / plan | MB |", "|" + "---|" * 8]
    for one in costs:
        faster = "" if one.hdbscan is None else f"{one.hdbscan / one.plan:.1f}"
        times = (
            f"{one.product:.0f} | {one.plan:.0f} | {one.unpinned:.0f} | {one.both:.0f} | {one.both / one.product:.1f}"
        )
        lines.append(f"| {one.faces:,} | {times} | {faster} | {one.megabytes:.0f} |")
    if len(costs) > 3:  # noqa: PLR2004 - a line with an error needs more than its two numbers
        time, memory = exponent(costs, lambda one: one.plan), exponent(costs, lambda one: one.megabytes)
        lines += ["", f"Planning grows with faces^{time[0]:.2f} (±{time[1]:.2f}), memory with faces^{memory[0]:.2f}"]
        lines[-1] += f" (±{memory[1]:.2f})."
    if months:
        ends = [float(np.median(part)) for part in (months[:12], months[-12:])]
        (slope, _), covariance = np.polyfit(np.arange(len(months)) / 12, months, 1, cov=True)
        lines += [
            "",
            f"A month of {_A_MONTH} faces: {ends[0]:.0f} ms in the first year, {ends[1]:.0f} ms in the last of",
        ]
        lines[-1] += f" {len(months) / 12:.0f}; {slope:+.2f} ms (±{np.sqrt(covariance[0, 0]):.2f}) a year."
    return "\n".join(lines) + "\n"


def measure_all(sizes: Sequence[int] = SIZES, months: int = _MONTHS) -> str:
    """Measure on one thread, each size in a fresh process, and give the tables."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        costs = list(pool.map(measure, sizes))
        return render(costs, pool.submit(measure_months, months).result() if months else [])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=SIZES)
    parser.add_argument("--months", type=int, default=_MONTHS)
    args = parser.parse_args()
    sys.stdout.write(measure_all(args.faces, args.months))


if __name__ == "__main__":
    main()
