"""`facealbum dashboard`: the views and aggregates that other programs read."""

from dataclasses import asdict
from typing import Annotated

import typer

from facealbum.cli.command import Json, count_of, open_world, say_result

app = typer.Typer(
    name="dashboard",
    help="The figures of the whole installation, for pages and for other programs.",
    no_args_is_help=True,
)


@app.command("refresh")
def dashboard_refresh(
    everything: Annotated[bool, typer.Option("--all", help="Also families that did not change.")] = False,
    as_json: Json = False,
) -> None:
    """Count anew what changed since the last time; workers do it every minute by themselves."""
    from facealbum.steps.dashboard import refresh

    with open_world() as context:
        done = refresh(context, everything=everything, seconds=None)
    families = count_of(done.families, "family", "families")
    say_result(asdict(done), f"{families} counted anew in {done.seconds:.1f} s", as_json=as_json)


@app.command("views")
def dashboard_views(as_json: Json = False) -> None:
    """Every view and aggregate with its columns, as Markdown."""
    from facealbum.steps.dashboard import describe_views, list_views

    with open_world() as context:
        views = list_views(context)
    say_result([asdict(view) for view in views], describe_views(views), as_json=as_json)
