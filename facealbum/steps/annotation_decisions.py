"""Labels become decisions of the family, only here and only when somebody says so.

Each item is decided in one transaction with the note that it was, so running it again goes on where it stopped.
"""

from dataclasses import dataclass
from uuid import UUID

from eval.annotation import Answer, Item, Kind, Settled, settle
from facealbum.domain.decisions import Kind as Word
from facealbum.domain.ids import FamilyId
from facealbum.errors import ContradictionError, InvalidValueError
from facealbum.steps.annotation import load_sample
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, record
from facealbum.storage.families import load_family
from facealbum.storage.labels import load_labels
from facealbum.storage.samples import save_decided


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: the family's decision of this number, or the reason why there is none."""

    item_id: UUID
    family: str
    kind: str
    number: int | None
    reason: str | None = None


def decide_sample(context: Context, name: str, *, author: str, arbiter: str | None = None) -> list[Outcome]:
    """Make a decision of every settled answer that says something, but those that were made before.

    Each can be undone by `facealbum decisions undo`, and is then not made again.  Raises UnknownSampleError.
    """
    row, items = load_sample(context, name)
    with context.database.begin() as transaction:
        settled = settle(load_labels(transaction, row.sample_id), arbiter=arbiter)
    open_ones = [(item, one) for item in items if item.decision is None and (one := settled.get(item.item_id))]
    wanted = [(item, said) for item, one in open_ones if (said := _said(row.design.kind, item, one))]
    context.progress.begin("Deciding", len(wanted))
    outcomes = []
    for item, said in wanted:
        outcomes.append(_decide(context, row.sample_id, item, said, author))
        context.progress.advance()
    return outcomes


def _decide(context: Context, sample: UUID, item: Item, said: Said, author: str) -> Outcome:
    with context.database.begin() as transaction:
        family = load_family(transaction, FamilyId(item.family_id))
    try:
        with context.database.begin() as transaction:
            decided = record(transaction, family.family_id, said, author=author, now=context.clock())
            save_decided(transaction, sample, item, decided.number)
    except (InvalidValueError, ContradictionError) as error:
        return Outcome(item.item_id, family.name, said.kind.value, None, str(error))
    return Outcome(item.item_id, family.name, said.kind.value, decided.number)


def _said(kind: Kind, item: Item, settled: Settled) -> Said | None:
    """What the answer says of the album; None for what says nothing, or not of which face of a pair."""
    if settled.answer is Answer.UNSURE or (kind is Kind.PAIRS and settled.answer is Answer.NOT_A_FACE):
        return None
    faces = tuple(map(str, item.faces[:1] if kind is Kind.FACES else item.faces))
    if kind is Kind.PAIRS:
        return Said(Word.SAME if settled.answer is Answer.YES else Word.DIFFERENT, faces)
    if settled.answer is Answer.NOT_A_FACE:
        return Said(Word.NOT_A_FACE, faces)
    if settled.answer is Answer.YES:
        return Said(Word.CONFIRM, faces, str(item.person_id))
    odd = tuple(faces[number - 1] for number in settled.odd)
    return Said(Word.REJECT, odd or faces, str(item.person_id))
