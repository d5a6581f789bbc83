"""The looks of simulated faces fitted to albums with known truth: eval/synthetic/fitted.json.

    python -m eval.synthetic.fitting ALBUMS --cache FOLDER

ALBUMS and the cache are as in eval.arms.  Fitted are quantiles of similarity in all cells together (simulated
quantiles, McFadden 1989).  A few seconds.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from eval.albums import load_album
from eval.synthetic.cells import QUANTILES, Cell, load_cells
from eval.synthetic.directions import Array, draw_around
from eval.synthetic.parameters import FITTED, Looks, Senses
from facealbum.linking import LinkParameters
from models.calibration import load_calibrations

_BOUNDS = {
    "dimensions": (40, 400),
    "young": (0.1, 0.95),
    "young_until": (6, 25),
    "young_power": (0.3, 3),
    "common": (0, 0.3),
    "heredity": (0, 0.9),
    "ageing": (0.01, 3),
    "settling": (0.05, 30),
    "sharp": (0, 4),
    "sharp_quality": (0, 15),
    "sharp_spread": (0, 2),
}
_KIN = 0.42  # mean share of heredity between two of a family: of six pairs of four, one are parents, five share half
_DIGITS = 3


def fit_looks(cells: Sequence[Cell], *, seed: int = 7) -> Looks:
    """The looks with which the fitted cells' quantiles come nearest, each cell counting alike.

    Two directions of expected cosine c are taken to be as alike as atanh(c) with a normal error of 1 / sqrt(d), as
    Fisher's z has it; `draw_similarities` says what vectors really do.
    """
    fitted = [cell for cell in cells if cell.fitted]
    draw = np.random.default_rng(seed)
    chances = [draw.standard_normal((len(cell.ages), 3)) for cell in fitted]

    def miss(values: Array) -> Array:
        looks = _looks(values)
        return np.concatenate(
            [
                np.quantile(_near(looks, cell, chance), QUANTILES) - cell.quantiles
                for cell, chance in zip(fitted, chances, strict=True)
            ]
        )

    first = np.array([getattr(Looks(), name) for name in _BOUNDS], np.float64)
    scale = np.maximum(first, 0.05)
    found = least_squares(miss, first, bounds=tuple(zip(*_BOUNDS.values(), strict=True)), x_scale=scale, diff_step=0.01)
    looks = _looks(np.round(found.x, 4))
    return replace(looks, dimensions=round(looks.dimensions))


def expected_cosines(looks: Looks, cell: Cell) -> Array:
    """What the cosine of each pair would be if all faces were perfectly sharp."""
    youth = looks.youth(cell.ages)
    own = np.clip(1 - youth**2 - looks.common, 0, 1)
    kept = np.exp(-np.abs(np.diff(looks.clock(cell.ages), axis=1)[:, 0]))
    shared = looks.heredity * _KIN if cell.shared is None else cell.shared * kept
    cosines: Array = youth.prod(axis=1) + looks.common + np.sqrt(own.prod(axis=1)) * shared
    return cosines


def draw_similarities(looks: Looks, cell: Cell, draw: np.random.Generator) -> Array:
    """Similarities of as many pairs of drawn vectors, as simulated faces have them."""
    size, count = looks.dimensions, len(cell.ages)
    means = expected_cosines(looks, cell)
    first = draw.standard_normal((count, size))
    other = draw.standard_normal((count, size))
    second = means[:, None] * first + np.sqrt(1 - means**2)[:, None] * other
    sharp = looks.sharpness(cell.qualities, draw.standard_normal(cell.ages.shape))
    faces = [draw_around(_unit(mean), sharp[:, side], draw) for side, mean in enumerate((first, second))]
    similarities: Array = np.einsum("nd,nd->n", *faces)
    return similarities


def _near(looks: Looks, cell: Cell, chance: Array) -> Array:
    cosines = expected_cosines(looks, cell) * looks.sharpness(cell.qualities, chance[:, :2]).prod(axis=1)
    similarities: Array = np.tanh(np.arctanh(np.clip(cosines, -0.99, 0.99)) + chance[:, 2] / np.sqrt(looks.dimensions))
    return similarities


def _looks(values: Array) -> Looks:
    return Looks(**dict(zip(_BOUNDS, values.tolist(), strict=True)))


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def measured_senses(albums: Path, cache: Path) -> Senses:
    """Quality of the families album's faces, and the packaged age model's error as its calibration says."""
    quality = [one.face.quality for one in load_album(albums / "visible" / "fiw", cache).faces]
    error = LinkParameters.measured(load_calibrations()["age_gender"].numbers)
    return Senses(
        quality=tuple(np.quantile(quality, np.linspace(0, 1, len(Senses().quality))).round(_DIGITS).tolist()),
        error_ages=error.error_ages,
        error_bias=error.error_bias,
        error_spread=error.error_spread,
        error_freedom=error.error_freedom,
    )


def describe(looks: Looks, cells: Sequence[Cell], *, seed: int = 7) -> list[dict[str, object]]:
    """Each cell with its real and its drawn quantiles."""
    draw = np.random.default_rng(seed)
    return [
        {
            "name": cell.name,
            "pairs": cell.pairs,
            "fitted": cell.fitted,
            "real": cell.quantiles.round(_DIGITS).tolist(),
            "simulated": np.quantile(draw_similarities(looks, cell, draw), QUANTILES).round(_DIGITS).tolist(),
        }
        for cell in cells
    ]


def render_fit(content: Mapping[str, object], cells: Sequence[Mapping[str, object]]) -> str:
    """As JSON, a line each part and cell."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items()]
    rows = ",\n  ".join(json.dumps(cell) for cell in cells)
    return "{\n " + ",\n ".join([*parts, f'"cells": [\n  {rows}\n ]']) + "\n}\n"


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    args = parser.parse_args()
    cells = load_cells(args.albums.absolute(), args.cache)
    looks = fit_looks(cells)
    content = {
        "from": "the visible albums age, growth and fiw in the space fused-512; stream is a check",
        "looks": asdict(looks),
        "senses": asdict(measured_senses(args.albums.absolute(), args.cache)),
        "quantiles": QUANTILES,
    }
    FITTED.write_text(render_fit(content, describe(looks, cells)), encoding="utf-8")


if __name__ == "__main__":
    main()
