"""Reports of figures from a real database: what was measured is what the page and its JSON say."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from eval.annotation import Kind as Asked
from eval.report.charts import Faces
from eval.report.paper import Mood
from facealbum import cli
from facealbum.domain.ids import child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import FacealbumError, InvalidValueError
from facealbum.steps.annotation import Wanted, draw_sample, label_item, load_sample
from facealbum.steps.arm_plans import load_side
from facealbum.steps.arms import create_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.steps.experiments import Draft, create_experiment
from facealbum.steps.metrics import summarize_month
from facealbum.steps.reports import Kind, Subject, write_figures
from facealbum.storage.analyses import ensure_analyzer, ensure_space
from facealbum.storage.compat_reports import save_compat_report
from facealbum.storage.drift import save_report
from facealbum.storage.experiments import load_experiment, update_experiment
from facealbum.storage.families import save_child
from facealbum.storage.serving import DEFAULT_ARM
from tests.conftest import NOW
from tests.golden.reports.papers import COMPATIBILITY, DRIFT, EXPERIMENT, REEMBEDDED
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
    this_month = {one["metric"] for one in told["figures"]["metrics"] if one["month"] == "2026-02"}
    assert this_month == {metric for metric, part in measured.estimates if not part}, "those of a single family too"
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


def test_an_experiment_tells_its_plan_at_once_and_its_verdict_once_it_has_one(context: Context, tmp_path: Path) -> None:
    with context.database.begin() as transaction:
        load_side(transaction, DEFAULT_ARM, context.settings)
    create_arm(context, "sharp", algorithm="constrained", author="ann")
    draft = Draft("sharper", "served", (("default", 0.5), ("sharp", 0.5)), "breakage", 0.05, months=2, families=40)
    create_experiment(context, draft, author="ann")
    subject, out = Subject(experiment="sharper"), tmp_path / "experiment.html"
    paper = write_figures(context, out, Kind.EXPERIMENT, subject)
    assert paper.verdict == ("No month is over yet.",)
    assert paper.figures["plan"]["minimum_effect"] == 0.05
    verdict = EXPERIMENT.verdicts["family-512"]
    with context.database.begin() as transaction:
        number = load_experiment(transaction, "sharper").experiment_id
        update_experiment(transaction, number, status="concluded", verdicts={"sharp": verdict.to_dict()})
    concluded = write_figures(context, out, Kind.EXPERIMENT, subject)
    assert concluded.figures["verdicts"]["sharp"] == verdict.to_dict() | {"counted": 829}
    assert "sharp: undecided. Breakage is better, but harm to coverage is not ruled out." in Page(out.read_text()).text


def test_drift_is_told_as_it_was_found_when_it_was_checked(context: Context, tmp_path: Path) -> None:
    models = default_models()
    with context.database.begin() as transaction:
        analyzer = ensure_analyzer(transaction, models.versions, models.space).analyzer_id
        for report in DRIFT:
            save_report(transaction, analyzer, report, baseline=None, now=NOW)
    paper = write_figures(context, tmp_path / "drift.html", Kind.DRIFT, Subject(months=(Month(2026, 10),)))
    assert [one["against"] for one in paper.figures["comparisons"]] == ["baseline", "before"]
    told, found = paper.figures["comparisons"][1]["changes"], DRIFT[1].to_dict()["changes"]
    assert sorted(told, key=str) == sorted(found, key=str)


def test_faces_are_shown_only_to_whom_asks_for_them(clustered: Context, tmp_path: Path) -> None:
    out = tmp_path / "month.html"
    paper = write_figures(clustered, out, Kind.MONTH, Subject(), crops=True)
    assert paper.sections[-1].title == "Faces"
    assert "keep it as you would keep the albums" in Page(out.read_text(encoding="utf-8")).text
    with pytest.raises(InvalidValueError, match="faces can be shown of month and annotation, not of comparison"):
        write_figures(clustered, out, Kind.COMPARISON, Subject(), crops=True)


def test_a_sample_tells_what_was_labelled_and_which_items_were_wrong(clustered: Context, tmp_path: Path) -> None:
    draw_sample(clustered, Wanted("autumn", Asked.FACES, 12, 1))
    _, items = load_sample(clustered, "autumn")
    for number, item in enumerate(items):
        label_item(clustered, "autumn", item.item_id, annotator="ann", answer="yes" if number else "no")
    paper = write_figures(clustered, tmp_path / "sample.html", Kind.ANNOTATION, Subject(sample="autumn"), crops=True)
    assert (paper.figures["drawn"], paper.figures["answered"]) == (len(items), len(items))
    assert paper.verdict[0].startswith("Faces that are of their person, arm default: ")
    (wrong,) = paper.sections[-1].blocks
    assert isinstance(wrong, Faces)
    assert [caption for caption, _ in wrong.rows] == ["item 1 of 1"]


def test_a_change_of_space_is_told_by_each_remedys_newest_measure(context: Context, tmp_path: Path) -> None:
    with context.database.begin() as transaction:
        spaces = ensure_space(transaction, "fused-512"), ensure_space(transaction, "family-512")
        for report in (COMPATIBILITY, REEMBEDDED):
            save_compat_report(transaction, report.to_dict(), spaces=spaces, adapter_id=None, code_version="1", now=NOW)
    subject = Subject(spaces=("fused-512", "family-512"))
    paper = write_figures(context, tmp_path / "compatibility.html", Kind.COMPATIBILITY, subject)
    assert paper.figures["reports"] == [json.loads(json.dumps(REEMBEDDED.to_dict()))]
    assert paper.mood is Mood.GOOD


REFUSED = (
    (Kind.MONTH, Subject(sample="s"), "takes at most one --month and at most one --arm, and nothing else"),
    (Kind.MONTH, Subject(months=(JANUARY, FEBRUARY)), "at most one --month"),
    (Kind.MONTH, Subject(months=(Month(2020, 1),)), "nothing was measured under the arm 'default' in 2020-01"),
    (Kind.MONTH, Subject(arms=("other",)), "nothing was measured under the arm 'other'"),
    (Kind.COMPARISON, Subject(months=(JANUARY,)), "two arms or two months, got default in 2026-01 twice"),
    (Kind.EXPERIMENT, Subject(), "takes --experiment NAME"),
    (Kind.COMPATIBILITY, Subject(arms=("a",)), "takes --spaces OLD NEW"),
    (Kind.COMPATIBILITY, Subject(spaces=("a", "b")), "nobody has measured the change from a to b"),
    (Kind.DRIFT, Subject(), "drift was not checked"),
    (Kind.EXPERIMENT, Subject(experiment="sharper"), "no experiment is called 'sharper'"),
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
