"""All studies, one after the other: docs/studies.md.

    python -m eval.studies [ALBUMS --cache FOLDER] [--short] [--pool FILE] [--out FILE]

ALBUMS is as in eval.bench; without it the studies on albums with known truth are left out.  --short: the same on few
families, in under a minute.  --pool: simulated months, read if the file is there and written if not; pickled, so
only of one's own making.
"""

import argparse
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.bench import write_table
from eval.studies.alarms import render_alarms, study_alarms
from eval.studies.change import (
    ALBUMS,
    decide,
    live_album,
    load,
    render_agreement,
    render_change,
    render_verdict,
    shadows,
)
from eval.studies.experiments import (
    SIZES,
    Size,
    render_null,
    render_power,
    render_splits,
    split,
    study_null,
    study_power,
)
from eval.studies.fit import render_fit
from eval.studies.pool import Pool
from eval.studies.swap import render_swap, study_swap
from eval.synthetic.faults import Fault
from eval.synthetic.living import FamilyMonth, Trial, live_families, watch_families

METRICS = ("association", "coverage", "breakage")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is simulated.

    warm: months before the first that counts, when families have no albums yet.  horizon: months of an experiment.
    """

    lived: int
    watched: int
    months: int
    warm: int
    horizon: int
    null: Size
    power: Size


FULL = Scale(80, 1200, 12, 4, 4, Size(1000, 10_000), Size(300, 10_000))
SHORT = Scale(4, 80, 11, 4, 4, Size(20, 500), Size(4, 500))
SEED = 6


@dataclass(frozen=True, slots=True)
class Months:
    """Simulated families: those that were lived through, and more that were only looked at."""

    lived: Sequence[FamilyMonth]
    watched: Sequence[FamilyMonth]


def simulate(scale: Scale, *, processes: int) -> Months:
    """The families of a scale."""
    trial = Trial(SEED, scale.months, tuple(Fault))
    return Months(
        live_families(trial, range(scale.lived), processes=processes),
        watch_families(trial, range(scale.watched), processes=processes),
    )


def study_simulated(scale: Scale, months: Months) -> dict[str, str]:
    """The tables of studies on simulated families, by the name of their place in the document."""
    pools = {metric: Pool.of(months.lived, metric, first=scale.months - scale.horizon) for metric in METRICS}
    splits = [split(size, part, scale.null.experiments) for part in (0.5, 0.52) for size in SIZES]
    return {
        "fit": render_fit(),
        "null": render_null(study_null(pools, scale.null)),
        "power": render_power(study_power("association", pools["association"], scale.power)),
        "splits": render_splits(splits),
        "alarms": render_alarms(study_alarms(months.lived, months.watched, first=scale.warm)),
    }


def study_albums(albums: Path, cache: Path) -> dict[str, str]:
    """The tables of studies on albums with known truth."""
    found = load(albums, cache, ALBUMS)
    lived = {one.name: [live_album(album, members, one) for album, members in found] for one in shadows()}
    swaps = [swap for name, (album, _) in zip(ALBUMS, found, strict=True) for swap in study_swap(name, album)]
    return {
        "change": render_change(lived) + "\n" + render_verdict(decide(lived)),
        "agreement": render_agreement(lived, ALBUMS),
        "swap": render_swap(swaps),
    }


def _months(scale: Scale, pool: Path | None, processes: int) -> Months:
    if pool and pool.exists():
        return Months(*pickle.loads(pool.read_bytes()))  # noqa: S301 - written below
    months = simulate(scale, processes=processes)
    if pool:
        pool.write_bytes(pickle.dumps((months.lived, months.watched)))
    return months


def main() -> None:
    """Study, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--pool", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="the document whose tables are replaced")
    args = parser.parse_args()
    if args.albums and not args.cache:
        parser.error("the albums' faces are kept between runs: give --cache FOLDER")
    scale = SHORT if args.short else FULL
    tables = study_simulated(scale, _months(scale, args.pool, args.processes))
    if args.albums:
        tables |= study_albums(args.albums.absolute(), args.cache)
    for name, text in tables.items():
        sys.stdout.write(f"{name}\n\n{text}\n")
        if args.out:
            write_table(args.out, text, marks=(f"<!-- {name}: start -->", f"<!-- {name}: end -->"))


if __name__ == "__main__":
    main()
