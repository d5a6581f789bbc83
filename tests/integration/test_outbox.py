"""A message that is written with its work is sent at least once, whatever dies between two steps."""

import json
import threading
from dataclasses import replace
from typing import NoReturn

import pytest

from facealbum.domain.ids import family_id
from facealbum.domain.messages import ClusterFamily, MatchFamily
from facealbum.domain.months import Month
from facealbum.errors import BrokerUnavailableError, UnknownVersionError
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family
from facealbum.steps.outbox import list_parked, park, relay, requeue
from facealbum.storage.families import save_family
from facealbum.storage.outbox import Outgoing, save_messages, save_raw_message
from facealbum.storage.parked import delete_parked

HANA, REN = family_id("Hana"), family_id("Ren")
NOW_AND_THEN = [MatchFamily(HANA), MatchFamily(REN), ClusterFamily(HANA, Month(2026, 10))]


class Died(BaseException):
    """The process is gone at this point."""


class Broker:
    """Takes messages; at the one of this number it dies before or after taking it, or refuses it."""

    def __init__(self, at: int = -1, how: str = "") -> None:
        self.taken: list[dict[str, object]] = []
        self.calls = 0
        self.at = at
        self.how = how

    def __call__(self, message: Outgoing) -> None:
        self.calls += 1
        if self.calls == self.at and self.how == "before":
            raise Died
        if self.calls == self.at and self.how == "refuse":
            raise BrokerUnavailableError("no broker")
        self.taken.append(message.message)
        if self.calls == self.at and self.how == "after":
            raise Died


def write(context: Context) -> None:
    with context.database.begin() as transaction:
        save_messages(transaction, NOW_AND_THEN, now=context.clock())


def expected() -> list[dict[str, object]]:
    return [message.to_json() for message in NOW_AND_THEN]


def test_messages_are_sent_in_order_and_once(context: Context) -> None:
    write(context)
    broker = Broker()
    assert relay(context, broker, limit=2) == 3
    assert relay(context, broker) == 0
    assert broker.taken == expected()


def test_a_rollback_sends_nothing(context: Context) -> None:
    with context.database.begin(trial=True) as transaction:
        save_messages(transaction, NOW_AND_THEN, now=context.clock())
    assert relay(context, Broker()) == 0


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_whoever_dies_between_two_steps_leaves_nothing_unsent(context: Context, at: int, how: str) -> None:
    write(context)
    dying, next_one = Broker(at, how), Broker()
    with pytest.raises(Died):
        relay(context, dying, limit=2)
    relay(context, next_one, limit=2)
    sent = [*dying.taken, *next_one.taken]
    assert all(message in sent for message in expected())
    assert len(sent) <= len(expected()) + 2  # what one transaction holds may come twice


def test_a_broker_that_is_down_costs_what_it_did_not_take_and_nothing_else(context: Context) -> None:
    write(context)
    broker = Broker(2, "refuse")
    with pytest.raises(BrokerUnavailableError):
        relay(context, broker)
    assert relay(context, broker) == 2
    assert broker.taken == expected()


def test_two_relays_share_the_work(context: Context) -> None:
    write(context)
    inside, done = threading.Event(), threading.Event()
    slow: list[Outgoing] = []

    def send_slowly(message: Outgoing) -> None:
        slow.append(message)
        inside.set()
        done.wait(30)

    first = threading.Thread(target=relay, args=(context, send_slowly), kwargs={"limit": 1})
    first.start()
    assert inside.wait(30)
    broker = Broker()
    assert relay(context, broker) == 2
    done.set()
    first.join(30)
    assert [message.message for message in slow] + broker.taken == expected()


def test_a_message_parked_twice_is_one_that_counts_its_attempts(context: Context) -> None:
    message = MatchFamily(HANA).to_json()
    park(context, "matching", message, error=("storage", "StorageError at s3.py:1"), attempts=1)
    park(context, "matching", message, error=("killed", "by somebody"), attempts=5)
    (one,) = list_parked(context)
    assert (one.family_id, one.code, one.attempts, one.message) == (HANA, "killed", 6, message)


@pytest.mark.parametrize("message", [None, "text", 7, [], {"version": 1}, {"version": 1, "family_id": ["x"]}, "🦊\n"])
def test_whatever_was_sent_can_be_parked(context: Context, message: object) -> None:
    park(context, "matching", message, error=("bad_message", "here"), attempts=1)
    assert [one.message for one in list_parked(context)] == [message]


@pytest.mark.parametrize("message", ["\0", {"a": "\ud800"}, [float("nan")], {"a": {"b\0": float("inf")}}])
def test_what_postgres_has_no_json_for_is_parked_as_text(context: Context, message: object) -> None:
    for _ in range(2):
        park(context, "matching", message, error=("bad_message", "here"), attempts=1)
    (one,) = list_parked(context)
    assert (one.attempts, one.message) == (2, {"text": json.dumps(message)})
    with context.database.begin() as transaction:
        delete_parked(transaction, one)
    assert not list_parked(context)


def test_a_message_for_a_queue_of_another_release_is_parked_and_the_rest_is_sent(context: Context) -> None:
    with context.database.begin() as transaction:
        save_raw_message(transaction, HANA, "of-tomorrow", message={"version": 1}, now=context.clock())
    write(context)

    def refuse(message: Outgoing) -> None:
        if message.queue == "of-tomorrow":
            raise UnknownVersionError("no such queue")

    assert relay(context, refuse) == 3
    assert [(one.queue, one.code) for one in list_parked(context)] == [("of-tomorrow", "unknown_version")]


def test_requeueing_moves_what_was_asked_for_and_a_crash_leaves_it_parked(context: Context) -> None:
    for message in NOW_AND_THEN:
        park(context, message.QUEUE, message.to_json(), error=("killed", "by somebody"), attempts=5)
    with pytest.raises(Died):
        requeue(replace(context, clock=_die))
    assert len(list_parked(context)) == 3
    assert requeue(context, family=family_id("Ren"), queue="clustering") == 0
    assert requeue(context, family=family_id("Ren")) == 1
    assert requeue(context, queue="clustering") == 1
    assert [one.message for one in list_parked(context)] == expected()[:1]
    broker = Broker()
    relay(context, broker)
    assert broker.taken == expected()[1:]


def test_a_family_takes_its_messages_with_it(context: Context) -> None:
    with context.database.begin() as transaction:
        save_family(transaction, "Hana", now=context.clock())
    write(context)
    park(context, "matching", expected()[0], error=("killed", "by somebody"), attempts=5)
    forget_family(context, "Hana")
    broker = Broker()
    relay(context, broker)
    assert broker.taken == [MatchFamily(REN).to_json()]
    assert not list_parked(context)


def _die() -> NoReturn:
    raise Died
