"""Does searching without labels find what is better with labels?  A short search on albums with known truth.

    python -m eval.tuning ALBUMS --cache FOLDER [--album fiw growth] [--trials 20] [--seconds 150] [--out FILE]

ALBUMS and the cache are as in eval.arms.  The search sees no truth.  Afterwards its loss is ranked beside what the
truth says of the same trials, and what it found is compared with the default arm on families that it never saw.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
from scipy.stats import spearmanr

from eval.albums import load_album
from eval.bench import write_table
from eval.months import Household, TrialArm
from eval.truth import Members, bcubed, load_members
from eval.tuning.families import HELD_OUT, SEARCHED, PastFamily, families_of, relive, split_families
from eval.tuning.objective import Array, draw_again
from eval.tuning.space import arm_with
from eval.tuning.study import Effort, Objective, Tried, find_best, list_trials, measure, open_study, search

MARKS = "<!-- search: start -->", "<!-- search: end -->"

_HELD_OUT = 0.4
_NOTHING = 1e-12  # below any precision and recall that are not both 0
_TRUTHS = ("B-cubed F", "F of links")


@dataclass(slots=True)
class Truth:
    """What the truth says of households, which are taken in as they are shown."""

    members: Members
    sums: Array = field(default_factory=lambda: np.zeros(6))

    def look(self, household: Household) -> None:
        """Take it in."""
        self.sums += count_right(household, self.members)

    def take(self) -> list[float]:
        """The scores of all since the last time, and begin again."""
        found: list[float] = score(self.sums[None])[0].tolist()
        self.sums = np.zeros(6)
        return found


def count_right(household: Household, members: Members) -> Array:
    """float64[6]: B-cubed precision and recall summed over faces, how many; faces linked rightly, at all, of children.

    Only faces with a member are counted; a child is called as its member is.
    """
    known = {face: members[face] for face in household.faces if face in members}
    if not known:
        return np.zeros(6)
    agreed = bcubed({face: one for face, one in household.person_of.items() if face in known}, known)
    children = {child.name for child in household.children}
    names = {face: member.partition("/")[2] for face, member in known.items()}
    linked = {face: child for face in known if (child := household.child(face))}
    right = sum(names[face] == child for face, child in linked.items())
    of_children = sum(name in children for name in names.values())
    counts = agreed.precision * len(known), agreed.recall * len(known), len(known), right, len(linked), of_children
    return np.array(counts, np.float64)


def score(sums: Array) -> Array:
    """float64[n, 2]: B-cubed F and the F of links to children, from float64[n, 6] sums; NaN without a face."""
    precision, recall, faces, right, linked, children = sums.T
    with np.errstate(invalid="ignore"):
        return np.stack(
            [2 * precision * recall / (precision + recall) / faces, 2 * right / (linked + children)], axis=1
        )


def study_album(name: str, families: Sequence[PastFamily], members: Members, effort: Effort, seconds: float) -> str:
    """Search on some families of the album, and a Markdown table of what it found on these and on the others."""
    by_id = {one.family_id: one for one in families}
    sides = split_families(list(by_id), salt=name, held_out=_HELD_OUT)
    searched, held_out = ([by_id[one] for one in sides[side]] for side in (SEARCHED, HELD_OUT))
    truth, base = Truth(members), TrialArm()
    study, truths, started = open_study(name), list[list[float]](), process_time()
    search(
        study,
        Objective(searched, base, look=truth.look),
        effort,
        out_of_time=lambda: process_time() - started > seconds,
        report=lambda _: truths.append(truth.take()),
    )
    for family in searched:
        truth.look(relive(family, base)[0])
    of_base = truth.take()
    trials = list_trials(study)
    whole = [
        (one.loss, scores if one.values else of_base)
        for one, scores in zip(trials, truths, strict=True)
        if one.state == "complete"
    ]
    best = find_best(trials)
    assert best is not None, "the first trial is the default arm"  # noqa: S101
    arm = arm_with(base, best.values)
    early, seconds = len(trials) - len(whole), process_time() - started
    parts = [f"**{name}**: {len(searched)} families searched, {len(held_out)} held out; {len(trials)} trials, {early}"]
    parts[0] += f" given up early; seed {effort.seed}; {seconds:.0f} s of CPU."
    parts += [_rank(whole), _found(best)]
    if best.values:
        parts += [
            _compare("searched", searched, members, arm, base),
            _compare("held out", held_out, members, arm, base),
        ]
    return "\n\n".join(parts) + "\n"


def _rank(whole: Sequence[tuple[float | None, list[float]]]) -> str:
    """How the loss ranks the trials beside the truth."""
    told = []
    for place, title in enumerate(_TRUTHS):
        scores = [one[place] for _, one in whole]
        if not np.isnan(scores).any() and len(set(scores)) > 1 and len({loss for loss, _ in whole}) > 1:
            found = spearmanr([loss for loss, _ in whole], [1 - one for one in scores])
            told.append(f"{found.statistic:.2f} with 1 - {title} (p {found.pvalue:.3f})")
    return f"Spearman of the loss over the {len(whole)} trials that came to their end: {'; '.join(told) or 'none'}."


def _found(best: Tried) -> str:
    if not best.values:
        return "Found: nothing better than the default arm."
    values = ", ".join(f"`{name}={value:g}`" for name, value in best.values.items())
    return f"Found: trial {best.number}, {values}."


def _compare(title: str, families: Sequence[PastFamily], members: Members, arm: TrialArm, base: TrialArm) -> str:
    """A Markdown table: each measure and truth under the default arm, the found one, and the difference."""
    lines = [f"| {title} ({len(families)} families) | default | found | difference (95 %) |", "|---|---|---|---|"]
    told = measure(families, arm, base)
    for one in told["differences"]:
        if not (one["base"] or one["found"]):
            continue
        ends = "" if one["low"] is None else f" ({one['low']:+.4f} to {one['high']:+.4f})"
        lines.append(f"| {one['measure']} | {one['base']:.4f} | {one['found']:.4f} | {one['value']:+.4f}{ends} |")
    after, before = (
        np.array([count_right(relive(family, one)[0], members) for family in families]) for one in (arm, base)
    )
    both = [score(sums.sum(axis=0)[None])[0] for sums in (before, after)]
    low, high = draw_again(lambda weights: score(weights @ after) - score(weights @ before), len(families))
    for place, truth in enumerate(_TRUTHS):
        if both[0][place] > 0:
            was, now = float(both[0][place]), float(both[1][place])
            ends = f" ({low[place]:+.4f} to {high[place]:+.4f})"
            lines.append(f"| {truth}, by the truth | {was:.4f} | {now:.4f} | {now - was:+.4f}{ends} |")
    if told["broken"]:
        lines.append(f"\nBroken guardrails: {', '.join(told['broken'])}.")
    return "\n".join(lines)


def main() -> None:
    """Search on each album and print, or write, what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth"])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    parts = []
    for name in args.album:
        album = load_album(args.albums.absolute() / "visible" / name, args.cache)
        effort = Effort(args.trials, args.seed)
        parts.append(study_album(name, families_of(album), load_members(album), effort, args.seconds))
        sys.stdout.write(parts[-1] + "\n")
        sys.stdout.flush()
    if args.out:
        write_table(args.out, "\n" + "\n".join(parts) + "\n", marks=MARKS)


if __name__ == "__main__":
    main()
