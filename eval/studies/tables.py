"""Tables of the studies, as Markdown, and the numbers in them."""

from collections.abc import Iterable, Sequence

from eval.metrics.estimates import wilson


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def share(hits: int, cases: int) -> str:
    """A share in per cent with its 95 % interval by Wilson."""
    low, high = wilson(hits / cases, cases)
    return f"{hits / cases:.1%} ({low:.1%}-{high:.1%})"
