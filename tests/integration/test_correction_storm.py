"""Two reviewers correct the same family at once while its month is run: nothing is lost, and conflicts are told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from eval.correction_storm import CONFLICTS, REFUSALS, Said, Send, storm
from facealbum.corrections import Decision, Ledger
from facealbum.domain.access import Role
from facealbum.domain.ids import FaceId, PersonId, child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.settings import Settings
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context, open_context
from facealbum.steps.correct import decide_by_ids, undo_by_id
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import load_records, load_words
from facealbum.storage.families import save_child
from facealbum.storage.schema import assignments, faces, links, persons, runs
from facealbum.web import make_app
from tests.conftest import copied
from tests.integration.album import FAMILY_ID, add, shots
from tests.integration.web_album import NOW, new_token

JANUARY = Month(2026, 1)
SHOTS = shots(months=1, a_month=28)
NAMES = ("ann", "ben")
CHILDREN = tuple(child_id(FAMILY_ID, name) for name in ("Hana", "Ren"))
ACTIONS = 30
SEED = 8


class Ticking:
    """A clock that never says the same twice: what happens under a family's lock gets the order of its moments."""

    def __init__(self) -> None:
        self._ticks, self._lock = count(1), Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return NOW + timedelta(milliseconds=next(self._ticks))


@pytest.fixture
def twin_url(server: str) -> Iterator[str]:
    """The URL of another fresh database."""
    with copied(server, "template", "correction_storm_twin") as url:
        yield url


@contextmanager
def family(url: str, folder: Path) -> Iterator[tuple[Settings, Context]]:
    """A family with two children, half of whose month is clustered."""
    settings = Settings(
        data=folder / "data",
        database_url=url.replace("+psycopg2", ""),
        object_store=str(folder / "objects"),
        web_threads=4,
        processes=1,
    )
    with open_context(settings) as opened:
        context = replace(opened, clock=lambda: NOW)
        add(context, SHOTS[:14])
        with context.database.begin() as transaction:
            for number, child in enumerate(CHILDREN):
                born = Child(child, str(number), date(2020 - 8 * number, 1, 1), Gender.UNKNOWN)
                save_child(transaction, FAMILY_ID, born, now=NOW)
        cluster_families(context, JANUARY)
        add(context, SHOTS[14:])
        yield settings, context


def reviewers(client: TestClient, world: Context, *, at: dict[int, Event]) -> list[Send]:
    """One for each name, with a token of its own; the events are set when so many requests were sent."""
    sent, lock = count(1), Lock()

    def reviewer(name: str) -> Send:
        headers = {"Authorization": f"Bearer {new_token(world, name, Role.REVIEWER)}"}

        def send(method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
            if method != "GET":
                with lock:
                    number = next(sent)
                if number in at:
                    at[number].set()
            answer = client.request(method, f"/v1/families/{FAMILY_ID}{path}", json=body, headers=headers)
            return answer.status_code, answer.json()

        return send

    return [reviewer(name) for name in NAMES]


def rage(settings: Settings) -> list[Said]:
    """Both reviewers at once, with three runs of the month among what they say."""
    marks = {number: Event() for number in (ACTIONS // 2, ACTIONS, 3 * ACTIONS // 2)}
    with TestClient(make_app(settings)) as client, ThreadPoolExecutor(1) as runner:
        state = client.app.state  # type: ignore[attr-defined]
        state.context = world = replace(state.context, clock=Ticking())
        with world.database.begin() as transaction:
            everybody = [str(one) for one in transaction.execute(select(faces.c.face_id)).scalars()]

        def run() -> list[int]:
            made = []
            for mark in marks.values():
                mark.wait()
                made.append(len(cluster_families(world, JANUARY).runs))
            return made

        running = runner.submit(run)
        sends = reviewers(client, world, at=marks)
        said = storm(sends, sorted(everybody), [*map(str, CHILDREN)], actions=ACTIONS, seed=SEED)
        assert running.result() == [1, 1, 1]
    return said


def replay(context: Context, decisions: list[Decision], started: list[datetime]) -> None:
    """What was accepted and run, one after the other, in the order of its moments."""
    events: list[tuple[datetime, str, Decision | None]] = [(moment, "run", None) for moment in started]
    events += [(one.decided_at, "decide", one) for one in decisions]
    events += [(one.undone_at, "undo", one) for one in decisions if one.undone_at]
    for moment, what, decision in sorted(events, key=lambda event: event[0]):
        then = replace(context, clock=lambda moment=moment: moment)
        if decision is None:
            assert len(cluster_families(then, JANUARY).runs) == 1
        elif what == "decide":
            done = decide_by_ids(then, FAMILY_ID, decision.request, author=decision.author)
            assert done.number == decision.number
        else:
            undo_by_id(then, FAMILY_ID, decision.number, author=str(decision.undone_by))


def rows(transaction: Transaction) -> dict[str, list[str]]:
    """Every row that decisions and runs change, but for the moments."""
    told = {
        assignments: ("arm_id", "face_id", "person_id", "run_id", "state", "score"),
        persons: ("person_id", "arm_id", "run_id", "name", "hidden", "merged_into"),
        links: ("person_id", "child_id", "run_id", "probability", "evidence", "confirmed"),
        faces: ("face_id", "excluded", "told_age", "told_p_female"),
    }
    return {
        table.name: sorted(str(row) for row in transaction.execute(select(*(table.c[name] for name in names))))
        for table, names in told.items()
    }


def test_what_two_reviewers_and_a_run_do_at_once_is_what_one_after_the_other_gives(
    database_url: str, twin_url: str, tmp_path: Path
) -> None:
    with family(database_url, tmp_path / "storm") as (settings, context):
        with context.database.begin() as transaction:
            first = set(transaction.execute(select(runs.c.run_id)).scalars())
        said = rage(settings)
        assert {one.code for one in said} <= {None, *CONFLICTS, *REFUSALS}
        assert {one.code for one in said} & CONFLICTS
        with context.database.begin() as transaction:
            decisions = [one.decision for one in load_records(transaction, FAMILY_ID)]
            run_rows = transaction.execute(select(runs.c.run_id, runs.c.started_at)).all()
            expect_recorded(said, decisions)
            words = load_words(transaction, FAMILY_ID, 1)
            expect_constraints(words.ledger, transaction)
            happened = rows(transaction)
    with family(twin_url, tmp_path / "twin") as (_, context):
        replay(context, decisions, [row.started_at for row in run_rows if row.run_id not in first])
        with context.database.begin() as transaction:
            assert rows(transaction) == happened


def expect_recorded(said: list[Said], decisions: list[Decision]) -> None:
    """Whatever was accepted is on record under its author's name, once, and nothing else is."""
    made = {one.number: NAMES[one.reviewer] for one in said if one.status == 201}
    undone = {one.number: NAMES[one.reviewer] for one in said if one.status == 200}
    assert {one.number: one.author for one in decisions} == {n: f"token {who}" for n, who in made.items()}
    assert {one.number: one.undone_by for one in decisions if one.undone_at} == {
        number: f"token {who}" for number, who in undone.items()
    }
    assert sorted(made) == list(range(1, len(made) + 1))
    assert {one.author for one in decisions} == {f"token {who}" for who in NAMES}


def expect_constraints(ledger: Ledger, transaction: Transaction) -> None:
    """Nobody is twice in a photo but by a user's word, and every word on faces and persons holds."""
    query = select(assignments.c.face_id, assignments.c.person_id, faces.c.photo_id).join(
        faces, faces.c.face_id == assignments.c.face_id
    )
    placed = transaction.execute(query).all()
    held = {FaceId(row.face_id): PersonId(row.person_id) for row in placed}
    sure, seen = ledger.sure_faces(), {}
    for row in placed:
        other = seen.setdefault((row.person_id, row.photo_id), row.face_id)
        assert other == row.face_id or {other, row.face_id} <= sure or other in ledger.together(row.face_id)
    assert not ledger.excluded & held.keys()
    assert any(not word.same for word in ledger.words.values())
    for word in ledger.words.values():
        if {word.one, word.other} & ledger.excluded:  # said of what is no face, as was said later
            continue
        ends = [one if one in ledger.homes else held.get(FaceId(one)) for one in (word.one, word.other)]
        settled = None not in ends or (word.same and {word.one, word.other} & ledger.homes.keys())
        assert not settled or (ends[0] == ends[1]) == word.same, word
