"""`facealbum features`: what is known of faces, persons and months as named features, now or as it was."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, OneFamily, count_of, open_world, say_result
from facealbum.errors import InvalidValueError
from facealbum.features import FEATURES, Entity

app = typer.Typer(
    name="features",
    help="Named features of faces, persons and months, now or as they were known.",
    no_args_is_help=True,
)


@app.command("list")
def features_list(as_json: Json = False) -> None:
    """Every feature with its version, unit and source."""
    if as_json:
        console.say_json([asdict(one) for one in FEATURES])
        return
    rows = [(one.entity, one.name, one.version, one.dtype, one.unit, one.description, one.source) for one in FEATURES]
    console.table("", ("of", "feature", "version", "type", "unit", "is", "from"), rows)


@app.command("export")
def features_export(  # noqa: PLR0913, PLR0917 - typer has an argument for each option
    out: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="Or OUT.arrow; whole or not at all.")],
    entity: Annotated[Entity, typer.Option("--entity", help="Whose features.")] = Entity.FACE,
    features: Annotated[str, typer.Option("--features", help="Some, as age,quality; without it all.")] = "",
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known then: 2026-08-01, or with a time.")] = None,
    family: OneFamily = None,
    arm: Annotated[str | None, typer.Option("--arm", help="The arm; without it the installation's.")] = None,
    space: Annotated[str | None, typer.Option("--space", help="Of embeddings; without it the arm's.")] = None,
    as_json: Json = False,
) -> None:
    """Write features as Parquet or Arrow, as they are known now or were at an instant."""
    from facealbum.steps.feature_export import export_features
    from facealbum.steps.features import Asked

    names = [name.strip() for name in features.split(",") if name.strip()]
    asked = Asked(entity, names, _instant(as_of), arm, space)
    with open_world() as context:
        done = export_features(context, out, asked, family=family)
    only = f"; embeddings of {done.space} are for research only" if done.research_only else ""
    text = f"{count_of(done.rows, 'row')} of {count_of(done.families, 'family', 'families')}{only}"
    say_result(asdict(done), text, as_json=as_json)


def _instant(told: str | None) -> datetime | None:
    """A day is its first instant; in UTC where no offset is given."""
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as error:
        raise InvalidValueError(f"--as-of must be as 2026-08-01 or 2026-08-01T12:00:00Z, got {told!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
