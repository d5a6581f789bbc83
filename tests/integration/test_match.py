"""New faces are shown with known people at once, and the monthly run has the last word."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId
from facealbum.domain.months import Month
from facealbum.steps.albums import list_albums
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide
from facealbum.steps.export import export_faces
from facealbum.steps.families import forget_family
from facealbum.steps.match import MatchOutcome, match_family
from facealbum.steps.report import write_report
from facealbum.storage.exports import load_exported_faces
from facealbum.storage.schema import assignments, faces
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

JANUARY, YEAR = Month(2026, 1), Month(2026, 12)


@pytest.fixture
def later(context: Context) -> Callable[[], Context]:
    """The same world, an hour later with every call."""
    hours = count(1)

    def an_hour_later() -> Context:
        now = context.clock() + timedelta(hours=next(hours))
        return replace(context, clock=lambda: now)

    return an_hour_later


def shown(context: Context) -> dict[FaceId, tuple[object, str]]:
    """The person of each face, and how sure it is."""
    with context.database.begin() as transaction:
        rows = transaction.execute(select(assignments)).all()
    return {FaceId(row.face_id): (row.person_id, row.state) for row in rows}


def test_new_faces_are_shown_with_known_people_until_the_run_confirms_them(
    context: Context, later: Callable[[], Context]
) -> None:
    photos = shots(months=2, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    known = shown(context)
    february = add(later(), photos[12:])
    outcome = match_family(context, FAMILY_ID)
    provisional = {face: who for face, who in shown(context).items() if face not in known}
    assert outcome == MatchOutcome(faces=len(february), matched=len(provisional))
    assert outcome.matched >= 0.9 * len(february)
    assert {state for _, state in provisional.values()} == {"provisional"}
    cluster_families(later(), YEAR)
    settled = shown(context)
    assert {face: settled[face] for face in provisional} == {
        face: (person, "confirmed") for face, (person, _) in provisional.items()
    }
    assert {face: settled[face] for face in known} == known


def test_a_run_decides_as_if_nothing_had_been_matched(context: Context, later: Callable[[], Context]) -> None:
    photos = shots(months=2, a_month=12)

    def live(*, matching: bool) -> dict[FaceId, tuple[object, str]]:
        add(context, photos[:12])
        cluster_families(context, JANUARY)
        add(later(), photos[12:])
        if matching:
            match_family(context, FAMILY_ID)
        cluster_families(later(), YEAR)
        return shown(context)

    with_matches = live(matching=True)
    forget_family(context, FAMILY)
    assert live(matching=False) == with_matches


def test_matching_again_or_after_an_interruption_changes_nothing(
    context: Context, later: Callable[[], Context]
) -> None:
    photos = shots(months=2, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    half = later()
    add(half, photos[12:18])
    match_family(half, FAMILY_ID)
    add(half, photos[18:])
    match_family(half, FAMILY_ID)
    step_by_step = shown(context)
    match_family(later(), FAMILY_ID)
    assert shown(context) == step_by_step
    with context.database.begin() as transaction:
        transaction.execute(assignments.delete().where(assignments.c.state == "provisional"))
    match_family(half, FAMILY_ID)
    assert shown(context) == step_by_step


def test_what_a_run_has_looked_at_is_its_own(context: Context, later: Callable[[], Context]) -> None:
    add(context, shots(months=2, a_month=12))
    cluster_families(later(), YEAR)
    before = shown(context)
    assert match_family(later(), FAMILY_ID) == MatchOutcome()
    assert shown(context) == before


def test_months_that_no_run_has_reached_are_matched_with_the_people_of_earlier_ones(
    context: Context, later: Callable[[], Context]
) -> None:
    truth = add(context, shots(months=2, a_month=12))
    assert match_family(context, FAMILY_ID).matched == 0
    cluster_families(later(), JANUARY)
    outcome = match_family(context, FAMILY_ID)
    assert outcome.matched >= 0.9 * outcome.faces > 0
    assert len(shown(context)) >= 0.9 * len(truth)


def test_a_provisional_face_stands_for_nobody(context: Context, later: Callable[[], Context]) -> None:
    photos = shots(months=3, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    new = later()
    add(new, photos[12:24])
    match_family(new, FAMILY_ID)
    add(new, photos[24:])
    match_family(new, FAMILY_ID)
    together = shown(context)
    with context.database.begin() as transaction:
        transaction.execute(assignments.delete().where(assignments.c.state == "provisional"))
    match_family(new, FAMILY_ID)
    assert shown(context) == together


def test_a_deleted_face_leaves_no_match_and_a_deleted_family_no_error(
    context: Context, later: Callable[[], Context]
) -> None:
    photos = shots(months=2, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    add(later(), photos[12:])
    match_family(context, FAMILY_ID)
    provisional = [face for face, (_, state) in shown(context).items() if state == "provisional"]
    with context.database.begin() as transaction:
        transaction.execute(faces.delete().where(faces.c.face_id == provisional[0]))
    match_family(context, FAMILY_ID)
    assert provisional[0] not in shown(context)
    forget_family(context, FAMILY)
    assert match_family(context, FAMILY_ID) == MatchOutcome()


def test_what_a_user_says_of_a_match_outranks_it(context: Context, later: Callable[[], Context]) -> None:
    photos = shots(months=2, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    add(later(), photos[12:])
    match_family(context, FAMILY_ID)
    (wrong, (person, _)), (right, (other, _)), (nothing, _), *_ = (
        (face, who) for face, who in shown(context).items() if who[1] == "provisional"
    )
    say = partial(decide, context, FAMILY, author="ann")
    say(Said(Kind.REJECT, (str(wrong),), str(person)))
    say(Said(Kind.CONFIRM, (str(right),), str(other)))
    say(Said(Kind.NOT_A_FACE, (str(nothing),)))
    match_family(context, FAMILY_ID)
    now = shown(context)
    assert now.get(wrong, (None,))[0] != person
    assert now[right] == (other, "confirmed")
    assert nothing not in now


def test_reading_faces_in_portions_leaves_the_connection_as_it_was(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with context.database.begin() as transaction:
        before = dict(transaction.get_execution_options())
        assert list(load_exported_faces(transaction, FAMILY_ID, "default"))
        assert transaction.get_execution_options() == before


def test_a_match_counts_as_assigned_and_is_marked_where_people_look(
    context: Context, later: Callable[[], Context], tmp_path: Path
) -> None:
    photos = shots(months=2, a_month=12)
    add(context, photos[:12])
    cluster_families(context, JANUARY)
    add(later(), photos[12:])
    matched = match_family(context, FAMILY_ID).matched
    export_faces(context, tmp_path / "faces.csv")
    rows = list(csv.DictReader((tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines()))
    assert sum(row["person"] != "" for row in rows) == len(shown(context))
    people = write_report(context, tmp_path / "page.html").people
    assert sum(person.provisional for person in people) == matched
    assert "not yet confirmed" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert sum(album.provisional for album in list_albums(context)) >= matched
