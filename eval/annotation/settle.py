"""From the labels of several annotators to one answer for each item."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from eval.annotation.items import Answer, Label


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer of an item, and the labels that said so; odd: those faces that more than half of them name."""

    answer: Answer
    odd: tuple[int, ...]
    labels: int
    disputed: bool


def settle(labels: Iterable[Label], *, arbiter: str | None = None) -> dict[UUID, Settled | None]:
    """The answer of each labelled item: the arbiter's where there is one, else that of more annotators than any other.

    None where as many say one thing as another; such an item counts as not answered.
    """
    of: dict[UUID, list[Label]] = defaultdict(list)
    for label in labels:
        of[label.item_id].append(label)
    return {item: _settle(said, arbiter) for item, said in of.items()}


def _settle(said: list[Label], arbiter: str | None) -> Settled | None:
    disputed = len({(label.answer, label.odd) for label in said}) > 1
    last_word = [label for label in said if label.annotator == arbiter]
    counts = Counter(label.answer for label in last_word or said).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        return None
    agreed = [label for label in last_word or said if label.answer is counts[0][0]]
    named = Counter(number for label in agreed for number in label.odd)
    odd = tuple(sorted(number for number, times in named.items() if 2 * times > len(agreed)))
    if any(named) and not odd:
        return None
    return Settled(counts[0][0], odd, len(agreed), disputed)
