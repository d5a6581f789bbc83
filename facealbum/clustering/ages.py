"""How much more alike strangers look at some ages, so that more is asked of two faces where similarity says less.

Small children resemble each other most, to people and to networks; grown-ups resemble each other a little more than
a child resembles anybody.  Two faces of ages a and b need `young_likeness` x young(a) x young(b) + `grown_likeness` x
grown(a) x grown(b) beyond the similarity that is asked of all.  As this is a product, its mean over all pairs of two
groups is the product of their means: average linkage keeps every property that it has without.
"""

from collections.abc import Sequence

import numpy as np

from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import Observation
from facealbum.clustering.vectors import SCALE, Exact

_GROWING, _GROWN = 10.0, 20.0


def age_weights(faces: Sequence[Observation], parameters: ClusteringParameters) -> Exact:
    """float32[n, 2] of whole numbers; the product of two rows is what those faces need, in the unit of similarities.

    young(age) falls from 1 at birth to 0 at `young_until`, grown(age) rises from 0 at 10 years to 1 at 20; nothing more
    is asked of a face without an age.
    """
    ages = np.array([np.nan if face.age is None else face.age for face in faces], np.float64)
    young = np.clip(1 - ages / parameters.young_until, 0, 1) * np.sqrt(parameters.young_likeness)
    grown = np.clip((ages - _GROWING) / (_GROWN - _GROWING), 0, 1) * np.sqrt(parameters.grown_likeness)
    weights: Exact = np.rint(np.nan_to_num(np.stack([young, grown], axis=1)) * SCALE).astype(np.float32)
    return weights
