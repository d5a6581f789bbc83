"""Pose, age and gender on labelled faces, and the numbers that calibrate the latter.

    python -m eval.attributes ALBUMS [--numbers] [--plots FOLDER]

ALBUMS is as in eval.labelled.  Ages and genders are judged out of fold, by numbers fitted to other people: face by
face, and where people have several faces by all that they have in a band together, which is what a link sees.  With
--numbers the numbers fitted to all faces are printed for models/manifest.json instead; with --plots age.png and
gender.png are drawn as well.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from eval.calibrate import (
    Array,
    equal_shares,
    fit_error,
    fit_least_absolute,
    fit_logistic,
    folds,
    out_of_fold,
)
from eval.labelled import Labelled, load_faces
from eval.plots import plot_calibration
from models.age_gender import age_terms, gender_terms, to_years
from models.calibration import load_calibrations

BANDS = {"0-2": (0, 3), "3-5": (3, 6), "6-12": (6, 13), "13-17": (13, 18), "18+": (18, 200)}
CHILDREN = {"0-12": (0, 13), "3-12": (3, 13)}
_HALF = 0.5  # on average, somebody of n completed years is half a year older
_BINS, _DRAWS = 8, 1000
_SURE = 0.01  # no face speaks with more certainty, as in facealbum.linking.likelihood


class Judged:
    """The faces as arrays, with ages and genders judged out of fold."""

    def __init__(self, faces: Sequence[Labelled]) -> None:
        self.faces = faces
        self.source = np.array([face.source for face in faces])
        self.subject = np.array([f"{face.source} {face.subject}" for face in faces])
        self.years = np.array([face.years for face in faces])
        self.female = np.array([float(face.female) for face in faces])
        bands = [next(name for name, (low, high) in BANDS.items() if low <= face.years < high) for face in faces]
        self.shares = equal_shares([f"{face.source} {band}" for face, band in zip(faces, bands, strict=True)])
        numbers = load_calibrations()["age_gender"]
        self.age_terms = np.array([age_terms(face.opinions, numbers) for face in faces])
        self.log_years = np.log1p(self.years + _HALF)
        fold = folds(self.subject.tolist())
        log_ages = out_of_fold(fit_least_absolute, (self.age_terms, self.log_years, self.shares), fold)
        self.ages = np.array([to_years(log_age) for log_age in log_ages])
        self.gender_terms = np.array(
            [gender_terms(face.opinions, age, numbers) for face, age in zip(faces, self.ages, strict=True)]
        )
        odds = out_of_fold(fit_logistic, (self.gender_terms, self.female, self.shares), fold)
        self.p_female = 1 / (1 + np.exp(-odds))

    def numbers(self) -> dict[str, list[float]]:
        """What is fitted to all faces, as models/manifest.json holds it."""
        age = fit_least_absolute(self.age_terms, self.log_years, self.shares)
        gender = fit_logistic(self.gender_terms, self.female, self.shares)
        error = fit_error(self.ages, self.years, self.shares)
        found = {"age": age.tolist(), "gender": gender.tolist()}
        found |= {f"error_{name}": values for name, values in error.items()}
        return {name: np.round(values, 4).tolist() for name, values in found.items()}


def interval(values: Array, subjects: Sequence[str]) -> tuple[float, float]:
    """The 95 % interval of a mean, from drawing subjects again."""
    _, place = np.unique(subjects, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(0).integers(len(sums), size=(_DRAWS, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def calibration_error(probability: Array, happened: Array) -> float:
    """The mean distance of predicted and observed frequency, over equally large bins of rising probability."""
    bins = np.array_split(np.argsort(probability), _BINS)
    gaps = [len(some) * abs(probability[some].mean() - happened[some].mean()) for some in bins if len(some)]
    return float(sum(gaps) / len(probability))


def error_by_chance(probability: Array) -> float:
    """The calibration error that probabilities as right as can be would show on so few cases."""
    draw = np.random.default_rng(0)
    tries = [(draw.random(len(probability)) < probability).astype(float) for _ in range(_DRAWS // 5)]
    return float(np.mean([calibration_error(probability, happened) for happened in tries]))


def by_person(ages_off: Array, p_female: Array, female: Array, subjects: Sequence[str]) -> tuple[Array, Array]:
    """Of each person, in order of name: how many years the faces together are off, and whether their odds are right.

    ages_off: signed years.  female: 1 or 0.  All of them have one number for each face.
    """
    _, place = np.unique(subjects, return_inverse=True)
    counts, sure = np.bincount(place), np.clip(p_female, _SURE, 1 - _SURE)
    odds = np.bincount(place, np.log(sure / (1 - sure)))
    right = (odds > 0) == (np.bincount(place, female) > counts * _HALF)
    return np.abs(np.bincount(place, ages_off) / counts), right.astype(float)


def render(judged: Judged) -> str:
    """The tables as Markdown."""
    lines = [
        _pose_line(judged.faces),
        "",
        "| years | faces | age: mean absolute error | gender right | gender: calibration error (by chance) |",
        "|---|---|---|---|---|",
    ]
    sources = sorted(set(judged.source))
    chosen = {source: judged.source == source for source in sources}
    for source, ours in (chosen | {"all": np.ones(len(judged.faces), bool)}).items():
        lines += [f"| {source} {name} | {_cells(judged, some)} |" for name, some in _bands(judged, ours)]
    lines += ["", "| years | people | faces of each | age: off by | gender right |", "|---|---|---|---|---|"]
    for source in sources:
        if len(set(judged.subject[chosen[source]])) < chosen[source].sum():
            lines += [f"| {source} {name} | {_people(judged, some)} |" for name, some in _bands(judged, chosen[source])]
    return "\n".join(lines) + "\n"


def draw(judged: Judged, folder: Path) -> None:
    """The calibration of ages and of genders as plots, a column for each source."""
    columns = [(str(source), judged.source == source) for source in sorted(set(judged.source))]
    true_age = judged.years + _HALF
    ages = [(name, judged.ages[some], true_age[some]) for name, some in columns]
    genders = [(name, judged.p_female[some], judged.female[some]) for name, some in columns]
    plot_calibration(ages, folder / "age.png", label="years", limit=80)
    plot_calibration(genders, folder / "gender.png", label="P(female)")


def _bands(judged: Judged, ours: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each band of age, with which of our faces are in it."""
    for name, (low, high) in (BANDS | CHILDREN).items():
        yield name, ours & (low <= judged.years) & (judged.years < high)


def _people(judged: Judged, some: NDArray[np.bool_]) -> str:
    subjects = judged.subject[some].tolist()
    people = sorted(set(subjects))
    off = (judged.ages - judged.years - _HALF)[some]
    found = by_person(off, judged.p_female[some], judged.female[some], subjects)
    cells = [str(len(people)), f"{len(subjects) / len(people):.1f}", *(_mean(values, people) for values in found)]
    return " | ".join(cells)


def _mean(values: Array, subjects: Sequence[str]) -> str:
    low, high = interval(values, subjects)
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def _cells(judged: Judged, some: NDArray[np.bool_]) -> str:
    off = np.abs(judged.ages - judged.years - _HALF)[some]
    right = ((judged.p_female > _HALF) == judged.female)[some].astype(float)
    subjects = judged.subject[some].tolist()
    cells = [_mean(values, subjects) for values in (off, right)]
    said = judged.p_female[some]
    cells.append(f"{calibration_error(said, judged.female[some]):.3f} ({error_by_chance(said):.3f})")
    return " | ".join([str(len(off)), *cells])


def _pose_line(faces: Sequence[Labelled]) -> str:
    known = [face for face in faces if not np.isnan(face.roll)]
    roll = np.abs([face.pose.roll - face.roll for face in known])
    yaw, proxy = [face.pose.yaw for face in known], [face.yaw for face in known]
    slope, level = np.polyfit(proxy, yaw, 1)
    pitch, lifted = (np.array(some) for some in zip(*((face.pose.pitch, face.pitch) for face in known), strict=True))
    people = [face.subject for face in known]
    alike, alone = spearmanr(pitch, lifted)[0], spearmanr(_own(pitch, people), _own(lifted, people))[0]
    return (
        f"Pose ({len(known)} faces): roll is off by {np.median(roll):.2f} degrees (median; 95th percentile "
        f"{np.percentile(roll, 95):.2f}); yaw = {slope:.1f} x proxy {level:+.1f}, "
        f"Spearman {spearmanr(yaw, proxy)[0]:.3f}; pitch against its proxy, Spearman {alike:.3f}, within people "
        f"{alone:.3f}."
    )


def _own(values: Array, people: Sequence[str]) -> Array:
    """What is above each person's mean."""
    _, place = np.unique(people, return_inverse=True)
    return values - (np.bincount(place, values) / np.bincount(place))[place]


def main() -> None:
    """Analyse the faces and print."""
    parser = argparse.ArgumentParser(description="Score pose, age and gender on labelled faces.")
    parser.add_argument("albums", type=Path)
    parser.add_argument("--numbers", action="store_true", help="print the calibration instead")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the calibration there as well")
    arguments = parser.parse_args()
    judged = Judged(load_faces(arguments.albums))
    if arguments.plots:
        draw(judged, arguments.plots)
    sys.stdout.write(json.dumps(judged.numbers(), indent=2) + "\n" if arguments.numbers else render(judged))


if __name__ == "__main__":
    main()
