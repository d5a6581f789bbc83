"""How well quality foretells whether an embedding can be trusted, on faces as they are and made worse on purpose.

    python -m eval.quality ALBUMS [--numbers] [--plots FOLDER]

A face is judged by its matches: the share of good faces of the same person (at most six years apart) whose similarity
is above the threshold that one of a hundred pairs of strangers passes.  Quality is judged out of fold, by numbers
fitted to other families.  With --numbers those fitted to all faces are printed for models/manifest.json instead; with
--plots quality.png is drawn as well.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.attributes import calibration_error
from eval.calibrate import Array, equal_shares, fit_logistic, folds, out_of_fold
from eval.plots import plot_calibration
from eval.worse_faces import Seen, see_faces

_YEARS_APART = 6.0
_SPLITS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Faces that have somebody to match: share of matches, terms and weights, one row a face."""

    album: NDArray[np.str_]
    fault: NDArray[np.str_]
    family: NDArray[np.str_]
    matches: Array
    terms: Array
    weights: Array

    def out_of_fold(self) -> Array:
        """Quality float64[faces] by numbers fitted to other families."""
        odds = out_of_fold(fit_logistic, (self.terms, self.matches, self.weights), folds(self.family.tolist()))
        return 1 / (1 + np.exp(-odds))


def judge(faces: Sequence[Seen]) -> Judged:
    """The share of matches of every face; albums are kept apart, and so are their thresholds."""
    kept: list[Seen] = []
    matches: list[float] = []
    for album in sorted({face.truth.album for face in faces}):
        some = [face for face in faces if face.truth.album == album]
        for face, share in zip(some, _matches(some), strict=True):
            if not np.isnan(share):
                kept.append(face)
                matches.append(share)
    shares = equal_shares([f"{face.truth.album} {bool(face.fault)}" for face in kept])
    return Judged(
        album=np.array([face.truth.album for face in kept]),
        fault=np.array([face.fault for face in kept]),
        family=np.array([f"{face.truth.album} {face.truth.family}" for face in kept]),
        matches=np.array(matches),
        terms=np.array([face.terms for face in kept]),
        weights=shares,
    )


def _matches(faces: Sequence[Seen]) -> Array:
    """The share of matches, NaN for a face without a good other face of its person."""
    return share_of_matches(
        np.array([face.embedding for face in faces]),
        person=np.array([face.truth.person for face in faces]),
        path=np.array([str(face.truth.path) for face in faces]),
        years=np.array([face.truth.years for face in faces]),
        good=np.array([face.good for face in faces]),
        whole=np.array([not face.fault for face in faces]),
    )


def share_of_matches(
    vectors: NDArray[np.float32],
    *,
    person: NDArray[np.str_],
    path: NDArray[np.str_],
    years: Array,
    good: NDArray[np.bool_],
    whole: NDArray[np.bool_],
) -> Array:
    """float64[faces]: the share of the person's good whole faces that each matches, NaN where there is none.

    Of the same photo, or more than six years apart, none counts; whole: as they are, not made worse.
    """
    good = good & whole
    similarity = vectors @ vectors.T
    same = person[:, None] == person
    strangers = np.triu(~same & whole & whole[:, None])
    threshold = np.quantile(similarity[strangers], 0.99)
    partners = same & good & (path[:, None] != path) & (np.abs(years[:, None] - years) <= _YEARS_APART)
    count, matched = partners.sum(1), (partners & (similarity > threshold)).sum(1)
    return np.where(count > 0, matched / np.maximum(count, 1), np.nan)


def error_after_rejecting(order: Array, matches: Array) -> Array:
    """The mean share of missed matches, float64[_SPLITS], when 0 to 49 % of the faces, lowest first, are left out."""
    missed = 1 - matches[np.argsort(order, kind="stable")]
    return np.array([missed[int(part / 100 * len(missed)) :].mean() for part in range(_SPLITS)])


def render(judged: Judged) -> str:
    """The tables as Markdown."""
    quality = judged.out_of_fold()
    lines = [
        "| faces | n | quality | matches | missed, all | best 80 % | area | area, perfect order | calibration error |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for album in sorted(set(judged.album)):
        for name in ("as they are", "all", *sorted(set(judged.fault) - {""})):
            kind = np.ones(len(quality), bool) if name == "all" else judged.fault == name.replace("as they are", "")
            some = kind & (judged.album == album)
            lines.append(f"| {album} {name} | {_cells(quality[some], judged.matches[some])} |")
    return "\n".join(lines) + "\n"


def draw(judged: Judged, folder: Path) -> None:
    """The calibration of quality as a plot, a column for each album."""
    quality = judged.out_of_fold()
    albums = [(str(album), judged.album == album) for album in sorted(set(judged.album))]
    plotted = [(name, quality[some], judged.matches[some]) for name, some in albums]
    plot_calibration(plotted, folder / "quality.png", label="quality")


def _cells(quality: Array, matches: Array) -> str:
    curve, perfect = error_after_rejecting(quality, matches), error_after_rejecting(matches, matches)
    numbers = [quality.mean(), matches.mean(), curve[0], curve[20], curve.mean(), perfect.mean()]
    return " | ".join(
        [str(len(quality)), *(f"{number:.3f}" for number in (*numbers, calibration_error(quality, matches)))]
    )


def main() -> None:
    """Analyse the faces and print."""
    parser = argparse.ArgumentParser(description="Score quality against verification errors.")
    parser.add_argument("albums", type=Path)
    parser.add_argument("--numbers", action="store_true", help="print the calibration instead")
    parser.add_argument("--one-of", type=int, default=1, metavar="N", help="look at one of N families only")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the calibration there as well")
    arguments = parser.parse_args()
    judged = judge(list(see_faces(arguments.albums, one_of=arguments.one_of)))
    if arguments.plots:
        draw(judged, arguments.plots)
    fitted = fit_logistic(judged.terms, judged.matches, judged.weights)
    numbers = json.dumps({"odds": np.round(fitted, 3).tolist()}) + "\n"
    sys.stdout.write(numbers if arguments.numbers else render(judged))


if __name__ == "__main__":
    main()
