"""What a training learns from and is judged by: the manifest of its items, and how they are kept apart.

Items of one group (a family, or a subject) stand on one side, and so do items that are the same bit for bit, whatever
group they came with: what is judged was never learnt from.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from facealbum.domain.sides import draw_of
from facealbum.errors import LeakageError

MANIFEST = "manifest.json"
SPLIT = "split.json"


@dataclass(frozen=True, slots=True)
class Item:
    """A face or photo.  sha256: of its bytes or its embedding, in hex.  family: its id, if one of ours."""

    id: str
    sha256: str
    group: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was collected, in the order of data.npz.  query: how it was asked for, which names nobody."""

    query: str
    items: tuple[Item, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """The ids of our families that it holds something of, sorted."""
        return tuple(sorted({item.family for item in self.items if item.family is not None}))

    def write(self, folder: Path) -> None:
        """Write manifest.json; the same items give the same bytes."""
        _write(folder / MANIFEST, {"query": self.query, "items": [asdict(item) for item in self.items]})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it again."""
        stored = json.loads((folder / MANIFEST).read_bytes())
        return cls(stored["query"], tuple(Item(**item) for item in stored["items"]))


@dataclass(frozen=True, slots=True)
class Split:
    """The groups that nothing is learnt from, and the fold of every other group."""

    held_out: frozenset[str]
    folds: Mapping[str, int] = field(default_factory=dict)

    def side(self, group: str) -> int:
        """-1 for groups held out, else the fold's number."""
        return -1 if group in self.held_out else self.folds[group]

    def write(self, folder: Path) -> None:
        """Write split.json."""
        _write(folder / SPLIT, {"held_out": sorted(self.held_out), "folds": dict(sorted(self.folds.items()))})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it again."""
        stored = json.loads((folder / SPLIT).read_bytes())
        return cls(frozenset(stored["held_out"]), stored["folds"])


def split_groups(manifest: Manifest, *, held_out: float, folds: int = 1, seed: int = 0) -> Split:
    """Draw by each group's name, so that groups that come later move none: about `held_out` of them, the rest in folds.

    Groups that share an identical item are drawn as one.
    """
    sides = {}
    for group, name in _united(manifest).items():
        draw = draw_of(name, seed=seed)
        sides[group] = -1 if draw.random() < held_out else int(draw.integers(folds))
    return Split(
        frozenset(group for group, side in sides.items() if side < 0),
        {group: side for group, side in sides.items() if side >= 0},
    )


def check_split(manifest: Manifest, split: Split) -> None:
    """Raise LeakageError if a group or an identical item stands on two sides, or a group on none."""
    both = split.held_out & split.folds.keys()
    if both:
        raise LeakageError(f"{len(both)} groups are both learnt from and held out, as {min(both)}; split them anew")
    nowhere = {item.group for item in manifest.items} - split.held_out - split.folds.keys()
    if nowhere:
        raise LeakageError(f"{len(nowhere)} groups are neither learnt from nor held out, as {min(nowhere)}")
    seen: dict[str, Item] = {}
    for item in manifest.items:
        twin = seen.setdefault(item.sha256, item)
        if split.side(twin.group) != split.side(item.group):
            raise LeakageError(
                f"{item.id} of group {item.group} is {twin.id} of group {twin.group}, on the other side of the split; "
                "put both groups on one side"
            )


def _united(manifest: Manifest) -> dict[str, str]:
    """Each group, and the first of all the groups that identical items tie it to."""
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while parent.setdefault(group, group) != group:
            group = parent[group]
        return group

    first: dict[str, str] = {}
    for item in manifest.items:
        one, other = root(item.group), root(first.setdefault(item.sha256, item.group))
        parent[max(one, other)] = min(one, other)
    return {group: root(group) for group in parent}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
