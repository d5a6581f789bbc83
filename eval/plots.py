"""Calibration plots as PNG: what a model says beside what happened.

Matplotlib is a tool of development, so only drawing imports it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BINS = 10
_SIDE, _DOTS = 4.5, 120  # inches of one plot, and dots an inch


def reliability(said: Array, happened: Array) -> Array:
    """float64[bins, 3]: mean of what was said, mean of what happened and its 95 % margin, over equally large bins."""
    bins = [some for some in np.array_split(np.argsort(said, kind="stable"), _BINS) if len(some)]
    margins = [1.96 * happened[some].std() / np.sqrt(len(some)) for some in bins]
    return np.array(
        [(said[some].mean(), happened[some].mean(), margin) for some, margin in zip(bins, margins, strict=True)]
    )


def plot_calibration(groups: Sequence[tuple[str, Array, Array]], out: Path, *, label: str, limit: float = 1.0) -> None:
    """Draw each group (name, said, happened) as a plot of its own, side by side, from 0 to `limit` on both axes."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=(_SIDE * len(groups), _SIDE), dpi=_DOTS, layout="constrained")
    for axes, (name, said, happened) in zip(np.ravel(figure.subplots(1, len(groups))), groups, strict=True):
        seen, truth, margin = reliability(said, happened).T
        axes.plot([0, limit], [0, limit], color="0.8", zorder=0)
        axes.errorbar(seen, truth, yerr=margin, fmt="o-", capsize=3, color="tab:blue")
        axes.set(title=f"{name} (n = {len(said)})", xlabel=f"{label}: said", ylabel="seen", aspect="equal")
        axes.set(xlim=(0, limit), ylim=(0, limit))
        axes.grid(visible=True, color="0.93")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def plot_beside(groups: Sequence[tuple[str, Array, Array]], out: Path, *, labels: tuple[str, str]) -> None:
    """Draw each group (name, x, y) as dots of a plot of its own, side by side, with the line on which x = y."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=(_SIDE * len(groups), _SIDE), dpi=_DOTS, layout="constrained")
    for axes, (name, x, y) in zip(np.ravel(figure.subplots(1, len(groups))), groups, strict=True):
        least = min(x.min(), y.min())
        axes.plot([least, 1], [least, 1], color="0.8", zorder=0)
        axes.plot(x, y, "o", color="tab:blue")
        axes.set(title=f"{name} (n = {len(x)})", xlabel=labels[0], ylabel=labels[1], aspect="equal")
        axes.grid(visible=True, color="0.93")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def plot_gains(figures: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Draw each figure (value, low, high, n, and its baseline) and the baseline as dots with their intervals."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=(2 * _SIDE, 1 + 0.5 * len(figures)), dpi=_DOTS, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(figures))
    for label, shift, sides in (
        ("baseline", 0.15, [one["baseline"] for one in figures.values()]),
        ("trained", -0.15, list(figures.values())),
    ):
        values, low, high = (np.array([side[key] for side in sides]) for key in ("value", "low", "high"))
        reach = np.maximum([values - low, high - values], 0)
        axes.errorbar(values, places + shift, xerr=reach, fmt="o", capsize=3, label=label)
    axes.set_yticks(places, [f"{name} (n = {one['n']})" for name, one in figures.items()])
    axes.invert_yaxis()
    axes.grid(visible=True, color="0.93")
    axes.legend()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
