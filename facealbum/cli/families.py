"""`facealbum family`: list families, or delete one."""

from dataclasses import asdict
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, open_world, say_result

app = typer.Typer(name="family", help="List families, or delete one.", no_args_is_help=True)


@app.command("list")
def family_list(as_json: Json = False) -> None:
    """Every family with its children and photos."""
    from facealbum.steps.families import list_families

    with open_world() as context:
        found = list_families(context)
    if as_json:
        console.say_json([asdict(family) for family in found])
        return
    rows = [
        (
            one.name,
            ", ".join(child.name for child in one.children),
            one.photos.get("analysed", 0),
            one.photos.get("pending", 0),
            one.photos.get("failed", 0) - one.not_imported,
            one.not_imported,
        )
        for one in found
    ]
    console.table("", ("family", "children", "analysed", "pending", "failed", "not imported"), rows)


@app.command("delete")
def family_delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a family with every photo, face and person of it, for ever."""
    from facealbum.steps.families import family_of, forget_family, list_families
    from facealbum.steps.snapshots import trained_with

    with open_world() as context:
        if not yes:
            (found,) = list_families(context, name)
            photos = count_of(sum(found.photos.values()), "photo")
            typer.confirm(f"Delete family {name!r} with its {photos} and all their faces?", abort=True, err=True)
        models = trained_with(context, family_of(context, name))
        objects = forget_family(context, name)
    text = f"family {name!r} is deleted, with {count_of(objects, 'stored file')}"
    if models:
        text += f"\nit was among what these learnt from: {', '.join(models)}"
    say_result({"objects": objects, "trained_with_it": models}, text, as_json=as_json)
