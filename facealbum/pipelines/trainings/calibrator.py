"""The training of a calibrator of ages and genders: a few lines, and what the embedding adds to them.

It learns from all that was collected.  It is judged by its twins, one for each fold, which the same recipe learnt from
the other folds; how far its ages are off, by which linking goes, is what these twins' are.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.calibrate import fit_error
from eval.estimate_figures import PRIMARY, Figures, Said, Truth, judge_estimates
from eval.labelled_estimates import KnownFaces, see_known_faces
from eval.plots import plot_calibration
from facealbum.domain.people import Gender
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Item, Manifest, Split, check_split, split_groups
from facealbum.pipelines.step import Values, Work
from facealbum.steps.embedders import default_space
from facealbum.steps.known_faces import collect_known_faces
from models.calibrator import Calibrator
from models.train.calibrator import calibrator_recipe, train_calibrator

_BENCH_LICENCE = "non-commercial research only: learnt from FG-NET and UTKFace"
_OWN_LICENCE = "of the installation: learnt from its families' albums"
_FEMALE = {Gender.FEMALE: 1.0, Gender.MALE: 0.0}
_DATA, _OLDEST_SHOWN = "data.npz", 80.0
_HALF = 0.5  # fit_error is given completed years


class CalibratorTraining:
    """See facealbum.pipelines.training.Training."""

    name = "calibrator"
    kind = "calibrator"
    version = 1
    defaults: Values = {  # noqa: RUF012 - never changed
        "name": "own-calibrator",
        "folds": 5,
        "epochs": 80,
        "learning_rate": 0.01,
        "age_pull": 0.05,
        "gender_pull": 0.003,
        "line_pull": 1.0,
    }

    def collect(self, work: Work) -> None:
        """Faces of known age and gender, of the visible sets or of registered children in confirmed albums."""
        kind, _, folder = (work.source or "").partition(":")
        if kind == "bench":
            faces, families = see_known_faces(Path(folder)), None
        else:
            faces = _confirmed(work)
            families = faces.groups
        faces.save(work.out / _DATA)
        digests = [hashlib.sha256(one.tobytes()).hexdigest() for one in faces.embeddings]
        whose: Sequence[str | None] = [None] * len(digests) if families is None else families.tolist()
        items = tuple(map(Item, faces.ids.tolist(), digests, faces.groups.tolist(), whose))
        Manifest(f"faces of known age, from {kind}", items).write(work.out)
        work.log(f"{len(items)} faces of {len(set(faces.groups.tolist()))} groups")

    def split(self, work: Work) -> None:
        """Groups into folds, each judged by a twin that has not seen it."""
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=0.0, folds=int(work.parameters["folds"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        """The calibrator of all faces, and its twins."""
        manifest, faces, fold = _read(work)
        twins = {int(one): _learn(work, faces, fold != one, f"without-{one}") for one in np.unique(fold)}
        for one, twin in twins.items():
            (work.out / f"twin-{one}.json").write_bytes(twin.content())
        shares = faces.labelled().weights.astype(np.float64)
        error = fit_error(_judged(faces, fold, twins).ages, faces.years.astype(np.float64) - _HALF, shares)
        found = replace(
            _learn(work, faces, np.ones(len(fold), bool), "all"),
            error_ages=tuple(error["ages"]),
            error_bias=tuple(error["bias"]),
            error_spread=tuple(error["spread"]),
            error_freedom=error["freedom"][0],
        )
        (work.out / "model.bin").write_bytes(found.content())
        research = not manifest.families
        about = {
            "name": work.parameters["name"],
            "licence": _BENCH_LICENCE if research else _OWN_LICENCE,
            "research_only": research,
            "maps": f"packaged age, P(female) and embedding of {found.space} to age, spread and P(female)",
            "primary": PRIMARY,
        }
        _write(work.out / "model.json", about)

    def evaluate(self, work: Work) -> None:
        """The twins on the fold that each has not seen, beside the packaged models."""
        _, faces, fold = _read(work)
        new, old, truth = _judged(faces, fold, _twins(work, fold)), _packaged(faces), _truth(faces)
        figures, slices = judge_estimates(truth, new, old)
        _write(work.out / "metrics.json", _plain(figures))
        _write(work.out / "slices.json", {name: _plain(some) for name, some in slices.items()})

    def plot(self, work: Work) -> None:
        """What the twins and the packaged models say, beside what is."""
        _, faces, fold = _read(work)
        sides = {"trained": _judged(faces, fold, _twins(work, fold)), "packaged": _packaged(faces)}
        truth, known = _truth(faces), ~np.isnan(faces.female)
        ages = [(name, said.ages, truth.years) for name, said in sides.items()]
        plot_calibration(ages, work.out / "plots" / "age.png", label="years", limit=_OLDEST_SHOWN)
        genders = [(name, said.p_female[known], truth.female[known]) for name, said in sides.items()]
        plot_calibration(genders, work.out / "plots" / "gender.png", label="P(female)")


TRAINING = CalibratorTraining()


def _confirmed(work: Work) -> KnownFaces:
    if work.context is None or work.source != "confirmed":
        raise InvalidValueError(f"a source must be bench:FOLDER, or confirmed with a database, got {work.source!r}")
    rows = collect_known_faces(work.context)
    if not rows:
        raise InvalidValueError("faces must be linked to registered children, none are; run facealbum cluster first")
    return KnownFaces(
        ages=np.array([face.age for _, face in rows], np.float32),
        p_female=np.array([face.p_female for _, face in rows], np.float32),
        quality=np.array([face.quality for _, face in rows], np.float32),
        embeddings=np.array([face.embedding for _, face in rows], np.float32),
        years=np.array([face.years for _, face in rows], np.float32),
        female=np.array([_FEMALE.get(face.gender, np.nan) for _, face in rows], np.float32),
        ids=np.array([str(face.face_id) for _, face in rows]),
        groups=np.array([str(family) for family, _ in rows]),
        sources=np.full(len(rows), "confirmed"),
    )


def _read(work: Work) -> tuple[Manifest, KnownFaces, NDArray[np.int64]]:
    """What was collected, and the fold of each face."""
    manifest = Manifest.read(work.inputs["collect"])
    split = Split.read(work.inputs["split"])
    fold = np.array([split.side(item.group) for item in manifest.items], np.int64)
    return manifest, KnownFaces.load(work.inputs["collect"] / _DATA), fold


def _learn(work: Work, faces: KnownFaces, chosen: NDArray[np.bool_], name: str) -> Calibrator:
    """The calibrator of the chosen faces; kept in the scratch folder, so that a kill costs an epoch at most."""
    kept = work.scratch / f"{name}.json"
    if kept.exists():
        return Calibrator.read(kept.read_bytes())
    recipe = calibrator_recipe(
        epochs=int(work.parameters["epochs"]),
        learning_rate=float(work.parameters["learning_rate"]),
        age_pull=float(work.parameters["age_pull"]),
        gender_pull=float(work.parameters["gender_pull"]),
        line_pull=float(work.parameters["line_pull"]),
    )
    found = train_calibrator(
        faces.labelled().only(chosen),
        recipe,
        space=default_space(),
        seed=work.seed,
        checkpoint=work.scratch / f"{name}.checkpoint",
    )
    part = kept.with_suffix(".part")
    part.write_bytes(found.content())
    part.replace(kept)
    work.log(f"{name}: {int(chosen.sum())} faces")
    return found


def _twins(work: Work, fold: NDArray[np.int64]) -> dict[int, Calibrator]:
    folder = work.inputs["train"]
    return {int(one): Calibrator.read((folder / f"twin-{one}.json").read_bytes()) for one in np.unique(fold)}


def _judged(faces: KnownFaces, fold: NDArray[np.int64], twins: dict[int, Calibrator]) -> Said:
    """What is said of each face by the twin that has not seen its fold."""
    said = Said(np.empty(len(fold)), np.empty(len(fold)))
    for one, twin in twins.items():
        found = twin.estimate(faces.labelled().stored.only(fold == one))
        said.ages[fold == one], said.p_female[fold == one] = found.ages, found.p_female
    return said


def _packaged(faces: KnownFaces) -> Said:
    return Said(faces.ages.astype(np.float64), faces.p_female.astype(np.float64))


def _truth(faces: KnownFaces) -> Truth:
    years, female, quality = (one.astype(np.float64) for one in (faces.years, faces.female, faces.quality))
    return Truth(years, female, quality, faces.groups.tolist())


def _plain(figures: Figures) -> dict[str, Any]:
    return {name: asdict(one) for name, one in figures.items()}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
