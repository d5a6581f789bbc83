"""Augmentation: other batches that the same people might have given."""

import numpy as np

from models.train.parts import Columns


def unchanged(batch: Columns, draw: np.random.Generator) -> Columns:
    """The batch as it is."""
    del draw
    return batch


def between_ages(batch: Columns, draw: np.random.Generator) -> Columns:
    """Each input moved up to a half of the way to another one of its person in the batch: ages in between."""
    inputs, persons = batch["inputs"], batch["persons"]
    order = np.lexsort((draw.random(len(persons)), persons))
    next_ = np.roll(order, -1)
    partner = np.empty_like(order)
    partner[order] = np.where(persons[order] == persons[next_], next_, order)
    share = draw.uniform(0, 0.5, (len(persons), 1)).astype(np.float32)
    return {**batch, "inputs": (1 - share) * inputs + share * inputs[partner]}
