"""Correcting an album by hand: decide, decisions and persons."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, open_world, say_result, short_id
from facealbum.domain.decisions import Kind
from facealbum.domain.people import Gender

if TYPE_CHECKING:
    from facealbum.steps.correct import Decided

app = typer.Typer()
decisions = typer.Typer(help="List what users decided, or take a decision back.", no_args_is_help=True)
persons = typer.Typer(help="List people and faces with their ids.", no_args_is_help=True)
app.add_typer(decisions, name="decisions")
app.add_typer(persons, name="persons")

Family = Annotated[str, typer.Option("--family", help="The family.")]
Author = Annotated[str, typer.Option("--author", help="Who decides this.")]


@app.command()
def decide(  # noqa: PLR0913, PLR0917 - an option for each part of what is said
    kind: Annotated[Kind, typer.Argument(help="What is said; see docs/decisions.md.")],
    family: Family,
    face: Annotated[list[str] | None, typer.Option("--face", help="A face; may be given more than once.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="The person it is about.")] = None,
    other: Annotated[str | None, typer.Option("--other", help="The other person: of move, merge, different.")] = None,
    child: Annotated[str | None, typer.Option("--child", help="A registered child, by name or id.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What the person is called.")] = None,
    age: Annotated[float | None, typer.Option("--age", help="The faces' age in years.")] = None,
    gender: Annotated[Gender | None, typer.Option("--gender", help="The faces' gender: female or male.")] = None,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Say what is right: it holds at once and for every later run. Ids may be cut short."""
    from facealbum.steps.correct import Said, decide

    with open_world() as context:
        said = Said(kind, tuple(face or ()), person, other, child, name, age, gender)
        done = decide(context, family, said, author=author)
    made = f"; the new person is {short_id(done.new_person)}" if done.new_person else ""
    left = f", {count_of(done.faces_left, 'face')} left to wait for the next run" if done.faces_left else ""
    changed = count_of(done.changed, "row")
    say_result(asdict(done), f"decision {done.number}: {changed} changed{left}{made}", as_json=as_json)


@decisions.command("list")
def decisions_list(family: Family, as_json: Json = False) -> None:
    """Every decision with its number."""
    from facealbum.steps.correct import list_decisions

    with open_world() as context:
        found = list_decisions(context, family)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    console.table(
        "",
        ("number", "kind", "about", "author", "decided", ""),
        [(one.number, one.kind, _about(one), one.author, one.decided_at.date(), _state(one)) for one in found],
    )


@decisions.command("undo")
def decisions_undo(
    number: Annotated[int, typer.Argument(help="As `facealbum decisions list` shows it.")],
    family: Family,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Take a decision back: everything that it changed is as it was before."""
    from facealbum.steps.correct import undo

    with open_world() as context:
        changed = undo(context, family, number, author=author)
    say_result(
        {"number": number, "changed": changed},
        f"decision {number} is undone: {count_of(changed, 'row')} as before",
        as_json=as_json,
    )


@persons.command("list")
def persons_list(family: Family, as_json: Json = False) -> None:
    """Everybody in the family's photos."""
    from facealbum.steps.correct import list_persons

    with open_world() as context:
        found = list_persons(context, family)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    rows = [
        (short_id(one.person_id), one.name or "", one.child or "", one.faces, one.first.date(), one.last.date(),
         "hidden" if one.hidden else "")
        for one in found
    ]  # fmt: skip
    console.table("", ("person", "name", "child", "faces", "first", "last", ""), rows)


@persons.command("faces")
def persons_faces(
    family: Family,
    person: Annotated[str | None, typer.Argument(help="A person; without it the faces of nobody.")] = None,
    photo: Annotated[str | None, typer.Option("--photo", help="Only of this photo; without a person, all.")] = None,
    as_json: Json = False,
) -> None:
    """The faces of a person, or those that belong to nobody, or all of a photo."""
    from facealbum.steps.correct import list_faces

    with open_world() as context:
        found = list_faces(context, family, person, photo=photo)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    rows = [
        (
            short_id(one.face_id),
            "" if one.person_id is None else short_id(one.person_id),
            one.photo,
            one.taken_at.date(),
            " ".join(f"{value:.0f}" for value in one.box),
            f"{one.quality:.2f}",
        )
        for one in found
    ]
    console.table("", ("face", "person", "photo", "taken", "left top right bottom", "quality"), rows)


def _about(one: "Decided") -> str:
    """Whom and what a decision names, ids cut short."""
    named = [short_id(value) for value in (one.person, one.other) if value is not None]
    faces = [f"{len(one.faces)} faces"] if len(one.faces) > 2 else [short_id(face) for face in one.faces]  # noqa: PLR2004
    more = [one.name, one.child and short_id(one.child), None if one.age is None else f"{one.age:g} years", one.gender]
    return ", ".join([*faces, *named, *(part for part in more if part)])


def _state(one: "Decided") -> str:
    """What became of the decision; nothing where it holds as it was said."""
    if one.undone_by is not None:
        return f"undone by {one.undone_by}"
    gone = f"{one.faces_gone} of {count_of(len(one.faces), 'face')} gone" if one.faces_gone else ""
    return gone if one.holds else f"over, {gone}"
