"""1 - breakage beside accuracy for arms good and bad, on albums with known truth: docs/breakage.md.

    python -m eval.ceiling ALBUMS --cache FOLDER [--album fiw ...] [--out FILE] [--list CSV] [--plots FOLDER]

ALBUMS and the cache are as in eval.clustering.  Deliberately bad arms have a threshold too low or too high, or see
embeddings of fewer dimensions or with noise.  --list writes a CSV row for each month that violates the ceiling.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from eval.albums import Album, load_album
from eval.bench import write_table
from eval.breakage import Ceiling, Fault
from eval.lives import Life, live
from eval.months import TrialArm, live_through
from eval.plots import plot_beside
from eval.truth import Members, bcubed, load_members
from facealbum.clustering import ALGORITHMS, ClusteringParameters
from facealbum.clustering.intervals import Rate

MARKS = "<!-- ceiling: start -->", "<!-- ceiling: end -->"

_SIMILARITIES = (0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.5)
_DIMENSIONS = (96, 32)
_NOISES = (0.6, 1.0)  # length of what is added to an embedding of length 1
_SEED = 7

Weaken = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Studied:
    """One arm's months on one album; `f` is B-cubed F after the last."""

    album: str
    life: Life
    f: float


def study(name: str, album: Album, members: Members) -> Iterator[Studied]:
    """Each arm in turn."""
    for arm_name, arm, seen in _arms(album):
        life = live(arm_name, live_through(seen, arm), members)
        person_of = {face: person for one in life.households.values() for face, person in one.person_of.items()}
        yield Studied(name, life, bcubed(person_of, members).f)


def _arms(album: Album) -> Iterator[tuple[str, TrialArm, Album]]:
    """Name, arm, and the album as it sees it."""
    for algorithm in ALGORITHMS:
        yield algorithm, TrialArm(algorithm), album
    for similarity in _SIMILARITIES:
        parameters = replace(ClusteringParameters(), similarity=similarity, poor_similarity=similarity)
        yield f"similarity {similarity:.2f}", TrialArm(clustering=parameters), album
    for size in _DIMENSIONS:
        yield f"{size} dimensions", TrialArm(), weaken(album, project(size))
    for noise in _NOISES:
        yield f"noise {noise:g}", TrialArm(), weaken(album, disturb(noise))


def weaken(album: Album, change: Weaken) -> Album:
    """The album with embeddings (float32[n, d] in, any width out) made worse and of length 1 again."""
    changed = change(np.stack([face.observation.embedding for face in album.faces]))
    vectors = (changed / np.linalg.norm(changed, axis=1, keepdims=True)).astype(np.float32)
    faces = (
        replace(face, observation=replace(face.observation, embedding=vector))
        for face, vector in zip(album.faces, vectors, strict=True)
    )
    return replace(album, faces=tuple(faces))


def project(size: int) -> Weaken:
    """On so many random directions."""
    draw = np.random.default_rng(_SEED)
    return lambda vectors: vectors @ np.linalg.qr(draw.normal(size=(vectors.shape[1], size)))[0]


def disturb(length: float) -> Weaken:
    """By noise of about this length."""
    draw = np.random.default_rng(_SEED)
    return lambda vectors: vectors + draw.normal(0, length / np.sqrt(vectors.shape[1]), vectors.shape)


def render_arms(name: str, arms: Sequence[Studied]) -> str:
    """A Markdown table: a row an arm, all months together."""
    heads = [name, "labels", "1 - breakage (95 %)", "labels right", "faces right", "B-cubed F"]
    heads += ["broken that are wrong", "wrong that broke", "months above the ceiling"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for one in arms:
        ceiling, months = one.life.ceiling, one.life.ceilings.values()
        broken = sum(label.broken.broken for label in ceiling.labels)
        low, high = Rate(len(ceiling.labels) - broken, len(ceiling.labels)).interval
        wrong = [label for label in ceiling.labels if label.fault is not Fault.NONE]
        found = sum(label.broken.broken for label in wrong)
        cells = [one.life.name, str(len(ceiling.labels)), f"{ceiling.bound:.3f} ({low:.3f}-{high:.3f})"]
        cells += [f"{ceiling.accuracy:.3f}", f"{ceiling.face_accuracy:.3f}", f"{one.f:.3f}"]
        cells += [f"{found} of {broken}", f"{found} of {len(wrong)}"]
        cells.append(f"{sum(month.violated for month in months)} of {len(months)}")
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def render_kinds(arms: Mapping[str, Sequence[Studied]]) -> str:
    """A Markdown table: how the labels of the violating months broke although they are right, a column an album."""
    counts = {name: Counter[str]() for name in arms}
    for name, studied in arms.items():
        for one in studied:
            for ceiling in one.life.ceilings.values():
                if ceiling.violated:
                    counts[name] += ceiling.false_alarms()
    kinds = sorted({kind for count in counts.values() for kind in count})
    lines = [_row(["right, yet broken by", *counts]), _row(["---"] * (1 + len(counts)))]
    lines += [_row([kind, *(str(count[kind]) for count in counts.values())]) for kind in kinds]
    return "\n".join(lines) + "\n"


def render_ranks(arms: Mapping[str, Sequence[Studied]]) -> str:
    """A Markdown table: Spearman's rank correlation of breakage with three errors, over the arms of each album."""
    errors: Mapping[str, Callable[[Studied], float]] = {
        "labels wrong": lambda one: 1 - one.life.ceiling.accuracy,
        "faces wrong": lambda one: 1 - one.life.ceiling.face_accuracy,
        "1 - B-cubed F": lambda one: 1 - one.f,
    }
    lines = [_row(["breakage with", *errors, "arms"]), _row(["---"] * (2 + len(errors)))]
    for name, studied in arms.items():
        breakage = [1 - one.life.ceiling.bound for one in studied]
        found = [spearmanr(breakage, [error(one) for one in studied]) for error in errors.values()]
        cells = [f"{one.statistic:.2f} (p {one.pvalue:.3f})" for one in found]
        lines.append(_row([name, *cells, str(len(studied))]))
    return "\n".join(lines) + "\n"


def write_violations(path: Path, arms: Mapping[str, Sequence[Studied]]) -> None:
    """A CSV row for each month and arm in which more labels are right than did not break."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("album", "arm", "month", "labels", "1 - breakage", "accuracy", "right, yet broken by"))
        for name, studied in arms.items():
            for one in studied:
                for month, ceiling in one.life.ceilings.items():
                    if ceiling.violated:
                        rows.writerow((name, one.life.name, month, *_violation(ceiling)))


def _violation(ceiling: Ceiling) -> tuple[int, float, float, str]:
    kinds = "; ".join(f"{kind} {count}" for kind, count in sorted(ceiling.false_alarms().items()))
    return len(ceiling.labels), round(ceiling.bound, 4), round(ceiling.accuracy, 4), kinds


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Study, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth", "stream"])
    parser.add_argument("--out", type=Path, help="the document whose tables are replaced")
    parser.add_argument("--list", type=Path, help="the CSV file of all violations")
    parser.add_argument("--plots", type=Path, help="the folder of the plot")
    args = parser.parse_args()
    arms: dict[str, list[Studied]] = {}
    for name in args.album:
        album = load_album(args.albums / "visible" / name, args.cache)
        arms[name] = list(study(name, album, load_members(album)))
    tables = [*(render_arms(name, studied) for name, studied in arms.items()), render_ranks(arms), render_kinds(arms)]
    sys.stdout.write("\n".join(tables))
    if args.out:
        write_table(args.out, "\n".join(tables), marks=MARKS)
    if args.list:
        write_violations(args.list, arms)
    if args.plots:
        plot_beside(
            [
                (name, np.array([one.life.ceiling.bound for one in some]), np.array([one.f for one in some]))
                for name, some in arms.items()
            ],
            args.plots / "breakage.png",
            labels=("1 - breakage", "B-cubed F"),
        )


if __name__ == "__main__":
    main()
