"""Each kind of report, from fixed figures: the same bytes as when somebody last looked at it, and sound by itself."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from eval.compat import CompatReport
from eval.experiments import Outcome, Verdict, Wait
from eval.report.charts import Faces, Table
from eval.report.kinds.comparison import write_comparison
from eval.report.kinds.drift import write_drift
from eval.report.kinds.experiment import write_experiment
from eval.report.kinds.month import write_month
from eval.report.measured import Measured
from eval.report.paper import Mood, Paper, Section
from eval.report.render_paper import render_paper
from tests.golden.reports.papers import COMPARISON, COMPATIBILITY, DRIFT, EXPERIMENT, HERE, MONTH, NOW, PAPERS, files
from tests.unit.eval.test_report import JPEG, Page

PAGES = {kind: Page(render_paper(paper)) for kind, paper in PAPERS.items()}
each_kind = pytest.mark.parametrize("kind", PAPERS)


@each_kind
def test_a_report_is_what_it_was_when_somebody_last_looked(kind: str) -> None:
    for name, text in files(PAPERS[kind]).items():
        found = (HERE / name).read_text(encoding="utf-8")
        assert found == text, f"{name} differs; if that is meant: python -m tests.golden.reports.papers, and look at it"


@each_kind
def test_the_page_is_well_formed_and_its_ids_are_unique(kind: str) -> None:
    page = PAGES[kind]
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert set(ids.values()) == {1}
    for _, attributes in page.tags:
        assert "aria-labelledby" not in attributes or attributes["aria-labelledby"] in ids
        assert "href" not in attributes or (attributes["href"] or "").removeprefix("#") in ids


@each_kind
def test_the_page_loads_nothing_and_runs_nothing(kind: str) -> None:
    page = PAGES[kind]
    assert "//" not in render_paper(PAPERS[kind])
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in page.named("meta"))


@each_kind
def test_every_number_of_a_table_is_in_the_json(kind: str) -> None:
    told = set(numbers(json.loads(json.dumps(PAPERS[kind].to_dict()))))
    shown = {number for table in PAPERS[kind].tables for number in numbers_of(table)}
    assert len(shown) > 10
    assert shown <= told


def test_figures_that_are_kept_as_json_come_back_as_they_were() -> None:
    kept = json.loads(json.dumps(COMPATIBILITY.to_dict(), allow_nan=False))
    assert CompatReport.from_dict(kept) == COMPATIBILITY
    for verdict in EXPERIMENT.verdicts.values():
        assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


def test_what_could_not_be_judged_is_never_called_good() -> None:
    unjudged = tuple(replace(one, changes=one.changes[-1:]) for one in DRIFT)
    assert write_drift(unjudged, now=NOW).mood is Mood.OPEN
    assert write_month(replace(MONTH, tracked=MONTH.tracked[-1:]), now=NOW).mood is Mood.OPEN
    assert write_drift([replace(DRIFT[0], changes=DRIFT[0].changes[1:])], now=NOW).mood is Mood.GOOD


def test_pictures_of_faces_stand_in_the_page_and_not_in_its_numbers() -> None:
    caption = "family 1, person 1: 2 of 5 faces"
    faces = Faces("Behind breakage", ((caption, (JPEG, JPEG)),))
    month = PAPERS["month"]
    paper = replace(month, sections=(*month.sections, Section("Faces", (), (faces,))))
    page = Page(render_paper(paper))
    assert [image["alt"] for image in page.named("img")] == [
        f"family 1, person 1: 2 of 5 faces, face {n}" for n in (1, 2)
    ]
    assert "shows no face" not in page.text
    assert page.open == []
    assert paper.to_dict() == month.to_dict()


def numbers(value: object) -> Iterator[float]:
    """Every number of a JSON value, without its sign: a limit is told by its size."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield abs(float(value))


def numbers_of(table: Table) -> Iterator[float]:
    """Every number that a table shows, as it was measured."""
    for row in table.rows:
        for cell in row:
            if isinstance(cell, Measured):
                counted = (cell.total, cell.cases, cell.families)
                yield from (abs(one) for one in (*cell.numbers, *counted) if one is not None)
            elif isinstance(cell, int | float):
                yield abs(cell)


@each_kind
def test_every_chart_has_words_and_every_picture_a_table_beneath_it(kind: str) -> None:
    page = PAGES[kind]
    assert all(svg["aria-label"] and svg["role"] == "img" for svg in page.named("svg"))
    assert page.named("figure") or kind == "annotation"
    order = [tag for tag, _ in page.tags if tag in {"figure", "table"}]
    assert ("figure", "figure") not in set(pairwise(order))
    assert order[-1] == "table"


@each_kind
def test_headings_skip_no_level_and_cells_have_headers(kind: str) -> None:
    page = PAGES[kind]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {header["scope"] for header in page.named("th")} == {"col", "row"}


@each_kind
def test_the_verdict_comes_first_and_every_sentence_of_it_is_in_the_json(kind: str) -> None:
    paper, text = PAPERS[kind], PAGES[kind].text
    assert paper.to_dict()["verdict"] == list(paper.verdict)
    assert all(sentence.endswith(".") and sentence in text for sentence in paper.verdict)
    assert text.index(paper.verdict[0]) < text.index(paper.sections[0].title, text.index("Verdict"))


@pytest.mark.parametrize("waits", Wait)
def test_an_experiment_speaks_of_looking_early_only_where_that_is_the_reason(waits: Wait) -> None:
    untold = Verdict(Outcome.UNDECIDED, "as yet", "breakage", 3, (421, 408), 0.65, 0.95, waits=waits)
    page = render_paper(write_experiment(replace(EXPERIMENT, verdicts={"family-512": untold}), now=NOW))
    assert ("looking early" in page) == (waits is Wait.MONTHS)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "はな"])
def test_the_name_of_an_arm_or_experiment_is_text_and_nothing_else(name: str) -> None:
    papers: list[tuple[Paper, Paper]] = [
        (
            write_comparison(replace(COMPARISON, second=replace(COMPARISON.second, arm=name, models=(name,))), now=NOW),
            PAPERS["comparison"],
        ),
        (
            write_experiment(
                replace(EXPERIMENT, name=name, verdicts={name: EXPERIMENT.verdicts["family-512"]}), now=NOW
            ),
            PAPERS["experiment"],
        ),
    ]
    for hostile, plain in papers:
        page = Page(render_paper(hostile))
        assert {tag for tag, _ in page.tags} == {tag for tag, _ in Page(render_paper(plain)).tags}
        assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
        assert name in page.text
