"""`facealbum report`: the page of albums, and reports of figures."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, OneFamily, count_of, open_world, say_result

if TYPE_CHECKING:
    from facealbum.steps.report import Period
    from facealbum.steps.reports import Subject

app = typer.Typer()

_FIGURES = "Of a report of figures: "


@app.command()
def report(  # noqa: PLR0913, PLR0917 - what each kind of report is about
    out: Path,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help="A report of figures instead of albums: month, comparison, experiment, compatibility, drift or"
            " annotation; see docs/reports.md.",
        ),
    ] = None,
    family: OneFamily = None,
    first: Annotated[str | None, typer.Option("--from", help="Of albums: the first month, as 2026-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Of albums: the last month, as 2026-10.")] = None,
    month: Annotated[
        list[str] | None, typer.Option("--month", help=f"{_FIGURES}the month, as 2026-10; two to compare them.")
    ] = None,
    arm: Annotated[list[str] | None, typer.Option("--arm", help=f"{_FIGURES}the arm; two to compare them.")] = None,
    experiment: Annotated[str, typer.Option("--experiment", help=f"{_FIGURES}the experiment.")] = "",
    spaces: Annotated[
        tuple[str, str] | None, typer.Option("--spaces", help=f"{_FIGURES}the old embedding space and the new one.")
    ] = None,
    sample: Annotated[str, typer.Option("--sample", help=f"{_FIGURES}the labelled sample.")] = "",
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Write the report's numbers to this JSON file as well.")
    ] = None,
    crops: Annotated[
        bool, typer.Option("--crops", help=f"{_FIGURES}with the faces behind a month or a sample.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write albums, or with --kind a report of figures, as one self-contained HTML page."""
    from facealbum.domain.months import Month
    from facealbum.steps.reports import Subject

    months = tuple(map(Month.parse, month or ()))
    subject = Subject(months, tuple(arm or ()), experiment, spaces or (), sample)
    period = (Month.parse(first) if first else None, Month.parse(last) if last else None)
    if kind is None:
        if subject != Subject() or figures or crops:
            raise typer.BadParameter("what a report of figures is about goes with --kind")
        _report_albums(out, family, period, as_json=as_json)
    else:
        if family or any(period):
            raise typer.BadParameter("--family, --from and --to are for the page of albums; figures take --month")
        _report_figures(out, kind, subject, figures, crops=crops, as_json=as_json)


def _report_albums(out: Path, family: str | None, period: "Period", *, as_json: bool) -> None:
    from facealbum.steps.report import write_report

    with open_world() as context:
        result = write_report(context, out, family=family, period=period)
    people = count_of(result.persons, "person", "people")
    families = count_of(result.families, "family", "families")
    say_result(asdict(result), f"{people} of {families} in {out}", as_json=as_json)


def _report_figures(
    out: Path, kind: str, subject: "Subject", figures: Path | None, *, crops: bool, as_json: bool
) -> None:
    from facealbum.errors import InvalidValueError
    from facealbum.steps.reports import Kind, write_figures

    if kind not in set(Kind):
        raise InvalidValueError(f"--kind must be one of {', '.join(Kind)}; got {kind!r}")
    with open_world() as context:
        paper = write_figures(context, out, Kind(kind), subject, figures=figures, crops=crops)
    if as_json:
        console.say_json(paper.to_dict())
        return
    for sentence in paper.verdict:
        console.say(sentence)
    console.say(f"{paper.title} in {out}{f', its numbers in {figures}' if figures else ''}")
