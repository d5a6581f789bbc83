"""Reports of figures from a real database: what was measured is what the page and its JSON say."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from facealbum import cli
from facealbum.domain.ids import child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import FacealbumError, InvalidValueError
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.metrics import summarize_month
from facealbum.steps.reports import Kind, Subject, write_figures
from facealbum.storage.families import save_child
from tests.conftest import NOW
from tests.integration.album import FAMILY, FAMILY_ID, add, shots
from tests.unit.eval.test_report import Page

JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
HANA = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 1, 1), Gender.FEMALE)


@pytest.fixture
def clustered(context: Context) -> Context:
    """Two clustered months of four people, one of them a registered child."""
    add(context, shots(months=2, a_month=10))
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=NOW)
    cluster_families(context, FEBRUARY)
    return context


def test_a_month_says_what_was_measured_and_names_nobody(clustered: Context, tmp_path: Path) -> None:
    out, figures = tmp_path / "month.html", tmp_path / "month.json"
    paper = write_figures(clustered, out, Kind.MONTH, Subject(), figures=figures)
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(paper.to_dict()))
    measured = summarize_month(clustered)
    coverage = measured.estimates["coverage", ""]
    (row,) = (one for one in told["figures"]["metrics"] if (one["month"], one["metric"]) == ("2026-02", "coverage"))
    assert (row["total"], row["cases"], row["families"]) == (coverage.total, coverage.cases, 1)
    html = out.read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    assert f"{coverage.total:,.0f} of {coverage.cases:,.0f} in 1 family" in page.text
    assert not any(name in html for name in (FAMILY, "Hana", str(FAMILY_ID), "<img"))


def test_an_earlier_month_knows_nothing_of_later_ones(clustered: Context, tmp_path: Path) -> None:
    paper = write_figures(clustered, tmp_path / "month.html", Kind.MONTH, Subject(months=(JANUARY,)))
    assert {one["month"] for one in paper.figures["metrics"]} == {"2026-01"}


def test_two_months_of_an_arm_are_compared(clustered: Context, tmp_path: Path) -> None:
    subject = Subject(months=(JANUARY, FEBRUARY))
    paper = write_figures(clustered, tmp_path / "comparison.html", Kind.COMPARISON, subject)
    assert [paper.figures[side]["month"] for side in ("first", "second")] == ["2026-01", "2026-02"]
    coverage = next(one for one in paper.figures["metrics"] if one["metric"] == "coverage")
    assert coverage["change"]["value"] == coverage["second"]["value"] - coverage["first"]["value"]
    assert coverage["conclusion"] == "too few families"


REFUSED = (
    (Kind.MONTH, Subject(sample="s"), "takes at most one --month and at most one --arm, and nothing else"),
    (Kind.MONTH, Subject(months=(JANUARY, FEBRUARY)), "at most one --month"),
    (Kind.MONTH, Subject(months=(Month(2020, 1),)), "nothing was measured under the arm 'default' in 2020-01"),
    (Kind.MONTH, Subject(arms=("other",)), "nothing was measured under the arm 'other'"),
    (Kind.COMPARISON, Subject(months=(JANUARY,)), "two arms or two months, got default in 2026-01 twice"),
    (Kind.ANNOTATION, Subject(), "takes --sample NAME"),
    (Kind.ANNOTATION, Subject(sample="autumn"), "no sample is called 'autumn'"),
)


def test_a_subject_that_is_not_there_is_refused_and_nothing_written(clustered: Context, tmp_path: Path) -> None:
    out, figures = tmp_path / "report.html", tmp_path / "report.json"
    for kind, subject, message in REFUSED:
        with pytest.raises(FacealbumError, match=message):
            write_figures(clustered, out, kind, subject, figures=figures)
        assert not out.exists()
        assert not figures.exists()


def test_a_place_that_can_not_be_written_is_refused_at_once(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a file in a folder that is there"):
        write_figures(context, tmp_path / "report.html", Kind.MONTH, Subject(), figures=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "weather"], "--kind must be one of month, comparison"),
        (["--month", "2026-10"], "goes with --kind"),
        (["--kind", "month", "--family", "Mori"], "are for the page of albums"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["facealbum", "report", str(tmp_path / "out.html"), *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
