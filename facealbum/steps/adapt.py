"""Adapters at work: what one makes of the vectors of a space, for faces that the next space has none of.

An adapter is a version in the registry (the training `space_adapter` makes them).  What it makes is marked, and is
replaced once the face is embedded again.
"""

from dataclasses import dataclass

from facealbum.domain.ids import FamilyId
from facealbum.domain.model_versions import ModelKind, ModelVersion
from facealbum.domain.sides import is_held_out
from facealbum.steps.context import Context
from facealbum.steps.makers import adapter_maker
from facealbum.steps.registry import expect_trained, read_artefact
from facealbum.storage.adapters import ensure_adapter
from facealbum.storage.analyses import ensure_space
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families
from facealbum.storage.spaces import load_uncarried, save_carried
from models.adapter import Adapter


@dataclass(frozen=True, slots=True, eq=False)
class OpenAdapter:
    """An adapter, ready to be applied; adapter_id: by which what it makes is marked.  spaces: its source and target."""

    model: ModelVersion
    map: Adapter
    adapter_id: int
    spaces: tuple[int, int]

    def is_judged_by(self, family: FamilyId) -> bool:
        """Whether the family is none that it was learnt from."""
        return is_held_out(str(family), self.map.held_out, seed=self.map.seed)


def read_adapter(context: Context, model: ModelVersion) -> Adapter:
    """The map of this version; raises ModelError if its artefact is not what was registered."""
    return Adapter.from_bytes(read_artefact(context, model))


def open_adapter(context: Context, transaction: Transaction, address: str) -> OpenAdapter:
    """The adapter of this address; raises UnknownModelError, InvalidValueError for another kind, and ModelError."""
    model = expect_trained(transaction, address, ModelKind.ADAPTER)
    found = read_adapter(context, model)
    spaces = ensure_space(transaction, found.source), ensure_space(transaction, found.target)
    adapter_id = ensure_adapter(transaction, model, found.kind, spaces=spaces, now=context.clock())
    return OpenAdapter(model, found, adapter_id, spaces)


def fill_by_adapter(context: Context, address: str) -> int:
    """Give every face that has no vector in the adapter's space what it makes of the old one; tells how many."""
    with context.database.begin() as transaction:
        opened = open_adapter(context, transaction, address)
        families = load_families(transaction)
    source, target = opened.spaces
    maker = adapter_maker(opened.model, opened.adapter_id, opened.spaces)
    context.progress.begin("Adapting faces", len(families))
    filled = 0
    for family in families:
        with context.database.begin() as transaction:
            ids, vectors = load_uncarried(transaction, family.family_id, source=source, target=target)
            adapted, now = opened.map.apply(vectors), context.clock()
            save_carried(transaction, family.family_id, maker, ids=ids, vectors=adapted, now=now)
        filled += len(ids)
        context.progress.advance()
    return filled
