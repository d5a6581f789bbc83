"""What people do with the dashboard, in a real browser; and every page in each language, light, dark and narrow."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ViewportSize

from facealbum.demo.album import FAMILY
from facealbum.domain.ids import PersonId, family_id, photo_id
from facealbum.steps.analyst import crashed
from facealbum.steps.arms import list_arms
from facealbum.steps.correct import list_decisions, list_persons
from facealbum.steps.experiments import list_experiments
from facealbum.steps.families import list_families
from facealbum.steps.uploads import photo_state
from facealbum.storage.annotation_schema import labels
from facealbum.storage.photos import mark_failed
from facealbum.storage.serving import load_installed_arm
from tests.browser.dashboard import NOW, Site, Visitor

DEMO = family_id(FAMILY)
HOME = f"/families/{DEMO}"
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_WIDE: ViewportSize = {"width": 1280, "height": 1000}
_TELEPHONE: ViewportSize = {"width": 360, "height": 740}
PAGES = {
    "/", "/annotation", "/annotation/october", "/annotation/october/results", "/breakage", "/drift", "/experiments",
    "/experiments/sharper", "/experiments/sharper/conclude", "/experiments/sharper/rollback",
    "/experiments/sharper/stop", "/fairness", "/families", "/families/id", "/families/id/decisions",
    "/families/id/labels/id/id", "/families/id/persons/id", "/families/id/photos/id", "/families/id/review",
    "/families/id/waiting", "/jobs", "/models", "/new-arm", "/new-experiment", "/runs", "/session", "/signals",
}  # fmt: skip


def faces_of(site: Site) -> dict[PersonId, int]:
    """How many faces each person of the demo's family has."""
    return {one.person_id: one.faces for one in list_persons(site.world, FAMILY)}


def largest(site: Site) -> PersonId:
    faces = faces_of(site)
    return max(faces, key=lambda person: faces[person])


# --- Operators -------------------------------------------------------------------------------------------------


def test_an_operator_reads_how_the_installation_stands(visitor: Visitor) -> None:
    visitor.log_in()
    text = visitor.text()
    assert "Photos received today 37" in text
    assert re.search(r"Oct 2026 \d+\.\d% \d+\.\d% – 100\.0% \d+ of \d+", text)
    visitor.page.get_by_role("link", name="Runs", exact=True).click()
    visitor.page.wait_for_url("**/runs")


def test_a_breakage_is_followed_down_to_the_faces(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.get_by_role("navigation").get_by_role("link", name="Breakage").click()
    visitor.page.get_by_role("link", name=FAMILY).click()
    visitor.page.locator("a[href*='/labels/']").first.click()
    assert "Disappearance: most of its faces were alone." in visitor.text()
    assert visitor.page.locator("img.face").count() > 1
    visitor.see_pictures()


def test_a_photo_whose_analysis_crashed_is_tried_again(site: Site, visitor: Visitor) -> None:
    with site.world.database.begin() as transaction:
        mark_failed(transaction, DEMO, crashed(photo_id(DEMO, "P0006"), "was killed"), now=NOW)
    visitor.log_in()
    visitor.page.get_by_role("link", name="Jobs").click()
    assert "analysis_crashed" in visitor.text()
    visitor.page.get_by_label("What crashed on them is mended").check()
    visitor.page.get_by_role("button", name="Try crashed photos again").click()
    assert visitor.page.get_by_role("status").inner_text() == "Photos that will be tried again: 1."
    assert photo_state(site.world, DEMO, photo_id(DEMO, "P0006")).status == "pending"


# --- Reviewers -------------------------------------------------------------------------------------------------


def test_two_faces_are_said_to_be_somebody_else_and_that_is_taken_back(site: Site, visitor: Visitor) -> None:
    before, person = faces_of(site), largest(site)
    visitor.log_in("ben")
    visitor.open(f"{HOME}/persons/{person}")
    visitor.see_pictures()
    boxes = visitor.page.locator("input[name=face]")
    boxes.nth(0).check()
    boxes.nth(1).focus()
    visitor.page.keyboard.press("Space")
    assert "2 selected" in visitor.text()
    visitor.page.keyboard.press("n")
    said = visitor.page.locator(".told")
    said.wait_for()
    assert "2 faces are not" in said.inner_text()
    assert faces_of(site)[person] == before[person] - 2
    (decision,) = list_decisions(site.world, FAMILY)
    assert (decision.kind, decision.author) == ("reject", "user ben")
    said.get_by_role("button", name="Undo").click()
    visitor.page.get_by_text("is undone: all is as before").wait_for()
    assert faces_of(site) == before


def test_a_person_is_split_and_merged_again(site: Site, visitor: Visitor) -> None:
    before, person = faces_of(site), largest(site)
    visitor.log_in("ben")
    visitor.open(f"{HOME}/persons/{person}")
    for place in (0, 1):
        visitor.page.locator("input[name=face]").nth(place).check()
    visitor.page.get_by_role("button", name="Somebody else: a new person").click()
    visitor.page.get_by_role("link", name="To the new person").click()
    visitor.page.wait_for_url(lambda url: str(person) not in url)
    new = {one: faces for one, faces in faces_of(site).items() if one not in before}
    assert list(new.values()) == [2]
    form = visitor.page.locator("form", has=visitor.page.get_by_role("button", name="Merge"))
    form.get_by_role("combobox").select_option(str(person))
    form.get_by_role("button", name="Merge").click()
    visitor.page.locator(".told").wait_for()
    assert faces_of(site) == before


def test_what_changed_meanwhile_is_told_and_nothing_is_lost(site: Site, visitor: Visitor) -> None:
    person = largest(site)
    visitor.log_in("ben")
    visitor.open(f"{HOME}/persons/{person}")
    other = visitor.beside()
    other.open(f"{HOME}/persons/{person}")
    for somebody in (visitor, other):
        somebody.page.locator("input[name=face]").first.check()
        somebody.page.get_by_role("button", name="Not a face").click()
    assert "Somebody changed this while you looked at it, so nothing was done." in other.text()
    assert len(list_decisions(site.world, FAMILY)) == 1
    other.expect("409")


def test_the_review_queue_is_worked_off_by_keyboard(site: Site, visitor: Visitor) -> None:
    visitor.log_in("ben")
    visitor.open(f"{HOME}/review")
    visitor.see_pictures()
    for answers in (1, 2):
        asked = visitor.page.locator("input[name=question]").get_attribute("value")
        visitor.page.keyboard.press("y")
        visitor.page.wait_for_function(
            "asked => document.querySelector('input[name=question]')?.value !== asked", arg=asked
        )
        assert len(list_decisions(site.world, FAMILY)) >= answers
    visitor.page.keyboard.press("u")
    visitor.page.locator("main").wait_for()


# --- Experiments and annotation --------------------------------------------------------------------------------


def installed(site: Site) -> str:
    with site.world.database.begin() as transaction:
        return load_installed_arm(transaction)


def test_an_experiment_is_concluded_promoted_and_rolled_back(site: Site, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.get_by_role("link", name="Experiments").click()
    visitor.page.get_by_role("link", name="sharper").click()
    assert "harm is ruled out" in visitor.text()
    visitor.page.get_by_role("link", name="Conclude it").click()
    visitor.page.get_by_label("Also make sharp what all families see").check()
    visitor.page.get_by_role("button", name="Conclude it").click()
    assert installed(site) == "default"  # the browser asks for the tick first
    visitor.page.get_by_label("I have read what it will do").check()
    visitor.page.get_by_role("button", name="Conclude it").click()
    assert visitor.page.get_by_role("status").inner_text() == "sharper is concluded."
    assert installed(site) == "sharp"
    visitor.page.get_by_role("link", name="Roll it back").click()
    assert "The installation's arm goes back from sharp to default" in visitor.text()
    visitor.page.get_by_label("I have read what it will do").check()
    visitor.page.get_by_role("button", name="Roll it back").click()
    assert visitor.page.get_by_role("status").inner_text() == "sharper is rolled back."
    assert (installed(site), list_experiments(site.world)[0].status) == ("default", "rolled_back")


def test_an_arm_is_made_and_can_be_tried(site: Site, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.open("/models")
    visitor.page.get_by_role("link", name="Make an arm").click()
    visitor.page.get_by_label("Name, of").fill("stricter")
    visitor.page.get_by_label("similarity", exact=True).fill("3")
    visitor.page.get_by_label("An arm never changes").check()
    visitor.page.get_by_role("button", name="Make it").click()
    assert "similarity must be between -1 and 1, got 3.0" in visitor.page.get_by_role("alert").inner_text()
    visitor.expect("422")
    visitor.page.get_by_label("similarity", exact=True).fill("0.3")
    visitor.page.get_by_label("An arm never changes").check()
    visitor.page.get_by_role("button", name="Make it").click()
    assert visitor.page.get_by_role("status").inner_text() == "The arm stricter is there. An experiment tries it."
    (made,) = [one for one in list_arms(site.world) if one.name == "stricter"]
    assert made.parameters["clustering"]["similarity"] == 0.3
    visitor.open("/new-experiment")
    assert visitor.page.get_by_label("Share of stricter").is_visible()


def test_a_corrected_child_is_linked_anew_on_its_page(site: Site, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.open(HOME)
    child = visitor.page.locator(".child").first
    name = child.get_attribute("aria-label") or ""
    child.get_by_text(f"Correct {name}").click()
    child.get_by_label("Born").fill("2024-05-01")
    child.get_by_role("button", name="Correct").click()
    assert visitor.page.get_by_role("status").inner_text().startswith(f"{name} is corrected. Persons linked otherwise")
    (family,) = list_families(site.world, FAMILY)
    assert str(next(one.birth_date for one in family.children if one.name == name)) == "2024-05-01"


def test_a_sample_is_labelled_by_keyboard_alone(site: Site, visitor: Visitor) -> None:
    visitor.log_in("ben")
    visitor.open("/annotation/october")
    visitor.page.keyboard.press("s")
    visitor.page.wait_for_url("**after=*")
    for keys in ("y", "12n", "u", "y"):
        before = visitor.page.url
        for key in keys:
            visitor.page.keyboard.press(key)
        visitor.page.wait_for_url(lambda url, before=before: url != before)
    assert "You have answered everything of this sample" in visitor.text()
    visitor.page.keyboard.press("b")
    visitor.page.wait_for_url("**item=*")
    assert "You answered: Yes." in visitor.text()
    with site.world.database.begin() as transaction:
        kept = sorted((row.answer, row.odd) for row in transaction.execute(labels.select()))
    assert kept == [("no", [1, 2]), ("unsure", []), ("yes", []), ("yes", [])]


# --- Every page ------------------------------------------------------------------------------------------------


def kind_of(path: str) -> str:
    """The same for all pages of one template."""
    return re.sub(r"/\d+(?=/|$)", "/1", _ID.sub("id", path))


def walk(visitor: Visitor) -> Iterator[str]:
    """Stand on a page of every kind that links lead to, of the demo's family first, and tell which it is."""
    waiting, seen = ["/", HOME], {"/", kind_of(HOME)}
    while waiting:
        path = waiting.pop(0)
        visitor.open(path)
        for link in visitor.page.locator("a[href^='/']").all():
            target = urlsplit(link.get_attribute("href") or "").path
            if kind_of(target) not in seen:
                seen.add(kind_of(target))
                waiting.append(target)
        yield kind_of(path)


@pytest.mark.parametrize(("language", "theme", "other"), [("en", "light", "dark"), ("ja", "dark", "light")])
def test_every_page_is_usable_by_everybody(browser: Browser, site: Site, language: str, theme: str, other: str) -> None:
    """Wide in one theme and on a telephone in the other; axe-core looks by turns."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    looks: list[tuple[ViewportSize, str]] = [(_WIDE, theme), (_TELEPHONE, other)]
    barriers, sideways, pages = {}, [], set()
    with browser.new_context(locale="en", viewport=_WIDE, color_scheme="light") as session:
        visitor = Visitor(session.new_page(), site)
        visitor.log_in()
        session.add_cookies(
            [
                {"name": f"facealbum-{name}", "value": value, "url": site.url}
                for name, value in (("language", language), ("theme", theme))
            ]
        )
        for turn, page in enumerate(walk(visitor), start=language == "ja"):
            pages.add(page)
            shown = visitor.page.locator("html")
            assert (shown.get_attribute("lang"), shown.get_attribute("data-theme")) == (language, theme)
            for number, (size, look) in enumerate(looks):
                visitor.page.set_viewport_size(size)
                shown.evaluate("(page, theme) => { page.dataset.theme = theme; }", look)
                if turn % 2 == number and (found := visitor.barriers()):
                    barriers[page, look, size["width"]] = found
                if visitor.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    sideways.append((page, size["width"]))
                name = f"{page.strip('/').replace('/', '-') or 'overview'}-{language}-{look}"
                visitor.page.screenshot(path=SCREENSHOTS / f"{name}-{size['width']}.png", full_page=True)
    assert barriers == {}
    assert sideways == []
    assert visitor.complaints == []
    assert pages >= PAGES
