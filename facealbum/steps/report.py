"""The page that shows each family's albums and figures, with the faces cut out of the originals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.report import (
    AlbumReport,
    FaceCrop,
    FamilyReport,
    PersonSection,
    Problem,
    RunRow,
    WaitingFaces,
    pick_evenly,
    render_report,
)
from facealbum.clustering import Rate
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.birth_dates import load_doubted_births
from facealbum.steps.context import Context
from facealbum.steps.crops import cut_faces
from facealbum.steps.link_parameters import packaged_link_parameters
from facealbum.steps.whole_file import whole_file
from facealbum.storage.database import Transaction
from facealbum.storage.exports import ExportedFace, load_exported_faces
from facealbum.storage.families import Family, load_children, load_families
from facealbum.storage.figures import MonthFigures, RunFigures, load_month_figures, load_run_figures
from facealbum.storage.observations import load_arm
from facealbum.storage.photos import load_problems
from facealbum.storage.serving import load_served_arm

Period = tuple[Month | None, Month | None]
_CROPS_OF_A_PERSON = 24
_CROPS_WAITING = 48


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What the page shows."""

    families: int
    persons: int
    faces: int
    waiting: int
    people: tuple[PersonSection, ...]


@dataclass(frozen=True, slots=True)
class _FamilyFacts:
    """What the database says of one family within the period."""

    family: Family
    children: tuple[str, ...]
    faces: list[ExportedFace]
    runs: list[RunFigures]
    months: Mapping[Month, MonthFigures]
    problems: tuple[Problem, ...]
    questions: Mapping[str, str]


def write_report(
    context: Context, out: Path, *, family: str | None = None, period: Period = (None, None)
) -> ReportResult:
    """Write the page; raises UnknownFamilyError, and InvalidValueError for a period that ends before it starts."""
    if period[0] and period[1] and period[1] < period[0]:
        raise InvalidValueError(f"--to must not be before --from, got {period[0]} to {period[1]}")
    facts = _load(context, family, period)
    context.progress.begin("Cutting out faces", len(facts))
    reports = []
    for one in facts:
        reports.append(_family_report(context, one))
        context.progress.advance()
    months = [month for one in facts for month in one.months]
    page = AlbumReport(
        title="facealbum",
        generated_at=context.clock(),
        period=(period[0] or min(months), period[1] or max(months)) if any(period) and months else None,
        families=tuple(reports),
        problems=tuple(problem for one in facts for problem in one.problems),
    )
    with whole_file(out) as partial:
        partial.write_text(render_report(page), encoding="utf-8", newline="")
    people = tuple(person for report in reports for person in report.persons)
    waiting = sum(report.waiting.total for report in reports)
    return ReportResult(len(reports), len(people), sum(len(one.faces) for one in facts), waiting, people)


def _load(context: Context, name: str | None, period: Period) -> list[_FamilyFacts]:
    with context.database.begin() as transaction:
        return [_load_family(context, transaction, family, period) for family in load_families(transaction, name)]


def _load_family(context: Context, transaction: Transaction, family: Family, period: Period) -> _FamilyFacts:
    identity, arm = family.family_id, load_served_arm(transaction, family.family_id)
    faces = load_exported_faces(transaction, identity, arm)
    months = load_month_figures(transaction, identity, arm)
    return _FamilyFacts(
        family,
        tuple(child.name for child in load_children(transaction, identity)),
        [face for face in faces if _within(Month.of(face.taken_at), period)],
        [run for run in load_run_figures(transaction, identity, arm) if _within(run.month, period)],
        {month: figures for month, figures in months.items() if _within(month, period)},
        tuple(
            Problem(f"{problem.family}/{problem.photo}", problem.code, problem.detail)
            for problem in load_problems(transaction, identity)
        ),
        _load_questions(context, transaction, family, arm),
    )


def _load_questions(context: Context, transaction: Transaction, family: Family, name: str) -> dict[str, str]:
    arm = load_arm(transaction, name)
    doubts = load_doubted_births(context, transaction, family, arm, packaged_link_parameters()) if arm else ()
    return {doubt.child: doubt.sentence for doubt in doubts}


def _within(month: Month, period: Period) -> bool:
    first, last = period
    return (first is None or first <= month) and (last is None or month <= last)


def _family_report(context: Context, facts: _FamilyFacts) -> FamilyReport:
    by_person: dict[str, list[ExportedFace]] = defaultdict(list)
    waiting: list[ExportedFace] = []
    for face in sorted(facts.faces, key=lambda face: (face.taken_at, face.photo_key)):
        (by_person[face.person] if face.person else waiting).append(face)
    shown = {person: pick_evenly(faces, _CROPS_OF_A_PERSON) for person, faces in by_person.items()}
    shown_waiting = pick_evenly(waiting, _CROPS_WAITING)
    everything = [face for faces in (*shown.values(), shown_waiting) for face in faces]
    crops = _cut(context, facts.family.family_id, everything)
    ordered = sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0]))
    persons = tuple(
        _person(f"Person {number}", faces, [crops[id(face)] for face in shown[person] if id(face) in crops])
        for number, (person, faces) in enumerate(ordered, 1)
    )
    left = tuple(crops[id(face)] for face in shown_waiting if id(face) in crops)
    return FamilyReport(
        facts.family.name,
        facts.children,
        persons,
        WaitingFaces(len(waiting), left),
        tuple(_rows(facts)),
        facts.questions,
    )


def _person(label: str, faces: Sequence[ExportedFace], crops: Iterable[FaceCrop]) -> PersonSection:
    ages = [face.age for face in faces if face.age is not None]
    return PersonSection(
        label=faces[0].child or label,
        child=faces[0].child,
        link_probability=faces[0].probability,
        months=tuple(sorted({Month.of(face.taken_at) for face in faces})),
        faces=len(faces),
        first=faces[0].taken_at.date(),
        last=faces[-1].taken_at.date(),
        mean_age=sum(ages) / len(ages) if ages else None,
        crops=tuple(crops),
        provisional=sum(face.provisional for face in faces),
    )


def _cut(context: Context, family: FamilyId, faces: Sequence[ExportedFace]) -> dict[int, FaceCrop]:
    """The picture of each face by the identity of its value; an upload that can't be read any more gives none."""
    return {
        id(face): FaceCrop(crop, face.taken_at, face.age, face.detector_score, face.photo_key)
        for face, crop in cut_faces(context, family, faces)
    }


def _rows(facts: _FamilyFacts) -> Iterable[RunRow]:
    """One row a month that ran: its last run's breakage, and its photos' faces as they stand now."""
    last_runs = {run.month: run for run in facts.runs}
    persons = 0
    for month, run in sorted(last_runs.items()):
        persons += sum(one.persons_created for one in facts.runs if one.month == month)
        now = facts.months.get(month, MonthFigures(0, 0, 0))
        yield RunRow(
            month=month,
            new=now.faces,
            assigned=now.assigned,
            waiting=now.faces - now.assigned,
            persons=persons,
            association=Rate(now.linked, now.faces if facts.children else 0),
            labels=run.labels,
            mixing=run.mixing,
            disappearance=run.disappearance,
            splitting=run.splitting,
            broken=run.broken,
        )
