"""Made families: every person a direction, to which age adds another that all people share."""

import numpy as np

from models.train.faces import LabelledFaces

AGE = 7
"""The number of an embedding that follows age."""


def growing_families(*, families: int = 12, seed: int = 3) -> LabelledFaces:
    """Families of three, six faces each, one to a photo, from 0 to 30 years."""
    draw = np.random.default_rng(seed)
    persons = np.repeat(np.arange(3 * families), 6)
    ages = draw.uniform(0, 30, len(persons)).astype(np.float32)
    who = draw.standard_normal((3 * families, 512))[persons] / np.sqrt(512)
    embeddings = who + 0.5 * draw.standard_normal(who.shape) / np.sqrt(512)
    embeddings[:, AGE] += 1.5 - 0.1 * ages
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    photos = np.arange(len(persons))
    sources = np.zeros(len(persons), np.int64)
    return LabelledFaces(embeddings.astype(np.float32), persons // 3, persons, photos, ages, sources)


def separation(embeddings: np.ndarray, persons: np.ndarray) -> float:
    """Mean similarity of true pairs less that of false pairs, in standard deviations of the false ones."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    first, second = np.triu_indices(len(persons), 1)
    similar = (unit @ unit.T)[first, second]
    same = persons[first] == persons[second]
    return float((similar[same].mean() - similar[~same].mean()) / similar[~same].std())
