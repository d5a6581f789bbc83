"""A real change on albums with known truth: the light embedder against the fused one, as two shadow arms.

The light one is MobileFaceNet alone, a third of the time of both; its vectors are the part of a fused vector that it
gives (docs/models.md), so no photo is analysed again.  Every family is lived through by both arms; the experiment is
its last twelve months that brought photos.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from eval.albums import Album, AlbumFace, load_album
from eval.ceiling import Weaken, disturb, project, weaken
from eval.experiments import Counts, Guardrail, Plan, Verdict, compare, judge
from eval.metrics import METRICS, Better
from eval.months import Household, TrialArm
from eval.studies.tables import table
from eval.synthetic.counting import MonthCounts, run_month
from eval.truth import Members, load_members
from facealbum.clustering import ClusteringParameters
from facealbum.domain.months import Month

ALBUMS = ("fiw", "growth", "stream")
MONTHS = 12
_SFACE = 128  # numbers of a fused vector that SFace gives; the rest are MobileFaceNet's
_SIMILARITIES = (0.1, 0.2, 0.35, 0.45)
_DIMENSIONS = (96, 32)
_NOISES = (0.6, 1.0)  # length of what is added to an embedding of length 1
_WANTED = {Better.HIGHER: "+", Better.LOWER: "-", Better.NEITHER: "0"}

FamilyMonths = Mapping[str, Sequence[MonthCounts]]
"""Of each family the counts of the months that brought photos, oldest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadow:
    """An arm: what it makes of the vectors that it is given, and how it clusters them."""

    name: str
    change: Weaken | None = None
    arm: TrialArm = field(default_factory=TrialArm)

    def see(self, album: Album) -> Album:
        """The album in its own embedding space."""
        return weaken(album, self.change) if self.change else album


def light(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """MobileFaceNet's part of fused vectors: float[n, 512] in, float64[n, 384] out, not yet of length 1."""
    return vectors[:, _SFACE:].astype(np.float64)


def shadows() -> list[Shadow]:
    """The fused and the light embedder first, then arms made worse, by which metrics can be held to the truth."""
    default = ClusteringParameters()
    return [
        Shadow("fused"),
        Shadow("light", light),
        *(
            Shadow(
                f"similarity {one:g}", arm=TrialArm(clustering=replace(default, similarity=one, poor_similarity=one))
            )
            for one in _SIMILARITIES
        ),
        *(Shadow(f"{size} dimensions", project(size)) for size in _DIMENSIONS),
        *(Shadow(f"noise {length:g}", disturb(length)) for length in _NOISES),
    ]


def live_album(album: Album, members: Members, shadow: Shadow) -> FamilyMonths:
    """Every family of an album lived through by one arm."""
    families: dict[str, dict[Month, list[AlbumFace]]] = defaultdict(lambda: defaultdict(list))
    for face in shadow.see(album).faces:
        families[face.family][Month.of(face.observation.taken_at)].append(face)
    return {
        name: list(_months(Household(name, shadow.arm, album.children.get(name, ())), arrivals, members))
        for name, arrivals in sorted(families.items())
    }


def _months(
    household: Household, arrivals: Mapping[Month, Sequence[AlbumFace]], members: Members
) -> Iterator[MonthCounts]:
    for month, faces in sorted(arrivals.items()):
        yield run_month(household, month, faces, members)


def sum_up(albums: Sequence[FamilyMonths], metric: str) -> Counts:
    """Each family's sums over its last twelve months; of a metric that needs truth the last month, which holds all."""
    last = 1 if METRICS[metric].needs_truth else MONTHS
    pairs = np.array(
        [
            np.sum([month.get(metric, (0, 0)) for month in months[-last:]], axis=0)
            for families in albums
            for months in families.values()
        ],
        np.float64,
    )
    return Counts(pairs[:, 0], pairs[:, 1])


def decide(lived: Mapping[str, Sequence[FamilyMonths]]) -> Verdict:
    """The light embedder as treatment of the fused one: breakage decides, coverage and churn must not suffer."""
    rails = (Guardrail("coverage", higher_is_better=True, tolerated=0.01),)
    families = len(sum_up(lived["fused"], "breakage").cases)
    plan = Plan(
        "breakage",
        higher_is_better=False,
        minimum_effect=0.01,
        months=MONTHS,
        families=families,
        paired=True,
        guardrails=rails,
    )
    fused, changed = (
        [sum_up(lived[name], metric) for metric in ("breakage", "coverage")] for name in ("fused", "light")
    )
    return judge(fused[0], changed[0], plan, guardrails=[(fused[1], changed[1])])


def render_change(lived: Mapping[str, Sequence[FamilyMonths]]) -> str:
    """A row a metric: both arms and the paired difference by family with its interval."""
    rows = []
    for metric in METRICS:
        fused, changed = (sum_up(lived[name], metric) for name in ("fused", "light"))
        effect = compare(fused, changed, paired=True)
        if effect is None:
            continue
        low, high = effect.interval(norm.isf(0.025))
        rows.append(
            (
                METRICS[metric].title,
                f"{int(fused.cases.sum()):,}",
                str(fused.with_cases),
                f"{effect.control:.3f}",
                f"{effect.treatment:.3f}",
                f"{effect.value:+.3f} ({low:+.3f} to {high:+.3f})",
            )
        )
    return table(("metric", "cases", "families", "fused", "light", "light - fused (95 %)"), rows)


def render_verdict(verdict: Verdict) -> str:
    """In words, with the figures that the plan allows."""
    effect = (
        f"effect {verdict.effect:+.4f} ({verdict.low:+.4f} to {verdict.high:+.4f})" if verdict.effect else "no effect"
    )
    return f"Verdict on the light embedder: **{verdict.outcome}**. {verdict.reason}; {effect}.\n"


def render_agreement(lived: Mapping[str, Sequence[FamilyMonths]], albums: Sequence[str]) -> str:
    """A row a label-free metric, a column an album: Spearman's correlation with B-cubed F over the arms."""
    rows = []
    for metric, about in METRICS.items():
        if about.needs_truth:
            continue
        cells = [_correlation(lived, metric, number) for number in range(len(albums))]
        if any(cells):
            rows.append((about.title, _WANTED[about.better], *(cell or "-" for cell in cells)))
    return table((f"over {len(lived)} arms", "should be", *albums), rows)


def _correlation(lived: Mapping[str, Sequence[FamilyMonths]], metric: str, album: int) -> str:
    values = [sum_up([one[album]], metric).ratio for one in lived.values()]
    truth = [_bcubed_f(one[album]) for one in lived.values()]
    if None in values or len(set(values)) == 1:
        return ""
    found = spearmanr(values, truth)
    return f"{found.statistic:+.2f} (p {found.pvalue:.3f})"


def _bcubed_f(families: FamilyMonths) -> float:
    precision, recall = (sum_up([families], f"bcubed_{part}").ratio or 0.0 for part in ("precision", "recall"))
    return 2 * precision * recall / (precision + recall)


def load(albums: Path, cache: Path, names: Sequence[str]) -> list[tuple[Album, Members]]:
    """The albums with their truth."""
    found = [load_album(albums / "visible" / name, cache) for name in names]
    return [(album, load_members(album)) for album in found]
