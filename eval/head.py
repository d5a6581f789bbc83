"""A trained head scored on people it was not trained on, and the faces that the packaged one learnt from.

    python -m eval.head gather BENCH FACES.npz    train_faces and growth_faces of BENCH, by the product's own way
    python -m eval.head score FACES.npz [--folds 5] [--epochs 5]

The people of the last source are split into folds.  For each two folds a head learns from the others, and scores the
pairs within and between those two, so every pair is scored by heads that saw neither person; pairs within one fold get
the mean.  That trains on fewer people than the packaged head has, so it errs on the low side.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.rows import read_rows
from eval.verification import Pairs, hit_rate, load_growth, rate
from facealbum.domain.faces import Face
from models.analyzer import Analyzer
from models.train.faces import LabelledFaces
from models.train.head import HeadRecipe, head_recipe, train_head

_CHILD = 12  # years


def unseen_pairs(faces: LabelledFaces, recipe: HeadRecipe, *, folds: int) -> Pairs:
    """All pairs of the last source's faces, scored by heads that were not trained on either person."""
    rows = np.flatnonzero(faces.sources == faces.sources.max())
    persons, person = np.unique(faces.persons[rows], return_inverse=True)
    fold = (np.random.default_rng(1).permutation(len(persons)) % folds)[person]
    total, heads = np.zeros((len(rows), len(rows)), np.float32), np.zeros((len(rows), len(rows)), np.float32)
    for two in combinations(range(folds), 2):
        tested = np.isin(fold, two)
        learnt = np.ones(len(faces), bool)
        learnt[rows[tested]] = False
        mapped = faces.embeddings[rows[tested]] @ train_head(faces.only(learnt), recipe)
        mapped /= np.linalg.norm(mapped, axis=1, keepdims=True)
        total[np.ix_(tested, tested)] += np.einsum("ae,be->ab", mapped, mapped)
        heads[np.ix_(tested, tested)] += 1
    first, second = np.triu_indices(len(rows), 1)
    similarities = total[first, second] / heads[first, second]
    return Pairs(similarities, person[first] == person[second], person[first], person[second])


def young(faces: LabelledFaces) -> NDArray[np.bool_]:
    """Which of the pairs of `unseen_pairs` are of two children."""
    child = faces.ages[faces.sources == faces.sources.max()] <= _CHILD
    first, second = np.triu_indices(len(child), 1)
    return np.asarray(child[first] & child[second])


def gather(bench: Path) -> LabelledFaces:
    """Source 0: crops of families, ages as estimated; source 1: people as they grow, ages as labelled."""
    analyzer = Analyzer.load()
    families = [(face, *words, face.age, 0) for face, *words in _crops(bench / "train_faces", analyzer)]
    growth = [
        (face, person, person, photo, age, 1)
        for face, person, _, photo, age in load_growth(bench / "growth_faces", analyzer)
    ]
    faces, family, person, photo, ages, sources = zip(*families, *growth, strict=True)
    return LabelledFaces(
        embeddings=np.stack([face.embedding for face in faces]),
        families=_numbered(family),
        persons=_numbered(person),
        photos=_numbered(photo),
        ages=np.array(ages, np.float32),
        sources=np.array(sources, np.int64),
    )


def _numbered(words: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(words), return_inverse=True)[1].astype(np.int64)


def _crops(folder: Path, analyzer: Analyzer) -> Iterator[tuple[Face, str, str, str]]:
    """The face in the middle of every crop, with family, member and photo; crops are padded to be detected."""
    for row in read_rows(folder / "labels.csv"):
        crop = cv2.imread(str(folder / row["file"]))
        if crop is None:
            continue
        edge = max(crop.shape[:2]) // 2
        padded = cv2.copyMakeBorder(crop, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        found = analyzer.analyze(cv2.imencode(".png", padded)[1].tobytes()).faces
        middle = np.array(padded.shape[1::-1]) / 2
        if found:
            face = min(found, key=lambda face: float(np.linalg.norm(face.landmarks.mean(axis=0) - middle)))
            yield face, row["family"], row["member"], row["photo"]


def _score(faces: LabelledFaces, recipe: HeadRecipe, *, folds: int) -> Iterator[str]:
    pairs = unseen_pairs(faces, recipe, folds=folds)
    children = young(faces)
    for name, chosen in (("0 to 12 years", children), ("all ages", np.ones(len(children), bool))):
        some = pairs.only(chosen)
        tar = f"{rate(some, 0.001)} at FAR 0.1 %, {hit_rate(some, 0.01):.2f} at 1 %"
        yield f"{name}: TAR {tar}; {some.same.sum():,} true, {(~some.same).sum():,} false pairs\n"


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m eval.head", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    gathering = commands.add_parser("gather")
    gathering.add_argument("bench", type=Path)
    gathering.add_argument("faces", type=Path)
    scoring = commands.add_parser("score")
    scoring.add_argument("faces", type=Path)
    scoring.add_argument("--folds", type=int, default=5)
    scoring.add_argument("--epochs", type=int, default=head_recipe().epochs)
    arguments = parser.parse_args(words)
    if arguments.command == "gather":
        gather(arguments.bench).save(arguments.faces)
    else:
        faces = LabelledFaces.load(arguments.faces)
        sys.stdout.writelines(_score(faces, head_recipe(epochs=arguments.epochs), folds=arguments.folds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
