"""The faces behind a report of figures, for a reader who asked to see them: what a metric holds against the albums."""

from collections.abc import Iterator

from eval.annotation import Answer, settle
from eval.metrics import METRICS
from eval.report import pick_evenly
from eval.report.charts import Faces
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.steps.annotation import load_sample
from facealbum.steps.annotation_export import cut_items
from facealbum.steps.context import Context
from facealbum.steps.crops import cut_faces
from facealbum.steps.metric_cases import list_cases, list_families
from facealbum.steps.metrics import MonthSummary, track_metric
from facealbum.storage.labels import load_labels
from facealbum.storage.metric_cases import TRACEABLE
from facealbum.storage.samples import load_face_pictures

_MOST_FAMILIES, _MOST_CASES, _MOST_FACES, _MOST_ITEMS = 3, 4, 8, 24
_USUAL = "breakage"


def load_month_faces(context: Context, summary: MonthSummary) -> Iterator[Faces]:
    """Of each metric that left its limits for the worse, or else of breakage, the families that add most to it."""
    tracked = {metric: track_metric(context, metric, arm=summary.arm) for metric in sorted(TRACEABLE)}
    worse = [
        metric
        for metric, months in tracked.items()
        if METRICS[metric].steady and any(one.worse and one.point.month == summary.month for one in months)
    ]
    for metric in worse or [_USUAL]:
        counts = list_families(context, metric, summary.month, arm=summary.arm, limit=_MOST_FAMILIES)
        rows = [
            (f"family {number}, {caption}", pictures)
            for number, count in enumerate(counts, 1)
            for caption, pictures in _load_cases(context, FamilyId(count.family), metric, summary)
        ]
        yield Faces(f"Behind {METRICS[metric].title}", tuple(rows))


def _load_cases(
    context: Context, family: FamilyId, metric: str, summary: MonthSummary
) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    cases = list_cases(context, metric, summary.month, family, arm=summary.arm)
    for number, case in enumerate(cases[:_MOST_CASES], 1):
        shown = pick_evenly(case.faces, _MOST_FACES)
        pictures = _cut(context, family, shown)
        who = f"person {number}" if case.person_id else "nobody"
        yield f"{who}: {len(pictures)} of {len(case.faces)} faces", pictures


def _cut(context: Context, family: FamilyId, faces: tuple[FaceId, ...]) -> tuple[bytes, ...]:
    with context.database.begin() as transaction:
        seen = load_face_pictures(transaction, family, faces)
    found = {face.face_id: crop for face, crop in cut_faces(context, family, list(seen.values()))}
    return tuple(found[face] for face in faces if face in found)


def load_wrong_items(context: Context, sample: str) -> Iterator[Faces]:
    """The items that annotators answered with no."""
    row, items = load_sample(context, sample)
    with context.database.begin() as transaction:
        answers = settle(load_labels(transaction, row.sample_id))
    wrong = [item for item in items if (one := answers.get(item.item_id)) and one.answer is Answer.NO]
    pictures = cut_items(context, wrong[:_MOST_ITEMS])
    rows = (
        (f"item {number} of {len(wrong)}", tuple(pictures[face] for face in item.faces if face in pictures))
        for number, item in enumerate(wrong[:_MOST_ITEMS], 1)
    )
    yield Faces("Items that were answered with no", tuple(rows))
