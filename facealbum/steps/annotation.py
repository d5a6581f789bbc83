"""Truth from people: draw a sample, take labels in, and say what they tell of everything.

Families are read one at a time.  A sample is written once it is whole; labels of a file are taken in all or none.
Labels change no album: facealbum.steps.annotation_decisions makes decisions of them when somebody says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from eval.annotation import (
    MIN_RESPONSE,
    AnnotationEstimate,
    Design,
    Item,
    Kind,
    Label,
    Reservoir,
    Sample,
    compare_arms,
    estimate_sample,
    estimate_slices,
    make_label,
    measure_agreement,
    offer_family,
    settle,
)
from facealbum.domain.months import Month
from facealbum.domain.names import expect_name
from facealbum.errors import ConflictError, InvalidValueError, ManifestError, UnknownItemError, UnknownSampleError
from facealbum.steps.context import Context
from facealbum.steps.rows import read_rows, tell_problems
from facealbum.storage.accuracy import load_asked
from facealbum.storage.database import Transaction
from facealbum.storage.families import count_families
from facealbum.storage.labels import count_labels, find_label, load_labels, save_labels
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.samples import (
    SampleRow,
    conclude_sample,
    delete_sample,
    find_item,
    find_open_item,
    find_sample,
    load_family_faces,
    load_family_ids,
    load_items,
    load_samples,
    save_sample,
)
from facealbum.storage.serving import load_installed_arm

_COLUMNS = ("sample", "item", "answer")
_FAMILIES_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw, as somebody asks for it; no arms: the installation's; no strata: those that fit the arms."""

    name: str
    kind: Kind
    size: int
    seed: int
    arms: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    month: Month | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What one annotator is asked next; item: None when nothing is left.  answered: how many are this annotator's."""

    sample: SampleRow
    item: Item | None
    answered: int
    said: Label | None = None


def draw_sample(context: Context, wanted: Wanted) -> SampleRow:
    """Draw it over all families, and keep it.

    Raises InvalidValueError for a name that is taken or can't be, an arm that never ran, or too few items for strata.
    """
    expect_name(wanted.name)
    with context.database.begin() as transaction:
        design, arms = _design(transaction, wanted)
        if find_sample(transaction, design.name):
            raise ConflictError(f"there is a sample {design.name!r} already; give this one another name")
        total = count_families(transaction)
    reservoir, families = Reservoir(design), 0
    context.progress.begin("Drawing", total)
    last: UUID | None = UUID(int=0)
    while last is not None:
        with context.database.begin() as transaction:
            some = load_family_ids(transaction, after=last, limit=_FAMILIES_AT_A_TIME)
            for family in some:
                offer_family(reservoir, load_family_faces(transaction, family, design, arms))
                context.progress.advance()
        families += len(some)
        last = some[-1] if some else None
    items, strata = reservoir.draw()
    if not items:
        raise InvalidValueError(f"there is nothing to draw: no {design.kind} of {' and '.join(design.arms)}")
    with context.database.begin() as transaction:
        save_sample(transaction, design, items, strata, families=families, now=context.clock())
        return _find(transaction, design.name)


def _design(transaction: Transaction, wanted: Wanted) -> tuple[Design, list[Arm]]:
    names = wanted.arms or (load_installed_arm(transaction),)
    usual = ("band", "disagreement") if len(names) > 1 else ("band",)
    design = Design(wanted.name, wanted.kind, wanted.size, wanted.seed, names, wanted.strata or usual, wanted.month)
    arms = {name: load_arm(transaction, name) for name in names}
    unknown = [name for name, arm in arms.items() if arm is None]
    if unknown:
        raise InvalidValueError(f"an arm must have run to be sampled, and {unknown[0]!r} never did")
    return design, [arm for arm in arms.values() if arm is not None]


def list_samples(context: Context) -> list[SampleRow]:
    """Every sample, the newest first."""
    with context.database.begin() as transaction:
        return load_samples(transaction)


def show_sample(context: Context, name: str) -> SampleRow:
    """One sample; raises UnknownSampleError."""
    with context.database.begin() as transaction:
        return _find(transaction, name)


def remove_sample(context: Context, name: str) -> None:
    """Delete a sample with its labels and its estimate; decisions made of it stay.  Raises UnknownSampleError."""
    with context.database.begin() as transaction:
        delete_sample(transaction, _find(transaction, name).sample_id)


def load_sample(context: Context, name: str) -> tuple[SampleRow, list[Item]]:
    """The sample and its items, in an order that tells annotators nothing; raises UnknownSampleError."""
    with context.database.begin() as transaction:
        row = _find(transaction, name)
        return row, load_items(transaction, row.sample_id)


def label_item(
    context: Context, sample: str, item: UUID, *, annotator: str, answer: str, odd: Iterable[int] = ()
) -> Label:
    """Keep one label; an annotator's later one takes its place.

    Raises UnknownSampleError, UnknownItemError, and InvalidValueError for an answer that it can't have.
    """
    with context.database.begin() as transaction:
        row = _find(transaction, sample)
        one = _find_item(transaction, row, item)
        label = make_label(row.design.kind, one, annotator=annotator, answer=answer, odd=tuple(odd))
        save_labels(transaction, row.sample_id, {item: one}, [label], now=context.clock())
    return label


def ask_next(context: Context, sample: str, *, annotator: str, after: UUID | None = None) -> Question:
    """The first item that the annotator has not labelled; after: those up to this one come last.

    Raises UnknownSampleError.
    """
    with context.database.begin() as transaction:
        row = _find(transaction, sample)
        item = find_open_item(transaction, row.sample_id, annotator, after=after)
        return Question(row, item, count_labels(transaction, row.sample_id, annotator))


def ask_again(context: Context, sample: str, item: UUID, *, annotator: str) -> Question:
    """An item, with what the annotator said of it; raises UnknownSampleError, UnknownItemError."""
    with context.database.begin() as transaction:
        row = _find(transaction, sample)
        one = _find_item(transaction, row, item)
        said = find_label(transaction, row.sample_id, item, annotator)
        return Question(row, one, count_labels(transaction, row.sample_id, annotator), said)


def import_labels(context: Context, path: Path, *, annotator: str) -> int:
    """Take in a labelled CSV; rows without an answer are skipped.  Tells how many labels are new or changed.

    Raises ManifestError, with each bad row's line and reason, and then nothing was taken in.
    """
    rows = [(where, row) for where, row in read_rows(path, _COLUMNS) if row["answer"]]
    with context.database.begin() as transaction:
        samples = {name: _find(transaction, name) for name in sorted({row["sample"] for _, row in rows})}
        items = {
            name: {item.item_id: item for item in load_items(transaction, one.sample_id)}
            for name, one in samples.items()
        }
        labels: dict[str, list[Label]] = {name: [] for name in samples}
        problems = []
        for where, row in rows:
            try:
                one = samples[row["sample"]]
                labels[row["sample"]].append(_label(one.design.kind, items[row["sample"]], row, annotator))
            except InvalidValueError as error:
                problems.append(f"{where}: {error}")
        if problems:
            raise ManifestError(f"nothing was taken in: {tell_problems(problems)}")
        return sum(
            save_labels(transaction, samples[name].sample_id, items[name], given, now=context.clock())
            for name, given in labels.items()
        )


def _label(kind: Kind, items: Mapping[UUID, Item], row: Mapping[str, str], annotator: str) -> Label:
    try:
        item, odd = items[UUID(row["item"])], [int(part) for part in row.get("odd", "").split()]
    except KeyError:
        raise InvalidValueError("the sample has no such item; its family may have been deleted") from None
    except ValueError:
        raise InvalidValueError("item must be an id and odd numbers with spaces between, as 3 7") from None
    return make_label(kind, item, annotator=annotator, answer=row["answer"].lower(), odd=odd)


def estimate(
    context: Context,
    name: str,
    *,
    arbiter: str | None = None,
    min_response: float = MIN_RESPONSE,
    conclude: bool = False,
) -> AnnotationEstimate:
    """What the labels say.  With `conclude` it is kept, whatever becomes of the families later.

    Raises UnknownSampleError, and InvalidValueError if too few are labelled or it was concluded before.
    """
    with context.database.begin() as transaction:
        row = _find(transaction, name)
        items, labels = load_items(transaction, row.sample_id), load_labels(transaction, row.sample_id)
        sample = Sample(name, row.design.kind, row.design.arms, row.strata, tuple(items))
        settled, asked = settle(labels, arbiter=arbiter), load_asked(transaction, row.sample_id, row.design.kind)
        found = estimate_sample(
            sample,
            settled,
            agreement=measure_agreement(items, labels),
            arbiter=arbiter,
            min_response=min_response,
        )
        by_slice = tuple(estimate_slices(sample, settled, asked))
        found = replace(found, slices=by_slice, changes=compare_arms(sample, settled, asked))
        if conclude:
            conclude_sample(transaction, row.sample_id, found, now=context.clock())
    return found


def _find(transaction: Transaction, name: str) -> SampleRow:
    found = find_sample(transaction, name)
    if found is None:
        raise UnknownSampleError(f"no sample is called {name!r}; `facealbum sample list` shows those there are")
    return found


def _find_item(transaction: Transaction, sample: SampleRow, item: UUID) -> Item:
    found = find_item(transaction, sample.sample_id, item)
    if found is None:
        raise UnknownItemError(
            f"the sample {sample.design.name!r} has no item {item}; its family may have been deleted"
        )
    return found
