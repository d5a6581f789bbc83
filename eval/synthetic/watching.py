"""What drift watches of a simulated family's month: a histogram of each distribution, in the bins of eval.drift."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from eval.drift.distributions import DIRECTIONS, DISTRIBUTIONS, direction
from eval.synthetic.directions import Array
from eval.synthetic.families import Family


def watch(family: Family, month: int, *, scores: Array | None = None) -> Mapping[str, NDArray[np.int64]]:
    """int64[bins] of each distribution; pitch and norm are not simulated.

    scores: how alike each face of the month is to its person, float64[n], where a run told.
    """
    faces = family.faces[family.faces.month == month]
    of_photo = np.unique(faces.photo, return_counts=True)[1]
    without = max(0, int(family.photos[month]) - len(of_photo))
    values: dict[str, Array] = {
        "age": faces.age,
        "p_female": faces.p_female,
        "yaw": faces.yaw,
        "quality": faces.quality,
        "size": faces.size,
        "faces": np.pad(of_photo, (0, without)).astype(np.float64),
    }
    if scores is not None:
        values["similarity"] = scores
    along = faces.embedding @ np.stack([direction(number) for number in range(1, DIRECTIONS + 1)]).T
    values |= {f"direction {number}": column.astype(np.float64) for number, column in enumerate(along.T, 1)}
    return {key: DISTRIBUTIONS[key].count(numbers) for key, numbers in values.items()}
