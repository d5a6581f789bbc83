"""The album page: complete, honest about counts, safe against any name, and on its own."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from eval.report import (
    AlbumReport,
    FaceCrop,
    FamilyReport,
    PersonSection,
    Problem,
    RunRow,
    WaitingFaces,
    pick_evenly,
    render_report,
)
from facealbum.clustering.intervals import Rate
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

JPEG = b"\xff\xd8\xff\xd9"
VOID = {"meta", "img", "path", "polygon", "polyline", "circle"}


class Page(HTMLParser):
    """Collects elements and text, and refuses tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what a reader sees."""
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, on one line."""
        return re.sub(r"\s+", " ", "".join(self.words))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of this kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def crops(number: int) -> tuple[FaceCrop, ...]:
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)
    return tuple(FaceCrop(JPEG, start + timedelta(days=i), 1 + i / 365, 0.9, f"P{i}") for i in range(number))


def person(label: str, child: str | None = None, probability: float | None = None, *, faces: int = 3) -> PersonSection:
    return PersonSection(
        label=label,
        child=child,
        link_probability=probability,
        months=(Month(2026, 7),),
        faces=faces,
        first=date(2026, 7, 1),
        last=date(2026, 7, 9),
        mean_age=4.2,
        crops=crops(min(faces, 3)),
    )


def run(month: int, *, broken: int = 1) -> RunRow:
    return RunRow(
        month=Month(2026, month),
        new=1234,
        assigned=70,
        waiting=10,
        persons=17,
        association=Rate(29, 67),
        labels=13,
        mixing=broken,
        disappearance=0,
        splitting=0,
        broken=broken,
    )


def family(**changes: object) -> FamilyReport:
    base = FamilyReport(
        name="Tanaka",
        children=("Hana", "Ren"),
        persons=(person("Person 1", "Hana", 0.97), person("Person 2")),
        waiting=WaitingFaces(5, crops(2)),
        runs=(run(7), run(8, broken=2)),
    )
    return replace(base, **changes)


def album(*families: FamilyReport, problems: tuple[Problem, ...] = (), title: str = "Our album") -> AlbumReport:
    made = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
    return AlbumReport(title, made, (Month(2026, 7), Month(2026, 8)), families, problems)


EMPTY_FAMILY = FamilyReport("Tanaka", (), (), WaitingFaces(), ())
REPORTS = {
    "normal": album(family(), problems=(Problem("P9", "damaged_image", "the file ends early"),)),
    "two families": album(family(), family(name="Sato")),
    "no family": album(),
    "empty family": album(EMPTY_FAMILY),
    "many people": album(family(persons=tuple(person(f"Person {i}", faces=i + 1) for i in range(40)))),
    "two persons of one child": album(family(persons=(person("Person 1", "Hana"), person("Person 2", "Hana", 0.8)))),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_page_is_well_formed_and_its_ids_are_unique(report: AlbumReport) -> None:
    page = Page(render_report(report))
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert set(ids.values()) == {1}
    for _, attributes in page.tags:
        assert "aria-labelledby" not in attributes or attributes["aria-labelledby"] in ids
        assert "href" not in attributes or (attributes["href"] or "").removeprefix("#") in ids


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_page_loads_nothing_and_runs_nothing(report: AlbumReport) -> None:
    html = render_report(report)
    assert "//" not in re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", html)
    assert "@import" not in html
    page = Page(html)
    assert not page.named("script")
    assert not page.named("link")
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in page.named("img"))
    assert all(link["href"] and link["href"].startswith("#") for link in page.named("a"))
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in page.named("meta"))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_same_report_gives_the_same_page(report: AlbumReport) -> None:
    assert render_report(report) == render_report(report)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "はな & 蓮", "محمد", "a" * 200],
)
def test_every_name_is_text_and_nothing_else(name: str) -> None:
    hostile = album(
        family(
            name=name,
            children=(name,),
            persons=(person(name, name, 0.9), person(name)),
            waiting=WaitingFaces(1, (replace(crops(1)[0], photo=name),)),
        ),
        problems=(Problem(name, name, name),),
        title=name,
    )
    page, plain = Page(render_report(hostile)), Page(render_report(REPORTS["normal"]))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert page.text.count(name) >= 6


def test_every_count_is_shown() -> None:
    text = Page(render_report(REPORTS["normal"])).text
    for words in (
        "2 children", "2 people", "6 faces with a person", "5 waiting", "1 problem",
        "3 faces", "5 faces belong to nobody yet", "Showing 2 of 5 faces",
        "1,234", "17", "mixed 1, vanished 0, split 0 of 13 labels", "P9", "damaged_image", "the file ends early",
    ):  # fmt: skip
        assert words in text


def test_every_rate_stands_with_its_counts_and_interval_and_beside_coverage() -> None:
    text = Page(render_report(REPORTS["normal"])).text
    for rate in (Rate(70, 80), Rate(29, 67), Rate(1, 13), Rate(2, 13)):
        low, high = rate.interval
        assert f"{rate.value:.1%}{rate.hits} of {rate.cases}, 95% interval {low:.1%} to {high:.1%}" in text


def test_a_rate_without_cases_is_no_number() -> None:
    first = replace(run(7, broken=0), labels=0, mixing=0)
    assert "\N{EN DASH}0 of 0, nothing to measure yet" in Page(render_report(album(family(runs=(first,))))).text


def test_trends_need_two_months() -> None:
    two, one = (Page(render_report(album(family(runs=runs)))) for runs in ((run(7), run(8)), (run(7),)))
    labels = [svg["aria-label"] for svg in two.named("svg")]
    assert labels == [
        "Faces with a person: 87.5% in Jul 2026, 87.5% in Aug 2026",
        "Faces linked to a child: 43.3% in Jul 2026, 43.3% in Aug 2026",
        "Labels that broke: 7.7% in Jul 2026, 7.7% in Aug 2026",
    ]
    assert not one.named("svg")


def test_children_stand_before_other_people_waiting_faces_figures_and_problems() -> None:
    text = Page(render_report(REPORTS["normal"])).text
    order = ["Hana", "No photo of Ren", "Other people", "Person 2", "Waiting faces", "Figures", "Problems"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_a_linked_name_that_is_no_longer_registered_still_has_its_album() -> None:
    assert "Mio" in Page(render_report(album(family(persons=(person("Person 1", "Mio", 0.9),))))).text


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.97, "linked, 97% sure"),
        (0.9999, "linked, over 99% sure"),
        (1.0, "linked, over 99% sure"),
        (None, "linked by the family"),
    ],
)
def test_a_link_says_how_sure_it_is_and_never_certain(probability: float | None, words: str) -> None:
    text = Page(render_report(album(family(persons=(person("Person 1", "Hana", probability),))))).text
    assert words in text
    assert "100% sure" not in text


def test_what_is_missing_is_said_in_words() -> None:
    text = Page(render_report(album(EMPTY_FAMILY))).text
    for words in (
        "No faces found yet", "No children are registered", "No face is waiting", "No monthly run yet",
        "every photo could be read",
    ):  # fmt: skip
        assert words in text
    assert "No family has been imported yet" in Page(render_report(album())).text


def test_a_huge_family_shows_a_sample_and_the_total() -> None:
    many = replace(person("Person 1", "Hana", 0.9), faces=2000, crops=crops(2000))
    html = render_report(album(family(persons=(many,), waiting=WaitingFaces(900, crops(300)))))
    page = Page(html)
    assert len(page.named("img")) == 1 + 48 + 48
    assert "Showing 48 of 2,000 faces" in page.text
    assert "Showing 48 of 900 faces" in page.text


def test_every_picture_of_a_face_has_words_and_every_table_cell_a_header() -> None:
    page = Page(render_report(REPORTS["normal"]))
    alts = [image["alt"] for image in page.named("img")]
    assert alts[0] == "", "the cover repeats a face that is described below"
    assert alts[1] == "Hana on 1 Jul 2026, looks 12 months old"
    assert all(alts[1:])
    assert {header["scope"] for header in page.named("th")} == {"col", "row"}


def test_long_problem_lists_are_cut_and_say_so() -> None:
    problems = tuple(Problem(f"P{i:04d}", "missing_file", "there is no file") for i in range(350))
    text = Page(render_report(album(problems=problems))).text
    assert "350 photos could not be used" in text
    assert "Showing the first 200 of 350" in text
    assert "P0200" not in text


@pytest.mark.parametrize(("number", "most"), [(0, 5), (5, 5), (6, 5), (2000, 48), (3, 1)])
def test_an_even_sample_keeps_order_and_both_ends(number: int, most: int) -> None:
    chosen = pick_evenly(range(number), most)
    assert len(chosen) == min(number, most)
    assert list(chosen) == sorted(set(chosen))
    if number and most > 1:
        assert (chosen[0], chosen[-1]) == (0, number - 1)


def test_more_broken_labels_than_labels_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"broken must be 0 to labels \(13\), got 14"):
        replace(run(7), broken=14)


def test_a_question_about_a_child_stands_with_the_child_and_is_escaped() -> None:
    asked = family(questions={"Hana": "3 faces of <Hana> look 2 to 4 years older: is the date right?"})
    html = render_report(album(asked))
    assert Page(html).text.count("3 faces of <Hana> look 2 to 4 years older: is the date right?") == 1
    assert "<Hana>" not in html
