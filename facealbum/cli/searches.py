"""`facealbum search`: finding better parameters without labels, and proposing them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facealbum import console
from facealbum.cli.arms import Author
from facealbum.cli.command import Json, count_of, finish, open_world, say_result

if TYPE_CHECKING:
    from facealbum.steps.searches import Found

app = typer.Typer(name="search", help="Find better parameters without labels, and propose them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The search's name.", metavar="NAME")]
Seconds = Annotated[float | None, typer.Option("--seconds", help="Begin no trial after so long.")]
Processes = Annotated[int, typer.Option("--processes", help="How many search together.")]


@app.command("start")
def search_start(  # noqa: PLR0913, PLR0917 - an option for each thing that is agreed
    name: Name,
    trials: Annotated[int, typer.Option("--trials", help="How many arms to try.")] = 100,
    seconds: Seconds = None,
    processes: Processes = 1,
    seed: Annotated[int, typer.Option("--seed", help="The same gives the same trials, of one process.")] = 0,
    families: Annotated[int, typer.Option("--families", help="On how many families at most.")] = 200,
    held_out: Annotated[float, typer.Option("--held-out", help="Share of families that is only looked at last.")] = 0.3,
    through: Annotated[str | None, typer.Option("--through", help="The last month, as 2026-09; or last month.")] = None,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Try arms around what families see, on their past months and in memory; nothing that they see changes."""
    from facealbum.domain.months import Month
    from facealbum.steps.searches import SearchPlan, start_search

    plan = SearchPlan(trials, seed, families, held_out, Month.parse(through) if through else None)
    with open_world() as context:
        found = start_search(context, name, plan, seconds=seconds, processes=processes, author=author)
    _say(found, as_json=as_json)


@app.command("resume")
def search_resume(
    name: Name,
    trials: Annotated[int | None, typer.Option("--trials", help="So many in all from now on.")] = None,
    seconds: Seconds = None,
    processes: Processes = 1,
    as_json: Json = False,
) -> None:
    """Go on with a search that was stopped or killed, or with more trials; others may be at it."""
    from facealbum.steps.searches import resume_search

    with open_world() as context:
        found = resume_search(context, name, trials=trials, seconds=seconds, processes=processes)
    _say(found, as_json=as_json)


@app.command("status")
def search_status(
    name: Annotated[str | None, typer.Argument(help="The search's name; without it all are listed.")] = None,
    as_json: Json = False,
) -> None:
    """How far a search is and what it found, or every search."""
    from facealbum.steps.searches import list_searches, show_search

    with open_world() as context:
        if name is not None:
            _say(show_search(context, name), as_json=as_json)
            return
        searches = list_searches(context)
    rows = [
        (one.name, one.base["arm"], f"{one.created_at:%Y-%m-%d %H:%M}", _word(one.outcome), one.arm or "")
        for one in searches
    ]
    if as_json:
        heads = ("name", "base", "created_at", "found", "arm")
        console.say_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    console.table("", ("name", "began with", "at", "found", "proposed as"), rows)


@app.command("propose")
def search_propose(
    name: Name,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although families held out do not show it.")] = False,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Make an arm of what was found, and a draft of an experiment in the shadow; nothing is served yet."""
    from dataclasses import asdict

    from facealbum.steps.propose_search import propose_search

    with open_world() as context:
        made = propose_search(context, name, author=author, anyway=anyway)
    text = f"arm {made.arm} is there; try it by `facealbum experiment start {made.experiment}`"
    say_result(asdict(made), text, as_json=as_json)


def _word(outcome: Any) -> str:  # noqa: ANN401 - JSON
    if outcome is None:
        return ""
    return "better" if outcome["better"] else "no better"


def _say(found: "Found", *, as_json: bool) -> None:
    if as_json:
        console.say_json(found.to_dict())
    else:
        _say_text(found)
    finish(problems=found.lost > 0)


def _say_text(found: "Found") -> None:
    one, ended = found.search, [trial for trial in found.trials if trial.state in {"complete", "pruned"}]
    early = sum(trial.state == "pruned" for trial in ended)
    console.say(f"{one.name}: {len(ended)} of {count_of(one.plan['trials'], 'trial')}, {early} of them given up early")
    if found.lost:
        console.say(f"{count_of(found.lost, 'process', 'processes')} ended early; resume it to try their trials again")
    if one.outcome is None:
        return
    for side, title in (("searched", "families searched on"), ("held_out", "families held out")):
        told = one.outcome[side]
        rows = [
            (row["measure"], *(f"{row[key]:.4f}" for key in ("base", "found")), f"{row['value']:+.4f}{_ends(row)}")
            for row in told["differences"]
        ]
        heads = "", one.base["arm"], f"trial {one.outcome['trial']}", "difference (95 %)"
        console.table(f"{told['families']} {title}", heads, rows)
    changes = " ".join(f"{name}={value:g}" for name, value in one.outcome["changes"].items())
    console.say(f"{_word(one.outcome)}: {one.outcome['reason']}")
    console.say(f"trial {one.outcome['trial']}: {changes or 'as before'}")
    if one.arm:
        console.say(f"proposed as the arm {one.arm}")


def _ends(row: dict[str, Any]) -> str:
    return "" if row["low"] is None else f" ({row['low']:+.4f} to {row['high']:+.4f})"
