"""Turns a Paper into one HTML file: no script, no outside resource, every word escaped, the same bytes every time."""

from functools import cache
from typing import Any

from jinja2 import Environment

from eval.report import plots, words
from eval.report.paper import Paper
from eval.report.render import data_uri, new_environment

_LARGE = 1000.0


def render_paper(paper: Paper) -> str:
    """The whole page."""
    return _environment().get_template("paper.html.j2").render(paper=paper)


@cache
def _environment() -> Environment:
    environment = new_environment()
    environment.filters.update(
        {name: getattr(plots, name) for name in ("plot_months", "plot_whisker", "plot_dots", "plot_bars")}
        | {"day": words.day, "number": words.number, "shape": _shape, "plain": _plain, "data_uri": data_uri}
    )
    return environment


def _shape(value: Any) -> str:  # noqa: ANN401 - a block of a section, or a cell
    """What the template does with it, as the name of its class."""
    return type(value).__name__


def _plain(cell: str | float | None) -> str:
    """A cell without an interval: text, a count, a number with three digits or more, or a dash."""
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if isinstance(cell, int) or cell >= _LARGE else f"{cell:.3g}"
