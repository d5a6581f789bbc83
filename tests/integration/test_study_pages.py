"""The pages of experiments and annotation, in the whole application on a real database."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from fastapi.testclient import TestClient

from eval.annotation import Kind as Asked
from eval.experiments import Kind as Looks
from eval.experiments import Outcome
from facealbum.domain.access import Role
from facealbum.errors import InvalidValueError
from facealbum.steps.access import proof_of
from facealbum.steps.annotation import Wanted, draw_sample, label_item, list_samples, load_sample
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.experiments import DECIDING, create_experiment, list_experiments
from facealbum.steps.users import add_user
from facealbum.storage.annotation_schema import labels
from facealbum.storage.audit import load_entries
from facealbum.storage.serving import load_installed_arm, load_served_arm
from facealbum.web import make_app
from facealbum.web.languages import LANGUAGES, language
from facealbum.web.pages.experiments import _DONE, Action
from facealbum.web.sessions import SESSION_COOKIE
from tests.integration.album import add, shots
from tests.integration.crowd import FIRST, SHADOW, at, begin, count, make_crowd, people, rate, run_served

PASSWORD = "a long enough password"  # noqa: S105 - of a test
HOSTILE = '<b>"100%" & #co?;'


@pytest.fixture
def client(context: Context, database_url: str) -> Iterator[TestClient]:
    """A browser in front of the application, which has the context's database."""
    settings = context.settings.model_copy(update={"database_url": database_url.replace("+psycopg2", "")})
    for role in reversed(Role):
        add_user(context, str(role), role, password=PASSWORD, author="test")
    with TestClient(make_app(settings), follow_redirects=False, headers={"accept": "text/html"}) as opened:
        yield opened


def log_in(client: TestClient, role: Role = Role.ADMIN, *, month: int = 11) -> dict[str, str]:
    """Log in, in this month of 2026; what forms need, a tick that somebody is sure among it."""
    state = client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, clock=lambda: datetime(2026, month, 3, tzinfo=UTC))
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    assert client.post("/login", data={"name": str(role), "password": PASSWORD, "csrf": csrf}).status_code == 303
    return {"csrf": proof_of(client.cookies[SESSION_COOKIE]), "sure": "yes"}


def words(page: str) -> str:
    """What a reader sees of the page."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", page)))


# --- Experiments -----------------------------------------------------------------------------------------------


def test_without_experiments_and_samples_the_pages_say_what_to_do(client: TestClient) -> None:
    log_in(client, Role.VIEWER)
    assert "facealbum experiment create" in client.get("/experiments").text
    assert "facealbum sample draw" in client.get("/annotation").text


def test_nothing_of_a_fixed_result_is_on_any_page_before_it_is_due(client: TestClient, context: Context) -> None:
    run_served(make_crowd(context), better=0.08)
    log_in(client, month=4)
    early = client.get("/experiments/sharper")
    assert "looking early would make chance look like an effect" in words(early.text)
    assert "points" not in words(early.text).partition("What was agreed")[0]
    assert "<svg" not in early.text
    assert "Month by month" not in early.text
    log_in(client, month=5)
    due = words(client.get("/experiments/sharper").text)
    assert re.search(
        r"better\. breakage: 2\d\.\d% in the control, 1\d\.\d% in the treatment, a difference of -\d", due
    ), due
    assert "harm is ruled out" in due
    assert "Mar 2026" in due


def test_a_sequential_result_is_drawn_after_each_month(client: TestClient, context: Context) -> None:
    march = at(make_crowd(context), 3)
    begin(march, replace(SHADOW, kind=Looks.SEQUENTIAL, months=3), first_month=FIRST)
    cluster_families(march, FIRST)
    for month in (FIRST, FIRST.next()):
        for arm, base in (("default", 0.2), ("sharp", 0.12)):
            count(context, arm, {one: rate(one, base) for one in people(context)}, month=month)
    log_in(client, month=3)
    page = client.get("/experiments/sharper").text
    effects = page[page.index('<figure class="chart">') :].partition("</svg>")[0]
    assert effects.count("<circle") == 2
    assert effects.count('class="limit"') == 2
    assert "Every look at sharp" in page


def test_an_action_is_explained_before_it_is_done_and_recorded_with_who_did_it(
    client: TestClient, context: Context
) -> None:
    run_served(make_crowd(context), better=0.08)
    proof = log_in(client, month=5)
    asked = words(client.get("/experiments/sharper/rollback").text)
    shown = sum(arm == "sharp" for arm in people(context).values())
    assert f"{shown} families go back to default, at once and without recomputation" in asked
    assert list_experiments(context)[0].status == "running"
    concluded = client.post("/experiments/sharper/conclude", data={**proof, "promote": "yes"})
    assert (concluded.status_code, concluded.headers["location"]) == (303, "/experiments/sharper")
    with context.database.begin() as transaction:
        assert load_installed_arm(transaction) == "sharp"
    again = words(client.get("/experiments/sharper/rollback").text)
    assert "The installation's arm goes back from sharp to default" in again
    assert client.post("/experiments/sharper/rollback", data=proof).status_code == 303
    assert "sharper is rolled back." in client.get("/experiments/sharper").text
    with context.database.begin() as transaction:
        assert {load_served_arm(transaction, one) for one in people(context)} == {"default"}
        done = [(one.action, one.author) for one in load_entries(transaction, "experiment sharper")]
    assert done[-2:] == [("conclude", "user admin"), ("rollback", "user admin")]


def test_an_experiment_is_started_and_stopped_from_its_page(client: TestClient, context: Context) -> None:
    create_experiment(make_crowd(context), SHADOW, author="ann")
    proof = log_in(client)
    assert "It has not begun" in client.get("/experiments/sharper").text
    assert "Nobody sees any of it" in client.get("/experiments/sharper/start").text
    assert client.post("/experiments/sharper/start", data={**proof, "first": "2026-01"}).status_code == 303
    assert str(list_experiments(context)[0].first_month) == "2026-01"
    assert client.post("/experiments/sharper/stop", data=proof | {"sure": ""}).status_code == 422
    assert client.post("/experiments/sharper/stop", data=proof).status_code == 303
    assert client.post("/experiments/sharper/stop", data=proof).status_code == 409
    assert list_experiments(context)[0].status == "stopped"


def filled_in(**given: object) -> dict[str, object]:
    """The form of a new experiment."""
    shares = {"arm": ["default", "hdbscan", "sharp"], "share": ["0.5", "", "0.5"], "control": "default"}
    agreed = {"name": "page", "metric": "breakage", "minimum_effect": "0.05", "months": "2", "families": "40"}
    return {**shares, **agreed, "rail": ["coverage", "waiting"], "harm": ["", "0.2"], **given}


def test_an_experiment_is_agreed_on_from_a_page_once_what_it_comes_to_was_read(
    client: TestClient, context: Context
) -> None:
    make_crowd(context)
    proof = log_in(client)
    assert 'name="share" value="0.5"' in client.get("/new-experiment").text
    wrong = client.post("/new-experiment", data={**proof, **filled_in(minimum_effect="some")})
    assert wrong.status_code == 422
    assert "the minimum effect must be a number" in words(wrong.text)
    assert 'name="minimum_effect" value="some"' in wrong.text
    told = words(client.post("/new-experiment", data={**proof, **filled_in()}).text)
    assert "sharp lowers breakage by at least 5 points against default" in told
    assert "waiting 20 points, coverage 1 points" in told
    again = client.post("/new-experiment", data={**proof, **filled_in(step="change")})
    assert 'name="harm" value="0.2"' in again.text
    assert client.post("/new-experiment", data={**proof, **filled_in(step="create", sure="")}).status_code == 422
    assert list_experiments(context) == []
    made = client.post("/new-experiment", data={**proof, **filled_in(step="create")})
    assert (made.status_code, made.headers["location"]) == (303, "/experiments/page")
    (kept,) = list_experiments(context)
    assert (kept.status, kept.plan["families"], kept.control.name) == ("draft", 40, "default")
    taken = client.post("/new-experiment", data={**proof, **filled_in(step="create")})
    assert (taken.status_code, "choose another name" in taken.text) == (409, True)
    with context.database.begin() as transaction:
        assert [one.author for one in load_entries(transaction, "experiment page")] == ["user admin"]


def test_more_families_take_part_and_those_held_out_are_released_from_the_page(
    client: TestClient, context: Context
) -> None:
    run_served(make_crowd(context), better=0.08, holdout=0.2)
    create_experiment(context, replace(SHADOW, name="small", traffic=0.25), author="ann")
    proof = log_in(client, month=5)
    assert "25% take part" in words(client.get("/experiments/small/grow").text)
    assert client.post("/experiments/small/grow", data={**proof, "traffic": "0.1"}).status_code == 422
    assert client.post("/experiments/small/grow", data={**proof, "traffic": "0.5"}).status_code == 303
    assert list_experiments(context)[0].traffic == 0.5
    assert client.get("/experiments/sharper/release").status_code == 409
    client.post("/experiments/sharper/conclude", data={**proof, "promote": "yes"})
    held = sum(arm is None for arm in people(context).values())
    assert f"{held} families that were held out see sharp" in words(client.get("/experiments/sharper/release").text)
    assert client.post("/experiments/sharper/release", data=proof).status_code == 303
    assert "0 families that were held out" in words(client.get("/experiments/sharper/release").text)


def test_who_may_not_manage_sees_no_action_and_can_do_none(client: TestClient, context: Context) -> None:
    create_experiment(make_crowd(context), SHADOW, author="ann")
    for role in (Role.VIEWER, Role.OPERATOR):
        proof = log_in(client, role)
        assert "What may be done" not in client.get("/experiments/sharper").text
        assert client.get("/experiments/sharper/start").status_code == 403
        assert client.post("/experiments/sharper/start", data=proof).status_code == 403
        assert "/new-experiment" not in client.get("/experiments").text
        assert client.get("/new-experiment").status_code == 403
        assert client.post("/new-experiment", data={**proof, **filled_in(step="create")}).status_code == 403
    log_in(client)
    assert client.post("/new-experiment", data=filled_in(step="create", sure="yes")).status_code == 403
    assert client.post("/experiments/sharper/start").status_code == 403
    assert list_experiments(context)[0].status == "draft"
    assert client.get("/experiments/none").status_code == 404
    assert client.get("/experiments/sharper/explode").status_code == 422


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb", "x" * 101])
def test_no_experiment_has_a_name_that_can_not_be_an_address(context: Context, name: str) -> None:
    with pytest.raises(InvalidValueError, match="without a slash"):
        create_experiment(context, replace(SHADOW, name=name), author="ann")


def test_a_hostile_name_is_shown_as_it_is(client: TestClient, context: Context) -> None:
    create_experiment(make_crowd(context), replace(SHADOW, name=HOSTILE), author="ann")
    log_in(client)
    page = client.get("/experiments").text
    assert HOSTILE not in page
    (link,) = re.findall(r'<th scope="row"><a href="([^"]+)"', page)
    assert f"Experiment {HOSTILE}" in unescape(client.get(unescape(link)).text)


# --- Annotation ------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(context: Context) -> str:
    """A sample of four clusters in one clustered family."""
    add(context, shots(months=2, a_month=8, seed=0))
    cluster_families(context, FIRST.next())
    draw_sample(context, Wanted("first", Asked.CLUSTERS, 4, 7))
    return "first"


def item_of(page: str) -> str:
    (item,) = re.findall(r'name="item" value="([^"]+)"', page)
    return str(item)


def test_an_item_tells_an_annotator_nothing_of_arm_stratum_person_or_others(
    client: TestClient, context: Context, sample: str
) -> None:
    (row,), items = list_samples(context), load_sample(context, sample)[1]
    label_item(context, sample, items[0].item_id, annotator="user ben", answer="yes")
    log_in(client, Role.REVIEWER)
    page = client.get(f"/annotation/{sample}").text
    assert item_of(page) == str(items[0].item_id)
    told = [str(items[0].person_id), items[0].stratum, *row.design.arms, "ben", 'aria-pressed="true" data']
    assert not [one for one in told if one in page]
    crops = re.findall(r'src="/v1/families/([^/]+)/faces/([^/]+)/crop"', page)
    assert crops == [(str(items[0].family_id), str(face)) for face in items[0].faces]


def test_a_sample_is_labelled_item_by_item_and_the_last_answer_can_be_changed(
    client: TestClient, context: Context, sample: str
) -> None:
    proof = log_in(client, Role.REVIEWER)
    page, seen = client.get(f"/annotation/{sample}").text, []
    while "You have answered everything" not in page:
        seen.append(item_of(page))
        answer = client.post(f"/annotation/{sample}", data={**proof, "item": seen[-1], "answer": "yes"})
        assert answer.status_code == 303
        page = client.get(answer.headers["location"]).text
    assert seen == [str(item.item_id) for item in load_sample(context, sample)[1]]
    (back,) = re.findall(r'<a href="([^"]+)" data-key="b"', page)
    again = client.get(unescape(back)).text
    assert "You answered: Yes." in again
    client.post(f"/annotation/{sample}", data={**proof, "item": item_of(again), "answer": "no", "odd": ["1", "2"]})
    with context.database.begin() as transaction:
        kept = {str(row.item_id): row for row in transaction.execute(labels.select())}
    assert {row.annotator for row in kept.values()} == {"user reviewer"}
    assert (kept[seen[-1]].answer, kept[seen[-1]].odd) == ("no", [1, 2])
    results = words(client.get(f"/annotation/{sample}/results").text)
    assert "4 of 4 items are answered" in results
    assert "cluster_precision default" in results


def test_an_answer_that_can_not_be_is_asked_again_and_another_s_sample_is_not_there(
    client: TestClient, context: Context, sample: str
) -> None:
    proof = log_in(client, Role.REVIEWER)
    item = item_of(client.get(f"/annotation/{sample}").text)
    for wrong in ({"answer": "no"}, {"answer": "yes", "odd": "1"}, {"answer": "not_a_face"}):
        answer = client.post(f"/annotation/{sample}", data={**proof, "item": item, **wrong})
        assert answer.headers["location"] == f"/annotation/{sample}?item={item}"
        assert "Tick the faces that are somebody else" in client.get(answer.headers["location"]).text
    assert client.post("/annotation/none", data={**proof, "item": item, "answer": "yes"}).status_code == 404
    assert client.get("/annotation/none").status_code == 404
    assert client.get("/annotation/none/results").status_code == 404
    assert "There is no estimate yet" in client.get(f"/annotation/{sample}/results").text
    assert list_samples(context)[0].labelled == 0


def test_a_viewer_labels_nothing(client: TestClient, context: Context, sample: str) -> None:
    proof = log_in(client, Role.VIEWER)
    item = str(load_sample(context, sample)[1][0].item_id)
    assert f'href="/annotation/{sample}"' not in client.get("/annotation").text
    assert client.get(f"/annotation/{sample}").status_code == 403
    assert client.post(f"/annotation/{sample}", data={**proof, "item": item, "answer": "yes"}).status_code == 403


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_word_that_is_shown_as_it_is_stored_is_translated(code: str) -> None:
    shown = [metric.title for metric in DECIDING]
    shown += [*Outcome, *Asked, *Action, *_DONE.values(), "draft", "running", "stopped", "concluded", "rolled_back"]
    shown += ["held out", "all arms", "create", "grow", "release", "krippendorff_alpha", "cohen_kappa"]
    shown += ["assignment_precision", "link_precision", "pairwise_precision", "pairwise_recall"]
    shown += ["cluster_precision", "pure_clusters"]
    assert [word for word in shown if str(word) not in language(code).words] == []
