"""Words that contradict each other by way of others: a is b, b is c, but a is not c."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from facealbum.corrections.ledger import Ledger, One, Word, connect, ways_of
from facealbum.domain.ids import PersonId

_Ways: TypeAlias = Mapping[One, Sequence[tuple[One, int]]]


def find_conflict(ledger: Ledger) -> tuple[int, ...] | None:
    """The numbers of the decisions that contradict each other, sorted; None if none do.

    Besides what users said, two persons of one arm are two people unless they were merged, one person is one child
    at most, and never a child that it is said not to be.
    """
    part = ledger.parts()
    for word in _apart(ledger, part):
        if part.get(word.one, word.one) == part.get(word.other, word.other):
            path = _path(ways_of(ledger.words.values()), word.one, word.other)
            return tuple(sorted({*path, word.number} - {0}))
    return _child_conflict(ledger)


def _apart(ledger: Ledger, part: dict[One, One]) -> Iterator[Word]:
    """All that are two people; number 0 where no user had to say so."""
    yield from (word for word in ledger.words.values() if not word.same)
    merged = connect(_merges(ledger))
    together: dict[One, list[PersonId]] = defaultdict(list)
    for person in ledger.homes:
        together[part.get(person, person)].append(person)
    for one, other in (pair for company in together.values() for pair in combinations(company, 2)):
        if ledger.homes[one] == ledger.homes[other] and merged.get(one, one) != merged.get(other, other):
            yield Word(one, other, same=False, number=0)


def _merges(ledger: Ledger) -> list[Word]:
    return [word for word in ledger.words.values() if word.one in ledger.homes and word.other in ledger.homes]


def _path(ways: _Ways, start: One, end: One) -> list[int]:
    """The decisions of the shortest way from one to the other."""
    came: dict[One, tuple[One, int] | None] = {start: None}
    queue = deque([start])
    while end not in came:
        one = queue.popleft()
        for other, number in ways[one]:
            if other not in came:
                came[other] = (one, number)
                queue.append(other)
    numbers = []
    step = came[end]
    while step is not None:
        numbers.append(step[1])
        step = came[step[0]]
    return numbers


def _child_conflict(ledger: Ledger) -> tuple[int, ...] | None:
    """Merged persons that are said to be two children, or a child and not that child."""
    part = connect(_merges(ledger))
    for one, other in combinations(ledger.children.values(), 2):
        if part.get(one.person, one.person) != part.get(other.person, other.person):
            continue
        if (one.same and other.same) or (one.child == other.child and one.same != other.same):
            return tuple(sorted({one.number, other.number, *_path(ways_of(_merges(ledger)), one.person, other.person)}))
    return None
