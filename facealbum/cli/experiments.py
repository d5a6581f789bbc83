"""`facealbum experiment`: from an agreement to a verdict."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facealbum import console
from facealbum.cli.arms import Author, number, split_pair
from facealbum.cli.command import Json, count_of, finish, open_world, say_result

if TYPE_CHECKING:
    from facealbum.steps.experiment_results import Power, Status

app = typer.Typer(
    name="experiment", help="Try arms on some families, and learn whether they are better.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The experiment's name.", metavar="NAME")]


class Mode(StrEnum):
    """Whether families see what is tried."""

    SERVED = "served"
    SHADOW = "shadow"


@app.command("create")
def experiment_create(  # noqa: PLR0913, PLR0917 - an option for each thing that is agreed
    name: Name,
    arm: Annotated[list[str], typer.Option("--arm", help="An arm and its share, as new=.5; the first is the control.")],
    metric: Annotated[str, typer.Option("--metric", help="What decides, as breakage; see docs/metrics.md.")],
    minimum_effect: Annotated[float, typer.Option("--minimum-effect", help="The smallest difference that matters.")],
    months: Annotated[int, typer.Option("--months", help="How many months it takes.")],
    families: Annotated[int | None, typer.Option("--families", help="And how many families at least.")] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="Whether families see it.")] = Mode.SHADOW,
    sequential: Annotated[bool, typer.Option("--sequential", help="May be decided after any month.")] = False,
    guardrail: Annotated[list[str] | None, typer.Option("--guardrail", help="Tolerated harm: coverage=.01.")] = None,
    holdout: Annotated[float, typer.Option("--holdout", help="Share of families that is never treated.")] = 0.0,
    traffic: Annotated[float, typer.Option("--traffic", help="Share of the others that takes part.")] = 1.0,
    alpha: Annotated[float, typer.Option("--alpha", help="How often to err where there is no difference.")] = 0.05,
    power: Annotated[float, typer.Option("--power", help="How often to find the smallest difference.")] = 0.8,
    salt: Annotated[str | None, typer.Option("--salt", help="Another salt splits families otherwise.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how many families it needs.")] = False,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Agree on what decides, before anything is known; tells how many families that needs, from past months."""
    from eval.experiments import Kind
    from facealbum.steps.experiments import Draft, create_experiment

    draft = Draft(
        name=name,
        mode=mode.value,
        shares=tuple((key, number(value, key)) for key, value in map(split_pair, arm)),
        metric=metric,
        minimum_effect=minimum_effect,
        months=months,
        families=families,
        kind=Kind.SEQUENTIAL if sequential else Kind.FIXED,
        guardrails={key: number(value, key) for key, value in map(split_pair, guardrail or ())},
        holdout=holdout,
        traffic=traffic,
        alpha=alpha,
        power=power,
        salt=salt,
    )
    with open_world() as context:
        plan, found = create_experiment(context, draft, author=author, dry_run=dry_run)
    made = "would be created" if dry_run else "is created; begin by `facealbum experiment start`"
    text = f"experiment {name} {made}\n{_power(found, minimum_effect)}"
    say_result({"plan": plan.to_dict(), "power": asdict(found)}, text, as_json=as_json)


def _power(found: "Power", minimum_effect: float) -> str:
    if found.needed is None or found.smallest_effect is None:
        return "no past month tells how many families it needs"
    return (
        f"by {count_of(found.past, 'family', 'families')} of past months it needs {found.needed} to find"
        f" {minimum_effect:g}; the {found.available} there are find {found.smallest_effect:.2g}"
    )


@app.command("start")
def experiment_start(
    name: Name,
    first: Annotated[str | None, typer.Option("--from", help="The first month that counts, as 2026-01.")] = None,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Let families take part, as the monthly job comes to them."""
    from facealbum.domain.months import Month
    from facealbum.steps.experiments import start_experiment

    with open_world() as context:
        started = start_experiment(context, name, author=author, first_month=Month.parse(first) if first else None)
    say_result(
        {"name": name, "first_month": str(started.first_month)},
        f"experiment {name} runs; its first month is {started.first_month}",
        as_json=as_json,
    )


@app.command("list")
def experiment_list(as_json: Json = False) -> None:
    """Every experiment, the newest first."""
    from facealbum.steps.experiments import list_experiments

    with open_world() as context:
        found = list_experiments(context)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    rows = [
        (one.name, one.mode, one.status, " ".join(arm.name for arm in one.arms), str(one.first_month or ""))
        for one in found
    ]
    console.table("", ("name", "mode", "status", "arms", "from"), rows)


@app.command("status")
def experiment_status(name: Name, as_json: Json = False) -> None:
    """How far it is, and what may be said of it by now; the exit code is 3 if its families' numbers are wrong."""
    from facealbum.steps.experiment_results import show_experiment

    with open_world() as context:
        status = show_experiment(context, name)
    if as_json:
        console.say_json(asdict(status))
    else:
        _say(status)
    finish(problems=any(verdict["outcome"] == "refused" for verdict in status.verdicts.values()))


def _say(status: "Status") -> None:
    one, plan = status.experiment, status.experiment.plan
    console.say(f"{one.name}: {one.mode}, {one.status}, {status.months_over} of {plan['months']} months are over")
    shares = ", ".join(f"{families} in {arm}" for arm, families in sorted(status.assigned.items()))
    console.say(f"families: {shares or 'none yet'}")
    for arm, unseen in status.unseen.items():
        console.say(
            f"{arm} can't see {count_of(unseen.without, 'face')} until the monthly job embeds them for its space,"
            f" and {unseen.lost} for good"
        )
    for before in status.before:
        console.say(f"before it began {before.arm} differed by {before.effect:+.4f} (p = {before.p:.2g})")
    for arm, verdict in status.verdicts.items():
        console.say(_verdict(arm, verdict))
        for rail in verdict["guardrails"]:
            said = {True: "holds", False: "is broken", None: "is open"}[rail["passed"]]
            console.say(f"  {rail['metric']} {said}{_interval(rail)}, tolerated {rail['tolerated']:g}")
    rows = [(f"{entry.at:%Y-%m-%d %H:%M}", entry.author, entry.action) for entry in status.trail]
    console.table("", ("at", "by", "what"), rows)


def _verdict(arm: str, verdict: Mapping[str, Any]) -> str:
    counted = "{} and {} families".format(*verdict["families"])
    over = f", over {counted}" if verdict["effect"] is not None else f" ({counted} were counted)"
    more = f"; {verdict['more_families']} more are needed" if verdict["more_families"] else ""
    return f"{arm}: {verdict['outcome']}. {verdict['reason']}{_interval(verdict)}{over}{more}"


def _interval(figures: Mapping[str, Any]) -> str:
    if figures["effect"] is None:
        return ""
    return f" ({figures['effect']:+.4f}, {figures['low']:+.4f} to {figures['high']:+.4f})"


@app.command("grow")
def experiment_grow(
    name: Name,
    traffic: Annotated[float, typer.Option("--traffic", help="Share of families that takes part from now on.")],
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Let more families take part; nobody changes sides."""
    from facealbum.steps.experiments import grow_experiment

    with open_world() as context:
        grow_experiment(context, name, traffic, author=author)
    say_result({"name": name, "traffic": traffic}, f"{traffic:.0%} of families take part in {name}", as_json=as_json)


@app.command("stop")
def experiment_stop(name: Name, author: Author = "operator", as_json: Json = False) -> None:
    """End it without a verdict; families see the installation's arm again at once."""
    from facealbum.steps.experiments import stop_experiment

    with open_world() as context:
        stop_experiment(context, name, author=author)
    say_result({"name": name, "status": "stopped"}, f"experiment {name} is stopped", as_json=as_json)


@app.command("conclude")
def experiment_conclude(
    name: Name,
    promote: Annotated[
        bool, typer.Option("--promote", help="The arm that is better becomes what families see.")
    ] = False,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """End it with its verdict."""
    from facealbum.steps.experiments import conclude_experiment

    with open_world() as context:
        verdicts = conclude_experiment(context, name, author=author, promote=promote)
    text = "\n".join(_verdict(arm, verdict) for arm, verdict in verdicts.items())
    say_result({"name": name, "verdicts": verdicts, "promoted": promote}, text, as_json=as_json)


@app.command("rollback")
def experiment_rollback(name: Name, author: Author = "operator", as_json: Json = False) -> None:
    """Put families back on what they saw before it, at once."""
    from facealbum.steps.experiments import rollback_experiment

    with open_world() as context:
        rollback_experiment(context, name, author=author)
    say_result({"name": name, "status": "rolled_back"}, f"experiment {name} is rolled back", as_json=as_json)


@app.command("release")
def experiment_release(name: Name, author: Author = "operator", as_json: Json = False) -> None:
    """Let the families that were held out see what all others do."""
    from facealbum.steps.experiments import release_holdout

    with open_world() as context:
        families = release_holdout(context, name, author=author)
    say_result({"name": name, "families": families}, f"{name} holds no family out any more", as_json=as_json)
