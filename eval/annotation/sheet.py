"""The page that shows annotators what they are asked: faces by number, nothing of what the product thinks.

It holds everything that it shows: no script, no outside resource.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from eval.annotation.items import Kind

QUESTIONS = {
    Kind.FACES: "Is the first face the same person as the others?",
    Kind.PAIRS: "Are these two faces the same person?",
    Kind.CLUSTERS: "Are all of these faces one person? If not, which numbers are somebody else, or no face?",
}
ANSWERS = {
    Kind.FACES: "yes, no, unsure or not_a_face",
    Kind.PAIRS: "yes, no, unsure or not_a_face",
    Kind.CLUSTERS: "yes, no or unsure; with no, the numbers of the odd ones as 3 7 in the column odd",
}


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One item by its number in the CSV; faces: the JPEG of each, None where it can't be shown any more."""

    number: int
    faces: Sequence[bytes | None]


def render_items(items: Sequence[SheetItem], kind: Kind, *, title: str) -> str:
    """The page, HTML."""
    environment = Environment(
        loader=PackageLoader("eval.annotation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["b64"] = lambda data: b64encode(data).decode("ascii")
    template = environment.get_template("sheet.html.j2")
    return template.render(
        items=items, title=title, question=QUESTIONS[kind], answers=ANSWERS[kind], first_asked=kind is Kind.FACES
    )
