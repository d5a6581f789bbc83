"""The training of a predictor of quality: a logistic regression of what is stored of a face.

It learns from all that was collected, and is judged by its twins, one for each fold, which the same recipe learnt from
the other folds.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.calibrate import Array
from eval.paired import Figure
from eval.plots import plot_calibration
from eval.rated_faces import PRIMARY, Rated, judge_quality, see_rated_faces
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Item, Manifest, Split, check_split, split_groups
from facealbum.pipelines.step import Values, Work
from models.quality_predictor import QualityPredictor
from models.train.quality_predictor import quality_recipe, train_quality

_LICENCE = "non-commercial research only: learnt from FG-NET and Families In the Wild"
_DATA = "data.npz"


class QualityTraining:
    """See facealbum.pipelines.training.Training."""

    name = "quality_predictor"
    kind = "quality"
    version = 1
    defaults: Values = {"name": "own-quality", "folds": 5, "epochs": 60, "learning_rate": 0.02, "pull": 1e-3}  # noqa: RUF012 - never changed

    def collect(self, work: Work) -> None:
        """Faces of the visible sets that have somebody to match; raises InvalidValueError for another source."""
        kind, _, folder = (work.source or "").partition(":")
        if kind != "bench":
            raise InvalidValueError(f"a predictor of quality learns from bench:FOLDER alone, got {work.source!r}")
        faces = see_rated_faces(Path(folder))
        faces.save(work.out / _DATA)
        digests = [hashlib.sha256(one.tobytes()).hexdigest() for one in faces.embeddings]
        items = tuple(map(Item, faces.ids.tolist(), digests, faces.groups.tolist()))
        Manifest("faces with somebody to match, from bench", items).write(work.out)
        work.log(f"{len(items)} faces of {len(set(faces.groups.tolist()))} groups")

    def split(self, work: Work) -> None:
        """Groups into folds, each judged by a twin that has not seen it."""
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=0.0, folds=int(work.parameters["folds"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        """The predictor of all faces, and what its twins say of the fold that each has not seen."""
        faces, fold = _read(work)
        said = np.empty(len(fold))
        for one in np.unique(fold):
            twin = _learn(work, faces, fold != one, f"without-{one}")
            said[fold == one] = twin.predict(faces.terms[fold == one])
        np.save(work.out / "said.npy", said)
        found = _learn(work, faces, np.ones(len(fold), bool), "all")
        (work.out / "model.bin").write_bytes(found.content())
        maps = "what is stored of a face to the probability that it matches"
        about = {"name": work.parameters["name"], "licence": _LICENCE, "research_only": True, "maps": maps}
        _write(work.out / "model.json", about | {"primary": PRIMARY})

    def evaluate(self, work: Work) -> None:
        """What the twins say beside the packaged quality."""
        faces, _ = _read(work)
        figures, slices = judge_quality(faces, _said(work))
        _write(work.out / "metrics.json", _plain(figures))
        _write(work.out / "slices.json", {name: _plain(some) for name, some in slices.items()})

    def plot(self, work: Work) -> None:
        """What the twins and the packaged quality say, beside what matched."""
        faces, _ = _read(work)
        matches = faces.matches.astype(np.float64)
        sides = [("trained", _said(work), matches), ("packaged", faces.quality.astype(np.float64), matches)]
        plot_calibration(sides, work.out / "plots" / "quality.png", label="quality")


TRAINING = QualityTraining()


def _read(work: Work) -> tuple[Rated, NDArray[np.int64]]:
    """What was collected, and the fold of each face."""
    manifest = Manifest.read(work.inputs["collect"])
    split = Split.read(work.inputs["split"])
    fold = np.array([split.side(item.group) for item in manifest.items], np.int64)
    return Rated.load(work.inputs["collect"] / _DATA), fold


def _learn(work: Work, faces: Rated, chosen: NDArray[np.bool_], name: str) -> QualityPredictor:
    recipe = quality_recipe(
        epochs=int(work.parameters["epochs"]),
        learning_rate=float(work.parameters["learning_rate"]),
        pull=float(work.parameters["pull"]),
    )
    checkpoint = work.scratch / f"{name}.checkpoint"
    return train_quality(faces.rated().only(chosen), recipe, seed=work.seed, checkpoint=checkpoint)


def _said(work: Work) -> Array:
    said: Array = np.load(work.inputs["train"] / "said.npy")
    return said


def _plain(figures: dict[str, Figure]) -> dict[str, Any]:
    return {name: asdict(one) for name, one in figures.items()}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
