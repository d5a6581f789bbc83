"""All arms and baselines on albums with known truth, on the same faces, month by month.

    python -m eval.clustering ALBUMS --cache FOLDER [--album fiw ...] [--out docs/benchmarks.md]

ALBUMS is as in eval.bench; photos are analysed once into the cache, which holds embeddings and stays private.  The
albums' own scorer judges what the last month left; churn, breakage and provisional matches are counted over all
months.  With --out the document's tables are replaced.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.albums import Album, load_album
from eval.arms import write_faces
from eval.baselines import BASELINES, Baseline
from eval.bench import score_exports, write_table
from eval.lives import Life, live
from eval.months import TrialArm, live_through
from eval.rivals import group_finally, live_with
from eval.truth import Members, bcubed, load_members
from facealbum.clustering import ALGORITHMS
from facealbum.clustering.intervals import Rate

ALBUMS = ("fiw", "growth", "stream")
MARKS = "<!-- clustering: start -->", "<!-- clustering: end -->"

COLUMNS = {
    "B³ P": ("clustering", "bcubed_precision"),
    "B³ R": ("clustering", "bcubed_recall"),
    "B³ F": ("clustering", "bcubed_f"),
    "pair P": ("clustering", "pair_precision"),
    "pair R": ("clustering", "pair_recall"),
    "pair F": ("clustering", "pair_f"),
    "collisions": ("clustering", "same_photo_collisions"),
    "clusters a member": ("clustering", "clusters_per_member"),
    "unassigned": ("clustering", "unassigned_or_missed"),
    "link P": ("child_link", "precision"),
    "link R": ("child_link", "recall"),
    "siblings": ("child_link", "sibling_confusion"),
    "0-2 P": ("bcubed_precision", "0-2"),
    "0-2 R": ("bcubed_recall", "0-2"),
}

_GRID = tuple(step / 20 for step in range(4, 18))  # cosine distances 0.20 to 0.85
_MOST_MONTHS = 15  # churn month by month is shown for albums of no more

Scores = Mapping[str, Any]


def lives_of(album: Album, members: Members) -> Iterator[Life]:
    """Our arms, the default first; then each baseline as published, and as it would be best on this very album."""
    default = TrialArm()
    yield live(f"**{default.algorithm}**", live_through(album, default), members, provisional_arm=default)
    for name in ALGORITHMS:
        if name != default.algorithm:
            yield live(f"**{name}**", live_through(album, TrialArm(name)), members)
    for name, baseline in BASELINES.items():
        best = best_distance(album, members, baseline)
        yield live(f"{name}, {baseline.distance:g}", live_with(album, baseline, baseline.distance), members)
        if best != baseline.distance:
            yield live(f"{name}, best: {best:g}", live_with(album, baseline, best), members)


def best_distance(album: Album, members: Members, baseline: Baseline) -> float:
    """The threshold of the highest B-cubed F on this album, the smallest of equals."""
    return max(
        sorted({*_GRID, baseline.distance}),
        key=lambda distance: bcubed(group_finally(album, baseline, distance), members).f,
    )


def score(albums: Path, life: Life, name: str) -> Scores:
    """What the albums' scorer says of what the months left."""
    with tempfile.TemporaryDirectory() as folder:
        return score_exports(albums, name, [write_faces(Path(folder) / "faces.csv", life.households)])


def render_album(title: str, lives: Sequence[tuple[Life, Scores]]) -> str:
    """A Markdown table: a row an arm or baseline, the columns that this album has figures for."""
    shown = [name for name, (part, key) in COLUMNS.items() if lives[0][1].get(part, {}).get(key, {}).get("n")]
    heads = [title, *shown, "B³ F, 95 %", "churn", "broken", "CPU s"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for life, scores in lives:
        low, high = scores["bcubed_f_interval"] or (0, 1)
        values = [scores[COLUMNS[name][0]][COLUMNS[name][1]]["value"] for name in shown]
        cells = ["" if value is None else f"{value:.3f}" for value in values]
        broken = f"{1 - life.ceiling.bound:.3f}" if life.ceilings else ""
        last = [f"{low:.3f}-{high:.3f}", _share(life.changed), broken, f"{life.seconds:.1f}"]
        lines.append(_row([life.name, *cells, *last]))
    return "\n".join(lines) + "\n"


def render_churn(lives: Sequence[Life]) -> str:
    """A Markdown table: a row an arm or baseline, a column a month, per cent of earlier faces."""
    months = sorted(lives[0].churn)
    lines = [_row(["churn, %", *map(str, months)]), _row(["---"] * (len(months) + 1))]
    lines += [_row([life.name, *(_percent(life.churn[month]) for month in months)]) for life in lives]
    return "\n".join(lines) + "\n"


def render_provisional(lives: Mapping[str, Life]) -> str:
    """A Markdown table: a row a doubt, for each album the share matched at once and the share of these confirmed."""
    lines = [_row(["doubt", *(f"{name}: {what}" for name in lives for what in ("matched at once", "confirmed"))])]
    lines.append(_row(["---"] * (1 + 2 * len(lives))))
    for doubt in next(iter(lives.values())).foretold:
        found = [life.foretold[doubt] for life in lives.values()]
        cells = [_with_interval(rate) for one in found for rate in (one.at_once, one.kept)]
        lines.append(_row([f"{doubt:g}", *cells]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _share(rate: Rate) -> str:
    return "" if rate.value is None else f"{rate.value:.3f}"


def _percent(rate: Rate) -> str:
    return "" if rate.value is None else f"{100 * rate.value:.1f}"


def _with_interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"{_share(rate)} ({low:.3f}-{high:.3f}, n={rate.cases})"


def measure(albums: Path, names: Sequence[str], cache: Path) -> Iterator[str]:
    """The tables, one after the other as they are known."""
    first: dict[str, Life] = {}
    for name in names:
        album = load_album(albums / "visible" / name, cache)
        members = load_members(album)
        lives = [(life, score(albums, life, name)) for life in lives_of(album, members)]
        first[name] = lives[0][0]
        yield render_album(name, lives)
        if len(first[name].churn) <= _MOST_MONTHS:
            yield render_churn([life for life, _ in lives])
    yield render_provisional(first)


def main() -> None:
    """Measure, print, and with --out replace the tables of the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=list(ALBUMS))
    parser.add_argument("--out", type=Path, help="the document whose tables are replaced")
    args = parser.parse_args()
    tables = []
    for table in measure(args.albums.absolute(), args.album, args.cache):
        tables.append(table)
        sys.stdout.write(f"{table}\n")
        sys.stdout.flush()
    if args.out:
        write_table(args.out, "\n".join(tables), marks=MARKS)


if __name__ == "__main__":
    main()
