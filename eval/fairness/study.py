"""What the gate on the worst slice catches, and how an album with truth fares by slice.

`python -m eval.fairness.study ALBUMS --cache FOLDER` prints the tables of docs/fairness.md.  Of the growing children's
album it takes the clusters and links that the months leave; it trains nothing and keeps no picture.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.albums import Album, load_album
from eval.fairness.gate import Bounds, PairedSums, Verdict, compare_slices, judge_worst_slice
from eval.metrics.definitions import Better
from eval.metrics.estimates import Array, Estimate, estimate_ratio
from eval.metrics.slices import age_slice
from eval.months import Household, TrialArm, live_through
from eval.truth import Members, load_members
from facealbum.linking import INPUTS, Attribution, plan_links

_YEAR_DAYS = 365.2425
SLICES = 8
"""Of the drawn families, the first of which is that of babies."""


@dataclass(frozen=True, slots=True)
class ChildFace:
    """A face that shows a registered child, its slices by truth, and whether it is linked, and rightly."""

    family: str
    slices: tuple[str, ...]
    linked: bool
    right: bool


def child_faces(album: Album, members: Members, households: Mapping[str, Household]) -> Iterator[ChildFace]:
    """Every face of a registered child."""
    for face in album.faces:
        key = face.observation.face_id
        family, _, name = members.get(key, "/").partition("/")
        for child in album.children.get(family, ()):
            if child.name == name:
                age = (face.observation.taken_at.date() - child.birth_date).days / _YEAR_DAYS
                shown = households[family].child(key)
                slices = ("", age_slice(max(age, 0.0)), f"gender:{child.gender}")
                yield ChildFace(family, slices, bool(shown), shown == name)


def by_slice(faces: Sequence[ChildFace]) -> dict[str, tuple[Estimate, Estimate]]:
    """Recall and precision of links, by slice; families are drawn again."""
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for face in faces:
        for part in face.slices:
            counts[part][face.family].update(faces=1, linked=face.linked, right=face.right)
    return {
        part: (
            estimate_ratio(np.array([[one["right"], one["faces"]] for one in of.values()], np.float64)),
            estimate_ratio(np.array([[one["right"], one["linked"]] for one in of.values()], np.float64)),
        )
        for part, of in sorted(counts.items())
    }


def plant(faces: Sequence[ChildFace], *, every: int) -> str:
    """What the gate says if a candidate loses every so-manyth rightly linked face of a baby; 0: none."""
    counts: dict[str, dict[str, Array]] = defaultdict(lambda: defaultdict(lambda: np.zeros(4)))
    babies = 0
    for face in faces:
        baby = face.right and "age:0-2" in face.slices
        babies += baby
        kept = face.right and not (baby and every and babies % every == 0)
        for part in face.slices:
            counts[part][face.family] += (face.right, 1, kept, 1)
    sums = {part: PairedSums.of(np.array(list(of.values()))) for part, of in counts.items()}
    found = judge_worst_slice(compare_slices(sums, Better.HIGHER), Bounds(fewest=10))
    return f"{found.verdict}; {found.reason}"


def draw_families(families: int, *, lost: float, rng: np.random.Generator) -> list[Array]:
    """Of each slice totals and cases under two versions, float64[n, 4]; `lost`: of the babies' faces, surely.

    One family in three has babies.  A family has about 8 faces in a slice, of which some 85 % are right, differently
    so from family to family; the versions disagree by chance on 4 % of the faces, as often one way as the other.
    """
    found = []
    for number in range(SLICES):
        size = families if number else rng.binomial(families, 1 / 3)
        cases = 1 + rng.poisson(7, size)
        before = rng.binomial(cases, rng.beta(17, 3, size))
        after = np.clip(before + rng.binomial(cases, 0.02) - rng.binomial(cases, 0.02), 0, cases)
        turned = rng.random(size) < 1 / 2  # neither version is better, whatever was cut off
        before, after = np.where(turned, after, before), np.where(turned, before, after)
        if not number:
            after = rng.binomial(after, 1 - lost)
        found.append(np.stack([before, cases, after, cases], axis=1).astype(np.float64))
    return found


def operate(families: int, *, lost: float, trials: int, seed: int) -> dict[Verdict, float]:
    """How often the gate says what of so many drawn families."""
    rng = np.random.default_rng([seed, families, round(1000 * lost)])
    said: Counter[Verdict] = Counter()
    for _ in range(trials):
        drawn = draw_families(families, lost=lost, rng=rng)
        sums = {str(place): PairedSums.of(counts) for place, counts in enumerate(drawn)}
        said[judge_worst_slice(compare_slices(sums, Better.HIGHER)).verdict] += 1
    return {verdict: said[verdict] / trials for verdict in Verdict}


def _inputs(households: Mapping[str, Household]) -> list[Attribution]:
    """What drives the links as all months left them."""
    plans = [plan_links(one.evidence(), one.children, one.arm.linking) for one in households.values() if one.children]
    return [link.inputs for plan in plans for link in plan.links if link.inputs]


def tell_album(albums: Path, cache: Path) -> Iterator[str]:
    """The growing children's album by slice, and what drives its links."""
    album = load_album(albums / "growth", cache)
    members = load_members(album)
    *_, (_, households, _) = live_through(album, TrialArm())
    faces = list(child_faces(album, members, households))
    yield "| slice | faces | families | linked rightly, of all | linked rightly, of linked |"
    yield "|---|---|---|---|---|"
    for part, (recall, precision) in by_slice(faces).items():
        yield f"| {part or 'all'} | {recall.cases:g} | {recall.families} | {_written(recall)} | {_written(precision)} |"
    yield f"every third face of a baby lost: {plant(faces, every=3)}"
    yield f"nothing lost: {plant(faces, every=0)}"
    found = _inputs(households)
    means = ", ".join(f"{name} {np.mean([getattr(one, name) for one in found]):+.2f}" for name in INPUTS)
    yield f"{len(found)} links: {means}"


def tell_gate(trials: int) -> Iterator[str]:
    """The operating curve: pass / fail / unknown."""
    worsenings = (0.0, 0.02, 0.05, 0.1, 0.2)
    yield (
        "| families | "
        + " | ".join(f"{lost:.0%} of babies lost" if lost else "no change" for lost in worsenings)
        + " |"
    )
    yield "|---|" + "---|" * len(worsenings)
    for families in (30, 100, 300, 1000, 3000):
        cells = []
        for lost in worsenings:
            said = operate(families, lost=lost, trials=trials, seed=1)
            cells.append(" / ".join(f"{said[verdict]:.2f}" for verdict in Verdict))
        yield f"| {families} | " + " | ".join(cells) + " |"


def _written(one: Estimate) -> str:
    return "-" if one.value is None else f"{one.value:.3f} ({one.low:.3f}-{one.high:.3f})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=400)
    given = parser.parse_args()
    for line in (*tell_gate(given.trials), "", *tell_album(given.albums, given.cache)):
        print(line)  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
