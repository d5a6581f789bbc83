"""Adapters: learnt from faces with vectors in two spaces, kept as model versions, and applied to the others.

Families are split by a hash: four fifths to learn from, the rest to be judged by, so no report is about a family that
its adapter knows.  What an adapter makes is marked, and is replaced once the face is embedded again.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FamilyId
from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, models_folder
from facealbum.steps.makers import adapter_maker
from facealbum.storage.adapters import AdapterRow, load_adapter, load_adapters, save_adapter
from facealbum.storage.analyses import ensure_space
from facealbum.storage.compat_reports import load_twin_vectors
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families
from facealbum.storage.spaces import load_families_in, load_uncarried, save_carried
from models.adapter import Adapter, Kind, Vectors, load_adapter_file, save_adapter_file
from models.adapter_fit import Pairs, fit_adapter

_HELD_OUT = 5  # one family in so many


@dataclass(frozen=True, slots=True, eq=False)
class OpenAdapter:
    """An adapter, ready to be applied."""

    row: AdapterRow
    map: Adapter


def is_held_out(family: FamilyId, adapter: str) -> bool:
    """Whether the adapter of this name is judged by the family and not learnt from it."""
    return hashlib.sha256(adapter.encode() + family.bytes).digest()[0] % _HELD_OUT == 0


def train_adapter(
    context: Context, name: str, *, source: str, target: str, kind: Kind = "linear", seed: int = 0
) -> AdapterRow:
    """Learn an adapter from all faces with true vectors in both spaces, and keep it.

    Raises InvalidValueError for a name that is taken or can't be, or too few faces, UnknownModelError for a space that
    no model here fills, and ModelError for a network without the extra `train`.
    """
    folder = models_folder(context.settings)
    parents = [find_embedder(space, folder) for space in (source, target)]
    with context.database.begin() as transaction:
        if any(one.name == name for one in load_adapters(transaction)):
            raise InvalidValueError(f"the name of a new adapter must be free, {name!r} is taken; try {name}-2")
        spaces = ensure_space(transaction, source), ensure_space(transaction, target)
    pairs, judged = _collect(context, name, spaces)
    adapter = fit_adapter(kind, pairs, seed=seed)
    figures = {
        "families": len(np.unique(pairs.families)),
        "faces": len(pairs.old),
        "seed": seed,
        "cosine": _closeness(adapter, pairs.old, pairs.new),
        "held_out_faces": len(judged[0]),
        "held_out_cosine": _closeness(adapter, *judged),
    }
    row = AdapterRow(
        name=name,
        kind=kind,
        source=source,
        target=target,
        sha256=save_adapter_file(folder, name, adapter),
        licence=" and ".join(sorted({parent.licence for parent in parents})),
        figures=figures,
        created_at=context.clock(),
    )
    with context.database.begin() as transaction:
        save_adapter(transaction, row, spaces=spaces)
    return row


def open_adapter(transaction: Transaction, settings: Settings, name: str) -> OpenAdapter:
    """The adapter of this name; raises UnknownModelError, and ModelError if its file is not here."""
    row = load_adapter(transaction, name)
    return OpenAdapter(row, load_adapter_file(models_folder(settings), name, sha256=row.sha256))


def fill_by_adapter(context: Context, name: str) -> int:
    """Give every face that has no vector in the adapter's space what it makes of the old one; tells how many."""
    with context.database.begin() as transaction:
        opened = open_adapter(transaction, context.settings, name)
        spaces = [ensure_space(transaction, space) for space in (opened.row.source, opened.row.target)]
        families = load_families(transaction)
    maker = adapter_maker(opened.row, spaces)
    context.progress.begin("Adapting faces", len(families))
    filled = 0
    for family in families:
        with context.database.begin() as transaction:
            ids, vectors = load_uncarried(transaction, family.family_id, source=spaces[0], target=spaces[1])
            adapted, now = opened.map.apply(vectors), context.clock()
            save_carried(transaction, family.family_id, maker, ids=ids, vectors=adapted, now=now)
        filled += len(ids)
        context.progress.advance()
    return filled


def _collect(context: Context, name: str, spaces: tuple[int, int]) -> tuple[Pairs, tuple[Vectors, Vectors]]:
    """The faces with both vectors: those to learn from, and the others' old and new vectors."""
    with context.database.begin() as transaction:
        families = load_families_in(transaction, spaces[1])
    context.progress.begin("Collecting faces", len(families))
    old: dict[bool, list[Vectors]] = {True: [], False: []}
    new: dict[bool, list[Vectors]] = {True: [], False: []}
    owners = []
    for number, family in enumerate(families):
        with context.database.begin() as transaction:
            first, second = load_twin_vectors(transaction, family, spaces=spaces)
        held_out = is_held_out(family, name)
        old[held_out].append(first)
        new[held_out].append(second)
        owners += [] if held_out else [number] * len(first)
        context.progress.advance()
    learnt = Pairs(_stack(old[False]), _stack(new[False]), np.array(owners, np.int64))
    return learnt, (_stack(old[True]), _stack(new[True]))


def _stack(parts: list[Vectors]) -> Vectors:
    return np.concatenate([np.zeros((0, EMBEDDING_SIZE), np.float32), *parts])


def _closeness(adapter: Adapter, old: Vectors, new: Vectors) -> float | None:
    """Mean cosine between what it makes of the old vectors and the new ones; None without any."""
    return float((adapter.apply(old) * new).sum(axis=1).mean()) if len(old) else None
