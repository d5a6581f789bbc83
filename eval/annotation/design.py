"""Stratified sampling in one pass: each item's priority is a hash, and the smallest ones of a stratum are its sample.

The same population and seed give the same sample, whatever the order of rows.  Within a stratum every set of the same
size is as likely as any other, so an item's inclusion probability is known exactly.  At most `size` items of each
stratum are held in memory.  Allocation: W. G. Cochran, Sampling Techniques, 3rd ed., 5.5 (Neyman's); priorities:
Duffield, Lund and Thorup, Priority sampling, 2007, here with equal weights.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappush, heappushpop
from math import sqrt
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from eval.annotation.items import Item, Kind
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

Words = NDArray[np.uint64]

FLOOR = 10  # items of each stratum, or all of them
STRATA = ("band", "age", "gender", "arm", "disagreement")
BANDS = ("far-below", "below", "above", "far-above")
_EDGES = (-0.2, 0.0, 0.2)  # of a similarity less the arm's own, between the bands
_WRONG = dict(zip(BANDS, (0.3, 0.15, 0.05, 0.01), strict=True))  # of what an arm holds together, as planned with
_MISSED = dict(zip(BANDS, (0.0005, 0.02, 0.2, 0.5), strict=True))  # of what it holds apart
_LOW = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Design:
    """What is drawn: so many items of a kind, under these arms, of the photos of one month or of all."""

    name: str
    kind: Kind
    size: int
    seed: int
    arms: tuple[str, ...]
    strata: tuple[str, ...] = ("band",)
    month: Month | None = None

    def __post_init__(self) -> None:
        unknown = [one for one in self.strata if one not in STRATA]
        if unknown:
            raise InvalidValueError(f"strata must be some of {', '.join(STRATA)}, got {unknown[0]!r}")
        if self.size < 1 or not self.name or self.seed < 0:
            raise InvalidValueError(
                f"a sample must have a name, 1 or more items and a seed of 0 or more, got {self.name!r}, {self.size} "
                f"and {self.seed}"
            )
        if len(self.arms) not in {1, 2} or len(set(self.arms)) != len(self.arms):
            raise InvalidValueError(f"a sample must be of one arm or two different ones, got {list(self.arms)}")

    @property
    def allocation(self) -> str:
        """How the items are shared out among the strata."""
        return "neyman" if "band" in self.strata else "proportional"


@dataclass(frozen=True, slots=True, order=True)
class Stratum:
    """A part of the population; differs: two arms hold different things of it."""

    together: bool
    band: str = ""
    others: tuple[str, ...] = ()
    differs: bool = False

    @property
    def name(self) -> str:
        """As tables show it."""
        side = "together" if self.together else "apart"
        similarity = (f"similarity:{self.band}",) if self.band else ()
        return " ".join((side, *similarity, *(("arms:differ",) if self.differs else ()), *self.others))

    @property
    def deviation(self) -> float:
        """The standard deviation of its answers that allocation reckons with."""
        share = 0.5 if self.differs else (_WRONG if self.together else _MISSED).get(self.band, 0.5)
        return sqrt(share * (1 - share))


@dataclass(frozen=True, slots=True)
class StratumSize:
    """How many units a stratum has (an estimate where families were thinned out first) and how many were drawn."""

    stratum: str
    population: float
    drawn: int


@dataclass(slots=True)
class Reservoir:
    """What a draw holds of the population so far."""

    design: Design
    offered: dict[Stratum, int] = field(default_factory=lambda: defaultdict(int))
    population: dict[Stratum, float] = field(default_factory=lambda: defaultdict(float))
    _held: dict[Stratum, list[tuple[int, UUID, Item]]] = field(default_factory=lambda: defaultdict(list))

    def offer(self, stratum: Stratum, priorities: Words, make: Callable[[int], Item], *, first: float = 1.0) -> None:
        """Units of one stratum; `make` tells the item of the unit at an index.

        first: the probability with which each of them came to be offered at all.
        """
        self.offered[stratum] += len(priorities)
        self.population[stratum] += len(priorities) / first
        held = self._held[stratum]
        order = np.argsort(priorities, kind="stable")[: self.design.size]
        for index in order:
            priority = int(priorities[index])
            if len(held) == self.design.size and -held[0][0] < priority:
                return
            item = make(int(index))
            entry = (-priority, item.item_id, replace(item, stratum=stratum.name, probability=first))
            heappush(held, entry) if len(held) < self.design.size else heappushpop(held, entry)

    def draw(self) -> tuple[list[Item], list[StratumSize]]:
        """The sample in the order of its items' ids, and the strata; raises InvalidValueError if it is too small."""
        drawn = _share_out(self)
        items = [
            replace(item, probability=item.probability * count / self.offered[stratum])
            for stratum, count in drawn.items()
            for _, _, item in sorted(self._held[stratum], key=lambda entry: (-entry[0], entry[1]))[:count]
        ]
        sizes = [StratumSize(one.name, self.population[one], drawn[one]) for one in sorted(drawn)]
        return sorted(items, key=lambda item: item.item_id), sizes


def _share_out(reservoir: Reservoir) -> dict[Stratum, int]:
    """Items of each stratum: of pairs half are of what is held together, half of what is held apart."""
    sides: dict[bool, dict[Stratum, int]] = defaultdict(dict)
    for stratum, count in reservoir.offered.items():
        if count:
            sides[stratum.together][stratum] = count
    size, drawn = reservoir.design.size, dict[Stratum, int]()
    for number, side in enumerate(sorted(sides, key=lambda side: sum(sides[side].values()))):
        share = (size - sum(drawn.values())) // (len(sides) - number)
        weights = {one: reservoir.population[one] * one.deviation for one in sides[side]}
        drawn |= allocate(sides[side], weights, share)
    return drawn


def allocate(counts: Mapping[Stratum, int], weights: Mapping[Stratum, float], size: int) -> dict[Stratum, int]:
    """Share `size` items out in proportion to `weights`, FLOOR or all of each stratum first, none more than it has.

    Raises InvalidValueError if the floor takes more than `size`.
    """
    taken = {one: min(FLOOR, count) for one, count in counts.items()}
    left = min(size, sum(counts.values())) - sum(taken.values())
    if left < 0:
        raise InvalidValueError(
            f"{len(counts)} strata need {sum(taken.values())} items, {FLOOR} each, and only {size} are left for them; "
            "draw more, or stratify by less"
        )
    while left:
        rooms = sorted(one for one in counts if taken[one] < counts[one])
        total = sum(weights[one] for one in rooms)
        ideal = {one: left * weights[one] / total for one in rooms}
        whole = {one: min(int(ideal[one]), counts[one] - taken[one]) for one in rooms}
        if not any(whole.values()):  # less than one is left for each: the largest remainders get one
            largest = sorted(rooms, key=lambda one: (-ideal[one], one))[:left]
            whole = dict.fromkeys(largest, 1)
        for one, more in whole.items():
            taken[one] += more
        left -= sum(whole.values())
    return taken


def bands(similarities: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """The index in BANDS of each similarity, by how far it is from the arm's threshold."""
    return np.searchsorted(_EDGES, similarities - threshold, side="right")


def band_of(similarity: float, threshold: float) -> int:
    """The same of one similarity."""
    return bisect_right(_EDGES, similarity - threshold)


def priorities(seed: int, *words: Words) -> Words:
    """A uniform 64-bit number for each row of words, by the mixing function of Steele et al., SplitMix64, 2014."""
    mixed = np.full(len(words[0]), seed & _LOW, np.uint64)
    for word in words:
        mixed = (mixed ^ word) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


def words_of(ids: Iterable[UUID]) -> Words:
    """64 of the 128 bits of each id, every one of them used."""
    return np.array([(one.int ^ one.int >> 64) & _LOW for one in ids], np.uint64)
