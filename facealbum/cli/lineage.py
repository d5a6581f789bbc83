"""`facealbum lineage`: where a face, a link or an album comes from, and what a model was used for."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.tree import Tree

from facealbum import console
from facealbum.cli.command import Json, open_world
from facealbum.domain.lineage import FamilyUse, ModelUse, Uses
from facealbum.domain.prov import write_prov

app = typer.Typer(
    name="lineage",
    help="Tell where a face, a link or an album comes from, and what a model made.",
    no_args_is_help=True,
)


class Form(StrEnum):
    """How a lineage is written."""

    TREE = "tree"
    JSON = "json"
    PROV = "prov-json"


Family = Annotated[str, typer.Option("--family", help="The family's name.")]
Format = Annotated[
    Form, typer.Option("--format", help="tree, json, or prov-json for programs that know W3C PROV.", show_default=False)
]
_A_PAGE = 50
_UNLESS_KEPT = {"code_version", "sha256", "making", "analysed_at"}
"""Of these nothing means that it was not kept; of all others, that there is none."""


@app.command("face")
def lineage_face(
    face: Annotated[str, typer.Argument(help="The face's id, or its beginning.", metavar="FACE")],
    family: Family,
    form: Format = Form.TREE,
    as_json: Json = False,
) -> None:
    """From a face back to its photo, models, runs, experiments, links and decisions."""
    from facealbum.steps.correct import find_face
    from facealbum.steps.families import find_family
    from facealbum.steps.lineage import trace_face

    with open_world() as context:
        _show(
            f"face {face}",
            trace_face(context, find_family(context, family), find_face(context, family, face)),
            form=Form.JSON if as_json else form,
        )


@app.command("link")
def lineage_link(
    person: Annotated[str, typer.Argument(help="The person's id, or its beginning.", metavar="PERSON")],
    family: Family,
    form: Format = Form.TREE,
    as_json: Json = False,
) -> None:
    """From the link of a person to a child back to its evidence, run and decisions."""
    from facealbum.steps.correct import find_person
    from facealbum.steps.families import find_family
    from facealbum.steps.lineage import trace_link

    with open_world() as context:
        found = trace_link(context, find_family(context, family), find_person(context, family, person))
        _show(f"link of person {person}", found, form=Form.JSON if as_json else form)


@app.command("album")
def lineage_album(
    album: Annotated[str, typer.Argument(help="A child's or person's id, `children` or `family`.", metavar="ALBUM")],
    family: Family,
    form: Format = Form.TREE,
    as_json: Json = False,
) -> None:
    """From an album back to the analyses, runs, links and decisions behind its faces."""
    from facealbum.steps.families import find_family
    from facealbum.steps.lineage import trace_album

    with open_world() as context:
        _show(
            f"album {album}",
            trace_album(context, find_family(context, family), album),
            form=Form.JSON if as_json else form,
        )


@app.command("model")
def lineage_model(
    model: Annotated[
        str, typer.Argument(help="A model's id or NAME@VERSION, snapshot:DIGEST or code:VERSION.", metavar="MODEL")
    ],
    family: Annotated[str | None, typer.Option("--family", help="List the faces of this family.")] = None,
    after: Annotated[UUID | None, typer.Option(help="Go on behind this id.")] = None,
    as_json: Json = False,
) -> None:
    """From a model, data set or release forward to arms, runs, families and faces."""
    from facealbum.steps.families import find_family
    from facealbum.steps.uses import find_uses, list_faces_made

    with open_world() as context:
        if family is not None:
            faces = list_faces_made(context, find_family(context, family), model, limit=_A_PAGE, after=after)
            _show(f"faces by {model}", _Made(faces, _next(faces)), form=Form.JSON if as_json else Form.TREE)
            return
        uses, families = find_uses(context, model, limit=_A_PAGE, after=after)
    ids = [one.family_id for one in families]
    _show(f"uses of {model}", _Used(uses, families, _next(ids)), form=Form.JSON if as_json else Form.TREE)


@dataclass(frozen=True, slots=True)
class _Used:
    """What was used, and a page of families; next: what to give as --after for more."""

    uses: Uses
    families: list[FamilyUse]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A page of faces."""

    faces: list[Any]
    next: UUID | None


def _next(ids: list[Any]) -> UUID | None:
    return ids[-1] if len(ids) == _A_PAGE else None


def _show(title: str, found: Any, *, form: Form) -> None:  # noqa: ANN401 - any dataclass
    if form is not Form.TREE:
        console.say_json(write_prov(found) if form is Form.PROV else asdict(found))
        return
    tree = Tree(f"[bold]{escape(title)}")
    _grow(tree, found)
    console.out.print(tree)


def _grow(tree: Tree, value: object) -> None:
    """A branch for each part; a model, and plain numbers by name, take a line."""
    for name, part in _parts(value):
        called = escape(name.replace("_", " "))
        if part in (None, (), [], {}) and name not in _UNLESS_KEPT:
            continue
        if isinstance(part, ModelUse):
            tree.add(f"{called}: {escape(_say_model(part))}")
        elif is_dataclass(part) or (isinstance(part, Mapping) and any(map(_holds, part.values()))):
            _grow(tree.add(called), part)
        elif isinstance(part, (tuple, list)) and part and is_dataclass(part[0]):
            _grow(tree, {_title(name, number, one): one for number, one in enumerate(part, 1)})
        else:
            tree.add(f"{called}: [cyan]{escape(_say(part))}")


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(name), part) for name, part in value.items())
    elif is_dataclass(value):
        yield from ((one.name, getattr(value, one.name)) for one in fields(value))


def _holds(part: object) -> bool:
    return is_dataclass(part) or isinstance(part, Mapping)


def _title(name: str, number: int, one: object) -> str:
    return f"model {one.role}" if isinstance(one, ModelUse) else f"{name} {number}"


def _say_model(model: ModelUse) -> str:
    """Version, the beginning of its checksum, and what the registry knows of it."""
    digest = model.sha256[:12] if model.sha256 else "checksum not on record"
    run = f"run {model.training_run}" if model.training_run else None
    data = f"data {model.snapshot[:12]}" if model.snapshot else None
    return " · ".join(one for one in (model.version, digest, model.licence, model.stage, run, data) if one)


def _say(part: object) -> str:
    if isinstance(part, Mapping):
        return ", ".join(f"{name} {value}" for name, value in part.items())
    if isinstance(part, (tuple, list)):
        return ", ".join(map(str, part))
    return "not on record" if part is None else str(part)
