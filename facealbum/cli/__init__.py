"""The command line.  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with problems.

Each command opens what it needs, calls one step and shows its result; steps are imported inside the commands so
that `facealbum --help` answers at once.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli import (
    access,
    albums,
    annotation,
    arms,
    compat,
    dashboard,
    decisions,
    drift,
    experiments,
    explain,
    fairness,
    families,
    features,
    lineage,
    looking,
    metrics,
    models,
    photos,
    pipelines,
    releases,
    reports,
    runs,
    searches,
    signals,
    stack,
    system,
    web,
    workers,
)
from facealbum.cli.command import Exit
from facealbum.errors import (
    FacealbumError,
    InvalidValueError,
    UnknownFamilyError,
    UnknownModelError,
    UnknownSampleError,
)
from facealbum.logs import log_crash

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(albums.app)
app.add_typer(reports.app)
app.add_typer(decisions.app)
app.add_typer(looking.app)
app.add_typer(explain.app)
app.add_typer(system.app)
app.add_typer(workers.app)
app.add_typer(stack.app)
app.add_typer(web.app)
app.add_typer(families.app, name="family")
app.add_typer(photos.app, name="photo")
app.add_typer(models.app, name="models")
app.add_typer(pipelines.app, name="pipelines")
models.app.add_typer(releases.app)
app.add_typer(runs.app, name="run")
app.add_typer(annotation.app, name="sample")
app.add_typer(metrics.app, name="metrics")
app.add_typer(signals.app, name="signals")
app.add_typer(compat.evaluation, name="eval")
app.add_typer(compat.reembedding, name="reembed")
app.add_typer(arms.app, name="arms")
app.add_typer(experiments.app, name="experiment")
app.add_typer(searches.app, name="search")
app.add_typer(drift.app, name="drift")
app.add_typer(fairness.fairness, name="fairness")
app.add_typer(fairness.attribution, name="attribution")
app.add_typer(features.app, name="features")
app.add_typer(lineage.app, name="lineage")
app.add_typer(dashboard.app, name="dashboard")
app.add_typer(access.users, name="user")
app.add_typer(access.tokens, name="token")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        console.say(f"facealbum {version('facealbum')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turns a family's photo stream into an album per child."""


def main() -> None:
    """Run the command line; an error of ours is one clear line, a mistake of ours an event where there is a log."""
    try:
        app(standalone_mode=True)
    except (InvalidValueError, UnknownFamilyError, UnknownModelError, UnknownSampleError) as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.USAGE)
    except FacealbumError as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.FAILED)
    except OSError as error:
        console.complain(f"facealbum: {error.filename or 'the system'}: {error.strerror}")
        sys.exit(Exit.FAILED)
    except Exception as error:
        if not log_crash(error):
            raise
        sys.exit(Exit.FAILED)
