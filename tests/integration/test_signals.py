"""Signals of other systems: taken in once each, all of a batch or none, and counted under the arm that was shown."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select, text
from typer.testing import CliRunner

from facealbum.cli.commands import app
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ManifestError
from facealbum.settings import Settings
from facealbum.steps.context import Context, open_context
from facealbum.steps.signals import import_signals, show_signals, take_in
from facealbum.storage.experiment_schema import experiment_arms, experiment_families, experiments, promotions
from facealbum.storage.families import delete_family, save_family
from facealbum.storage.schema import arms, embedding_spaces
from facealbum.storage.signal_schema import signals
from facealbum.storage.signals import Signal
from facealbum.web import make_app
from tests.conftest import NOW

OCTOBER, SEPTEMBER = Month(2026, 10), Month(2026, 9)
NAMES = [f"family {number}" for number in range(20)]
HEAD = "family,external_id,kind,happened_at,value\n"
VIEW = "album_view"


@pytest.fixture
def registered(context: Context) -> Context:
    """Twenty families, there since June."""
    with context.database.begin() as transaction:
        for name in NAMES:
            save_family(transaction, name, now=datetime(2026, 6, 1, tzinfo=UTC))
    return context


def view(name: str, number: int, *, at: datetime = datetime(2026, 10, 15, tzinfo=UTC), value: float = 1) -> Signal:
    return Signal(family_id(name), "app", f"{name}/{number}", VIEW, at, value)


def stored(context: Context) -> int:
    with context.database.begin() as transaction:
        return int(transaction.execute(select(func.count()).select_from(signals)).scalar_one())


def test_the_same_file_twice_counts_once_and_unknown_families_are_counted(registered: Context, tmp_path: Path) -> None:
    file = tmp_path / "signals.csv"
    rows = [
        "family 1,a,album_view,2026-10-01T10:00:00Z,3",
        "family 2,b,conversion,2026-10-02,",
        "x,c,album_view,2026-10-02,",
    ]
    file.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    first = import_signals(registered, file, source="app")
    assert (first.new, first.known, first.of_unknown_families) == (2, 0, 1)
    again = import_signals(registered, file, source="app")
    assert (again.new, again.known, again.of_unknown_families) == (0, 2, 1)
    assert import_signals(registered, file, source="other").new == 2
    assert stored(registered) == 4


def test_a_bad_row_is_told_with_its_line_and_nothing_is_half_imported(registered: Context, tmp_path: Path) -> None:
    file = tmp_path / "signals.csv"
    rows = [
        "family 1,a,album_view,2026-10-01T10:00:00Z,1",
        "family 1,b,Album View,2026-10-01,1",
        "family 1,c,album_view,yesterday,1",
        "family 1,d,album_view,2036-10-01,1",
        "family 1,e,album_view,2026-10-01,-2",
        "family 1,f,album_view,2026-10-01,many",
        ",g,album_view,2026-10-01,1",
        "family 1,,album_view,2026-10-01,1",
        "family 1,h,support_ticket:lost,2026-10-01,1",
    ]
    file.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    with pytest.raises(ManifestError) as told:
        import_signals(registered, file, source="app")
    assert all(f"line {line}: " in str(told.value) for line in range(3, 11))
    assert "line 2: " not in str(told.value)
    assert stored(registered) == 0
    file.write_text("family,kind\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="external_id, happened_at"):
        import_signals(registered, file, source="app")


def test_one_id_with_two_meanings_is_refused(registered: Context) -> None:
    with pytest.raises(InvalidValueError, match="twice with different content"):
        take_in(registered, [view("family 1", 1), view("family 1", 1, value=2)])
    assert take_in(registered, [view("family 1", 1), view("family 1", 1)]).new == 1


def test_silent_families_and_lags_are_part_of_the_figures(registered: Context) -> None:
    take_in(registered, [view("family 1", n) for n in range(4)] + [view("family 2", 1, value=6)])
    figures = show_signals(registered)
    (rate,) = figures.rates
    assert (rate.month, rate.arm, rate.kind, rate.signals, rate.families) == ("2026-10", "default", VIEW, 5, 20)
    assert rate.estimate.value == pytest.approx(10 / 20)
    (lag,) = figures.lags
    assert (lag.signals, lag.median) == (
        5,
        pytest.approx((NOW - datetime(2026, 10, 15, tzinfo=UTC)).total_seconds() / 3600),
    )
    assert not rate.complete
    later = replace(registered, clock=lambda: NOW + timedelta(days=60))
    assert show_signals(later, month=OCTOBER).rates[0].complete
    assert show_signals(later, month=SEPTEMBER).rates == ()


def add_arms(context: Context) -> dict[str, int]:
    with context.database.begin() as transaction:
        space = transaction.execute(
            insert(embedding_spaces).values(name="space").returning(embedding_spaces.c.space_id)
        ).scalar_one()
        new = insert(arms).returning(arms.c.arm_id)
        return {
            name: transaction.execute(
                new.values(name=name, space_id=space, algorithm="constrained", parameters={})
            ).scalar_one()
            for name in ("default", "new", "tried")
        }


def test_signals_count_under_the_arm_that_was_shown_when_they_happened(registered: Context) -> None:
    ids = add_arms(registered)
    with registered.database.begin() as transaction:
        at = datetime(2026, 10, 1, tzinfo=UTC)
        transaction.execute(insert(promotions).values(number=1, arm_id=ids["new"], at=at, author="ann"))
        start = datetime(2026, 9, 10, tzinfo=UTC)
        given = {"mode": "served", "salt": "s", "holdout": 0.2, "traffic": 1.0, "plan": {}, "created_at": start}
        transaction.execute(
            insert(experiments).values(
                experiment_id=1, name="x", status="stopped", started_at=start, ended_at=NOW, **given
            )
        )
        transaction.execute(
            insert(experiment_arms),
            [
                {"experiment_id": 1, "position": place, "arm_id": ids[name], "share": 0.5, "control": name == "default"}
                for place, name in enumerate(("default", "tried"))
            ],
        )
        taking_part = {"experiment_id": 1, "assigned_at": start}
        transaction.execute(
            insert(experiment_families),
            [
                taking_part | {"family_id": family_id("family 1"), "arm_id": ids["tried"]},
                taking_part | {"family_id": family_id("family 2"), "arm_id": None},  # held out: the control
            ],
        )
    september = datetime(2026, 9, 20, tzinfo=UTC)
    take_in(registered, [view(f"family {n}", m, at=at) for n in range(4) for m, at in ((1, september), (2, NOW))])
    take_in(registered, [view(f"family {n}", 3) for n in range(4)])
    found = {(one.month, one.arm): (one.signals, one.families) for one in show_signals(registered).rates}
    assert found == {
        ("2026-09", "default"): (3, 19),
        ("2026-09", "several"): (1, 1),
        ("2026-10", "default"): (1, 1),
        ("2026-10", "new"): (2, 18),
        ("2026-10", "tried"): (1, 1),
    } | {key: value for key, value in found.items() if key[0] == "2026-11"}


def test_every_month_is_counted_as_its_signals_come_and_again_is_nothing(registered: Context) -> None:
    draw = np.random.default_rng(5)
    told = [
        view(
            f"family {draw.integers(20)}", number, value=float(draw.integers(1, 4)), at=NOW - timedelta(days=int(days))
        )
        for number, days in enumerate(draw.integers(0, 100, 60))
    ]
    for some in (told[:30], told[20:], told):
        take_in(registered, some)
    slowly: dict[tuple[date, str], list[Signal]] = defaultdict(list)
    for one in told:
        slowly[one.happened_at.astimezone(UTC).date().replace(day=1), one.kind].append(one)
    with registered.database.begin() as transaction:
        rows = transaction.execute(text("SELECT * FROM dashboard.signals")).all()
    assert {(row.month, row.kind): (row.signals, row.families, row.value) for row in rows} == {
        key: (len(those), len({one.family_id for one in those}), sum(one.value for one in those))
        for key, those in slowly.items()
    }


def test_a_family_s_signals_go_with_it(registered: Context) -> None:
    take_in(registered, [view("family 1", 1), view("family 2", 1)])
    with registered.database.begin() as transaction:
        delete_family(transaction, family_id("family 1"))
    assert stored(registered) == 1
    with registered.database.begin() as transaction:
        assert transaction.execute(text("SELECT sum(families) FROM dashboard.signals")).scalar_one() == 1


def test_the_command_line_takes_in_and_shows(
    registered: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def here() -> Iterator[Context]:
        yield registered

    monkeypatch.setattr("facealbum.cli.signals.open_world", here)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["signals", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    file = tmp_path / "signals.csv"
    file.write_text(HEAD + "family 1,a,album_view,2026-10-01T10:00:00Z,3", encoding="utf-8")
    assert "1 new" in run("import", str(file), "--source", "app")
    assert "(incomplete)" in run("show", "--month", "2026-10")
    told = json.loads(run("show", "--json"))
    assert told["rates"][0]["estimate"]["value"] == pytest.approx(0.15)
    assert told["caveats"]


def test_signals_come_in_over_http_with_a_token_for_all_families(database_url: str, tmp_path: Path) -> None:
    url = database_url.replace("+psycopg2", "")
    token, one_s = "a-token-for-everything", f"a-token-for-one-family={family_id('family 1')}"
    configured = Settings(
        data=tmp_path, database_url=url, object_store=str(tmp_path / "objects"), web_threads=2,
        api_tokens=f"{token},{one_s}",
    )  # fmt: skip
    with open_context(configured) as context, context.database.begin() as transaction:
        save_family(transaction, "family 1", now=datetime(2026, 6, 1, tzinfo=UTC))
    one = {
        "family_id": str(family_id("family 1")),
        "external_id": "t1",
        "kind": "support_ticket:misclassification",
        "happened_at": "2026-10-01T10:00:00Z",
    }
    body = {"source": "helpdesk", "signals": [one, one | {"family_id": str(family_id("x")), "external_id": "t2"}]}
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(make_app(configured)) as client:
        assert client.post("/v1/signals", json=body).status_code == 401
        scoped = client.post("/v1/signals", json=body, headers={"Authorization": "Bearer a-token-for-one-family"})
        assert scoped.status_code == 403
        answer = client.post("/v1/signals", json=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"new": 1, "known": 0, "of_unknown_families": 1})
        assert client.post("/v1/signals", json=body, headers=headers).json()["known"] == 1
        bad = {
            "source": "helpdesk",
            "signals": [one | {"external_id": "t3"}, one | {"kind": "Nonsense", "external_id": "t4"}],
        }
        refused = client.post("/v1/signals", json=bad, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
        assert "signal 2: kind" in refused.json()["detail"]
        good = {"source": "helpdesk", "signals": [one | {"external_id": "t3"}]}
        assert client.post("/v1/signals", json=good, headers=headers).json()["new"] == 1
