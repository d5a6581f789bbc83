"""A trained head scored on people it was not trained on, and the faces that the packaged one learnt from.

    python -m eval.head gather BENCH FACES.npz    train_faces and growth_faces of BENCH, by the product's own way
    python -m eval.head score FACES.npz [--folds 5] [--epochs 5]

The people of the last source are split into folds, and judged as of eval.cross_fit, but everybody else is learnt from.
The training `embedding_head` holds families back, too, and compares with the default space.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.cross_fit import learn_heads, unseen_similarities
from eval.head_data import gather
from eval.verification import Pairs, hit_rate, rate
from models.train.faces import LabelledFaces
from models.train.head import HeadRecipe, head_recipe, train_head

_CHILD = 12  # years


def unseen_pairs(faces: LabelledFaces, recipe: HeadRecipe, *, folds: int) -> Pairs:
    """All pairs of the last source's faces, scored by heads that were not trained on either person."""
    rows = np.flatnonzero(faces.sources == faces.sources.max())
    persons, person = np.unique(faces.persons[rows], return_inverse=True)
    fold = np.full(len(faces), -1)
    fold[rows] = (np.random.default_rng(1).permutation(len(persons)) % folds)[person]
    heads = dict(learn_heads(fold, lambda _two, learnt: train_head(faces.only(learnt), recipe)))
    similarities = unseen_similarities(faces.embeddings[rows], fold[rows], heads)
    first, second = np.triu_indices(len(rows), 1)
    return Pairs(similarities[first, second], person[first] == person[second], person[first], person[second])


def young(faces: LabelledFaces) -> NDArray[np.bool_]:
    """Which of the pairs of `unseen_pairs` are of two children."""
    child = faces.ages[faces.sources == faces.sources.max()] <= _CHILD
    first, second = np.triu_indices(len(child), 1)
    return np.asarray(child[first] & child[second])


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
        gather(arguments.bench)[0].save(arguments.faces)
    else:
        faces = LabelledFaces.load(arguments.faces)
        sys.stdout.writelines(_score(faces, head_recipe(epochs=arguments.epochs), folds=arguments.folds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
