"""Print what became of damaged and hostile files: a table of kinds and endings, the slowest, and the peak of memory."""

import argparse
import sys
from collections import Counter

from rich.console import Console

from eval.hostile.files import make_files
from eval.hostile.trial import CRASH, HANG, Trial, try_files
from models.limits import Limits


def main() -> None:
    """Make the files, try them, print; exit with 1 if one crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    limits = Limits()
    files = make_files(arguments.files, seed=arguments.seed, pixels=limits.pixels)
    trials = list(try_files(files, limits=limits))
    console = Console(soft_wrap=True)
    console.print("\n".join(as_table(trials)), markup=False, highlight=False)
    slowest = sorted(trials, key=lambda trial: -trial.seconds)[:5]
    for trial in [trial for trial in trials if trial.ended in (CRASH, HANG)] + slowest:
        console.print(f"{trial.ended}: {trial.file.kind}, {trial.file.name}: {trial.seconds:.2f} s", markup=False)
    console.print(f"peak of memory {max(trial.megabytes for trial in trials):.0f} MB")
    sys.exit(any(trial.ended in (CRASH, HANG) for trial in trials))


def as_table(trials: list[Trial]) -> list[str]:
    """Lines of a Markdown table: kinds of files by endings."""
    endings = sorted({trial.ended for trial in trials})
    counts = Counter((trial.file.kind, trial.ended) for trial in trials)
    lines = [" | ".join(["| kind", "files", *endings]) + " |", "|---|" + "---:|" * (len(endings) + 1)]
    for kind in dict.fromkeys(trial.file.kind for trial in trials):
        row = [counts[kind, ending] for ending in endings]
        lines.append(" | ".join([f"| {kind}", str(sum(row)), *map(str, row)]) + " |")
    return lines


if __name__ == "__main__":
    main()
