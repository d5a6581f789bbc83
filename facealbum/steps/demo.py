"""The demo: the whole main job on the bundled portraits, on embedded defaults, in a data folder of its own."""

from dataclasses import dataclass
from pathlib import Path

from eval.report import PersonSection
from facealbum.demo.album import FAMILY, build_demo_album
from facealbum.domain.months import Month
from facealbum.linking import LinkParameters
from facealbum.settings import Settings
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Progress, open_context
from facealbum.steps.imports import import_manifests
from facealbum.steps.report import write_report

EVERYBODY_REGISTERED = ArmPlan(linking=LinkParameters(prior_child=0.98, prior_adult=0.0))
"""In the demo grown-ups stand in for the registered children, and there is no other grown-up.  A real family's default
expects that a grown-up is not one of the children, and would leave them unlinked."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who was found; `child` and `probability` are None for who is no registered child."""

    label: str
    child: str | None
    probability: float | None
    faces: int
    first: str
    last: str
    mean_age: float | None


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the main job made of the demo album; `changes` is 0 when it was made before."""

    photos: int
    months: int
    faces: int
    waiting: int
    changes: int
    people: tuple[DemoPerson, ...]
    page: str


def run_demo(directory: Path, *, settings: Settings, progress: Progress) -> DemoResult:
    """Build the album below `directory`, run the main job, write the page.

    An external database or object store of the settings is left alone: the demo never mixes with real families.
    """
    directory = directory.absolute()
    apart = settings.model_copy(update={"data": directory / "data", "database_url": None, "object_store": None})
    progress.begin("Building the album", 1)
    album = build_demo_album(directory / "album")
    last = Month.of(max(photo.taken_at for photo in album.photos))
    page = directory / "demo.html"
    with open_context(apart, progress=progress) as context:
        import_manifests(context, album.photos_csv, album.families_csv)
        analyze_pending(context)
        clustered = cluster_families(context, last, arm=EVERYBODY_REGISTERED)
        report = write_report(context, page, family=FAMILY)
    return DemoResult(
        photos=len(album.photos),
        months=len({Month.of(photo.taken_at) for photo in album.photos}),
        faces=report.faces,
        waiting=report.waiting,
        changes=clustered.changes,
        people=tuple(_found(person) for person in report.people),
        page=str(page),
    )


def _found(person: PersonSection) -> DemoPerson:
    return DemoPerson(
        label=person.label,
        child=person.child,
        probability=person.link_probability,
        faces=person.faces,
        first=str(person.first),
        last=str(person.last),
        mean_age=None if person.mean_age is None else round(person.mean_age, 1),
    )
