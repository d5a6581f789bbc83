"""Pairs of faces of albums with known truth, in cells by who they show, how old they are and how good they are.

Only quantiles over the pairs of a cell are ever kept: no picture, no embedding and no name leaves the albums.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.albums import Album, load_album
from eval.rows import read_rows
from eval.synthetic.directions import Array
from eval.truth import load_members

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BANDS = {"0-2": (0.0, 3.0), "3-5": (3.0, 6.0), "6-12": (6.0, 13.0), "13-17": (13.0, 18.0), "18+": (18.0, 120.0)}

_PAIRS = 4000  # drawn of each cell
_LEAST = 200
_GROWTH = ((0.9, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 15.0))  # nearer ones are variants of one scan
_GAPS = ((0.0, 3.0), (3.0, 6.0), (6.0, 12.0), (12.0, 25.0), (25.0, 60.0))
_QUALITIES = ((0.0, 0.8), (0.8, 0.9), (0.9, 1.0))

Chosen: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Pairs of faces of one kind; ages float64[n, 2] in years, qualities float64[n, 2], similarities float64[n].

    shared: how much of its identity the second has of the first: 1 for the same person, 0 for strangers, None for two
    of one family, where heredity decides.  fitted: whether parameters were fitted to it, or it is a check.
    pairs: how many the album has, of which these were drawn.
    """

    name: str
    shared: float | None
    ages: Array
    qualities: Array
    similarities: Array
    pairs: int
    fitted: bool

    @property
    def quantiles(self) -> Array:
        """Of the similarities, float64[5]."""
        found: Array = np.quantile(self.similarities, QUANTILES)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """All pairs of an album's faces in different photos, a row a pair; ages are true where known, else estimated."""

    ages: Array
    qualities: Array
    similarities: Array
    same: Chosen
    family: Chosen
    named: Chosen
    grown: Chosen

    def cell(self, name: str, chosen: Chosen, shared: float | None, *, fitted: bool = True) -> Cell:
        """The chosen ones, or 4,000 of them."""
        rows = np.flatnonzero(chosen)
        pairs = len(rows)
        if pairs > _PAIRS:
            rows = np.sort(np.random.default_rng(pairs).choice(rows, _PAIRS, replace=False))
        return Cell(name, shared, self.ages[rows], self.qualities[rows], self.similarities[rows], pairs, fitted)


def load_cells(albums: Path, cache: Path) -> list[Cell]:
    """The cells of the visible albums in the default embedding space; those of fewer than 200 pairs are left out."""
    pairs = {name: _pairs(load_album(albums / "visible" / name, cache)) for name in ("age", "growth", "fiw", "stream")}
    cells = [*_strangers(pairs["age"]), *_growing(pairs["growth"]), *_family(pairs["fiw"])]
    news = pairs["stream"]
    cells.append(news.cell("people in the news: same person", news.same, 1, fitted=False))
    cells.append(news.cell("people in the news: strangers", news.named & ~news.same, 0, fitted=False))
    return [cell for cell in cells if cell.pairs >= _LEAST]


def _pairs(album: Album) -> _Pairs:
    members, true = load_members(album), _true_ages(album.folder)
    who = np.array([members.get(one.observation.face_id, "") for one in album.faces])
    known = [
        true.get((one.family, one.photo, name.partition("/")[2]))
        for one, name in zip(album.faces, who.tolist(), strict=True)
    ]
    estimated = [one.face.age for one in album.faces]
    ages = np.array([near if age is None else age for age, near in zip(known, estimated, strict=True)])
    quality = np.array([one.face.quality for one in album.faces])
    family = np.array([one.family for one in album.faces])
    photo = np.array([f"{one.family}/{one.photo}" for one in album.faces])
    vectors = np.stack([one.observation.embedding for one in album.faces]).astype(np.float32)
    i, j = np.triu_indices(len(who), 1)
    apart = photo[i] != photo[j]
    i, j = i[apart], j[apart]
    named = (who[i] != "") & (who[j] != "")
    unknown = np.array([age is None for age in known])
    return _Pairs(
        ages=np.stack([ages[i], ages[j]], axis=1),
        qualities=np.stack([quality[i], quality[j]], axis=1),
        similarities=(vectors @ vectors.T)[i, j].astype(np.float64),
        same=named & (who[i] == who[j]),
        family=family[i] == family[j],
        named=named,
        grown=unknown[i] | unknown[j],
    )


def _true_ages(folder: Path) -> dict[tuple[str, str, str], float]:
    rows = read_rows(folder / "truth.csv")
    return {(row["family"], row["photo"], row["member"]): float(row["age"]) for row in rows if row["age"]}


def _strangers(pairs: _Pairs) -> Iterator[Cell]:
    """Single photos of strangers, by the ages of both."""
    low, high = pairs.ages.min(axis=1), pairs.ages.max(axis=1)
    names = list(BANDS)
    for number, one in enumerate(names):
        for other in names[number:]:
            yield pairs.cell(f"strangers {one} and {other}", _within(low, BANDS[one]) & _within(high, BANDS[other]), 0)


def _growing(pairs: _Pairs) -> Iterator[Cell]:
    """One child at two ages."""
    first, gap = pairs.ages.min(axis=1), np.ptp(pairs.ages, axis=1)
    for band in list(BANDS)[:3]:
        for span in _GROWTH:
            chosen = pairs.same & ~pairs.grown & _within(first, BANDS[band]) & _within(gap, span)
            yield pairs.cell(f"a child from {band}, {span[0]:g} to {span[1]:g} years later", chosen, 1)


def _family(pairs: _Pairs) -> Iterator[Cell]:
    """One person by the gap of estimated ages and by the worse photo, and two people of one family."""
    gap, worse = np.ptp(pairs.ages, axis=1), pairs.qualities.min(axis=1)
    for low, high in _GAPS:
        name = f"same person, looking {low:g} to {high:g} years apart"
        yield pairs.cell(name, pairs.same & _within(gap, (low, high)), 1)
    for low, high in _QUALITIES:
        yield pairs.cell(f"same person, quality {low:g} to {high:g}", pairs.same & _within(worse, (low, high)), 1)
    others = pairs.named & ~pairs.same
    yield pairs.cell("two people of one family", others & pairs.family, None)
    yield pairs.cell("people of two families", others & ~pairs.family, 0)


def _within(values: Array, span: tuple[float, float]) -> Chosen:
    return (values >= span[0]) & (values < span[1])
