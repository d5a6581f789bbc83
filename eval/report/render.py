"""Turns an AlbumReport into one HTML file: no script, no outside resource, every name escaped.

The same report gives the same bytes.  To keep the file small enough for a phone, a person shows a sample of faces
that is even over time, and the page says how many there are; figures always count all.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from eval.report import words
from eval.report.page import AlbumReport, FaceCrop, FamilyReport, PersonSection
from eval.report.trends import build_trends

MOST_OF_CHILD = 48
MOST_OF_OTHER = 18
MOST_WAITING = 48
MOST_PROBLEMS = 200
OPEN_OTHERS = 12  # people shown at once; the rest unfold


@dataclass(frozen=True, slots=True)
class _Child:
    """A registered child and the persons linked to it, none if it was not found."""

    name: str
    persons: tuple[PersonSection, ...]

    @property
    def cover(self) -> FaceCrop | None:
        """The clearest picture that stands for the child."""
        crops = [crop for person in self.persons for crop in person.crops]
        return max(crops, key=lambda crop: (crop.score, crop.taken_at), default=None)

    @property
    def faces(self) -> int:
        """Faces of all persons linked to the child."""
        return sum(person.faces for person in self.persons)


def render_report(report: AlbumReport) -> str:
    """The whole page."""
    families = report.families
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            people=sum(len(family.persons) for family in families),
            children=sum(len(family.children) for family in families),
            faces=sum(person.faces for family in families for person in family.persons),
            waiting=sum(family.waiting.total for family in families),
        )
    )


def new_environment() -> Environment:
    """Where the templates of this package are, and how they are read."""
    return Environment(
        loader=PackageLoader("eval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _environment() -> Environment:
    environment = new_environment()
    environment.filters.update(
        {
            name: getattr(words, name)
            for name in ("age", "count", "day", "evidence", "month", "number", "percent", "pick_evenly", "probability")
        }
        | {"children_of": _children_of, "others_of": _others_of, "trends": build_trends, "data_uri": data_uri}
    )
    environment.globals.update(
        span=words.span,
        most_of_child=MOST_OF_CHILD,
        most_of_other=MOST_OF_OTHER,
        most_waiting=MOST_WAITING,
        most_problems=MOST_PROBLEMS,
        open_others=OPEN_OTHERS,
    )
    return environment


def _children_of(family: FamilyReport) -> Sequence[_Child]:
    """Every registered child, in the family's order, and then any linked name that the family no longer lists."""
    linked = [person.child for person in family.persons if person.child is not None]
    return [
        _Child(name, tuple(person for person in family.persons if person.child == name))
        for name in dict.fromkeys((*family.children, *linked))
    ]


def _others_of(family: FamilyReport) -> Sequence[PersonSection]:
    """People who are no registered child, those with most faces first."""
    others = [person for person in family.persons if person.child is None]
    return sorted(others, key=lambda person: (-person.faces, person.first, person.label))


def data_uri(image: bytes) -> str:
    """The JPEG as an address that holds it."""
    return f"data:image/jpeg;base64,{b64encode(image).decode('ascii')}"
