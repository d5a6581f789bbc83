"""A contact sheet: every face of a folder as a small picture with its numbers, on HTML pages of a fixed length.

The pages hold everything they show: no script, no outside resource, every name escaped.  Equal faces give equal
bytes.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from facealbum.domain.faces import Face

PER_PAGE = 500


@dataclass(frozen=True, slots=True, eq=False)
class SheetFace:
    """One face: of which file, the how manieth there, and its square JPEG."""

    file: str
    number: int
    face: Face
    crop: bytes


def render_sheet(
    faces: Sequence[SheetFace], problems: Sequence[str], *, title: str, files: int, names: Sequence[str]
) -> list[str]:
    """One HTML page per name, in this order; `names` are the pages' file names, as many as `count_pages` says.

    files: how many were read; problems: of each of the others its name and why not, below the first page's faces.
    """
    template = _environment().get_template("sheet.html.j2")
    return [
        template.render(
            title=title,
            total=len(faces),
            files=files,
            first=page * PER_PAGE + 1,
            faces=faces[page * PER_PAGE : (page + 1) * PER_PAGE],
            problems=problems if page == 0 else (),
            names=names,
            here=name,
        )
        for page, name in enumerate(names)
    ]


def count_pages(faces: int) -> int:
    """How many pages so many faces fill; one that is empty if there are none."""
    return max(1, -(-faces // PER_PAGE))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("eval.sheet", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["b64"] = lambda data: b64encode(data).decode("ascii")
    return environment
