"""The faces of a training set, counted: what a model saw when it was made, beside what it sees now."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from eval.drift.counts import Counts
from eval.drift.distributions import DISTRIBUTIONS
from facealbum.errors import ManifestError
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_in_use
from facealbum.steps.rows import read_rows
from facealbum.storage.analyses import ensure_analyzer
from facealbum.storage.drift import Baseline, save_baseline

_SAME = ("age", "p_female", "yaw", "pitch", "quality")
_BOX = ("x1", "y1", "x2", "y2")


def choose_training(context: Context, faces: Path) -> Baseline:
    """Compare what the models in use find with this faces.csv of a training set from now on.

    The file is one that the same models have made of the training set, as `facealbum export faces` writes it.  Raises
    ManifestError.
    """
    training = count_training(faces)
    with context.database.begin() as transaction:
        models = models_in_use(transaction, context.settings)
        analyzer = ensure_analyzer(transaction, models.versions, models.space)
        return save_baseline(transaction, analyzer.analyzer_id, "training", training=training, now=context.clock())


def count_training(faces: Path) -> dict[str, Counts]:
    """int64[bins] of each distribution that a faces.csv tells of; raises ManifestError."""
    values: dict[str, list[float]] = defaultdict(list)
    for where, row in read_rows(faces, (*_SAME, *_BOX)):
        try:
            numbers = {name: float(row[name]) for name in (*_SAME, *_BOX)}
        except ValueError as error:
            raise ManifestError(f"{where} must have numbers in {', '.join((*_SAME, *_BOX))}") from error
        for name in _SAME:
            values[name].append(numbers[name])
        values["size"].append(min(numbers["x2"] - numbers["x1"], numbers["y2"] - numbers["y1"]))
    if not values:
        raise ManifestError(
            f"{faces.name} must have a row for each face, as `facealbum export faces` writes it; it has none"
        )
    return {name: DISTRIBUTIONS[name].count(np.array(found)) for name, found in values.items()}
