"""A sample for annotators: a CSV to fill in, and if asked the faces as files and on one page.

They tell neither arm, person nor stratum, and their order is by chance, so nothing suggests an answer.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from eval.annotation import Item
from eval.annotation.sheet import QUESTIONS, SheetItem, render_items
from facealbum.domain.ids import FaceId
from facealbum.errors import InvalidValueError
from facealbum.steps.annotation import load_sample
from facealbum.steps.context import Context
from facealbum.steps.crops import cut_faces
from facealbum.steps.whole_file import whole_file
from facealbum.storage.samples import load_face_pictures

COLUMNS = ("sample", "number", "item", "question", "answer", "odd")
PAGE = "items.html"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """How many items there are, and how many of their faces can't be shown any more."""

    items: int
    unseen: int = 0


def export_sample(context: Context, name: str, out: Path, *, crops: Path | None = None) -> ExportResult:
    """Write the CSV, and with `crops` each face and the page that shows them to a new or empty folder.

    Raises UnknownSampleError, and InvalidValueError for places that can't be written to.
    """
    row, items = load_sample(context, name)
    with whole_file(out) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, item in enumerate(items, 1):
            writer.writerow((name, number, item.item_id, QUESTIONS[row.design.kind], "", ""))
    if crops is None:
        return ExportResult(len(items))
    if crops.is_file() or (crops.is_dir() and any(crops.iterdir())):
        raise InvalidValueError(f"--crops must be a new or empty folder, got {crops}")
    crops.mkdir(parents=True, exist_ok=True)
    pictures = cut_items(context, items)
    shown = [SheetItem(number, [pictures.get(face) for face in item.faces]) for number, item in enumerate(items, 1)]
    for one in shown:
        for place, face in enumerate(one.faces, 1):
            if face:
                (crops / f"{one.number:05d}-{place:02d}.jpg").write_bytes(face)
    (crops / PAGE).write_text(render_items(shown, row.design.kind, title=name), encoding="utf-8", newline="")
    return ExportResult(len(items), sum(face is None for one in shown for face in one.faces))


def cut_items(context: Context, items: Sequence[Item]) -> Mapping[FaceId, bytes]:
    """The square JPEG of each face of the items that can still be seen."""
    found: dict[FaceId, bytes] = {}
    context.progress.begin("Cutting out faces", len(items))
    for family, group in groupby(sorted(items, key=lambda item: item.family_id), key=lambda item: item.family_id):
        its = list(group)
        with context.database.begin() as transaction:
            seen = load_face_pictures(transaction, family, sorted({face for item in its for face in item.faces}))
        found |= {face.face_id: crop for face, crop in cut_faces(context, family, list(seen.values()))}
        context.progress.advance(len(its))
    return found
