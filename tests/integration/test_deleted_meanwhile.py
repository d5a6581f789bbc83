"""A family or photo that is deleted while others work on it stops nobody, and leaves nothing behind."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from facealbum import demo
from facealbum.domain.ids import FamilyId, family_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.photos import PendingPhoto
from facealbum.metrics import REGISTRY
from facealbum.steps import analyze_batch as batches
from facealbum.steps import cluster
from facealbum.steps.analyst import Outcome, Setup, analyse_upload
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.analyze_batch import analyze_batch
from facealbum.steps.cluster import cluster_families, load_months
from facealbum.steps.context import Context, NoProgress
from facealbum.steps.families import forget_family
from facealbum.steps.imports import import_folder
from facealbum.steps.photos import forget_photo
from facealbum.storage.tables import metadata
from tests.integration.album import add, shots

PORTRAITS = sorted((Path(demo.__file__).parent / "portraits").glob("*.jpg"))


@dataclass
class DeletingFamily(NoProgress):
    """Somebody who deletes the family as soon as the first part is done."""

    context: Context
    family: str
    parts: int = 0

    def advance(self, parts: int = 1) -> None:
        """One more part is done."""
        self.parts += parts
        if self.parts == 1:
            forget_family(self.context, self.family)


def rows_of(context: Context, family: str) -> dict[str, int]:
    """How many rows each table has of the family."""
    found = {}
    with context.database.begin() as transaction:
        for table in metadata.tables.values():
            if "family_id" in table.c:
                query = select(func.count()).select_from(table).where(table.c.family_id == family_id(family))
                found[table.name] = transaction.execute(query).scalar_one()
    return {name: rows for name, rows in found.items() if rows}


def test_an_analysis_goes_on_with_the_families_that_are_there(context: Context, tmp_path: Path) -> None:
    for family, portraits in (("Mori", PORTRAITS[:3]), ("Sato", PORTRAITS[3:5])):
        for portrait in portraits:
            (tmp_path / family).mkdir(exist_ok=True)
            (tmp_path / family / portrait.name).write_bytes(portrait.read_bytes())
        import_folder(context, tmp_path / family, family)
    first = min(("Mori", "Sato"), key=family_id)
    others = {"Mori": 2, "Sato": 3}[first]
    result = analyze_pending(replace(context, progress=DeletingFamily(context, first)), in_process=True)
    assert (result.photos, result.problems) == (1 + others, [])
    assert rows_of(context, first) == {}


def test_a_photo_deleted_while_a_worker_has_it_is_no_failure(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(PORTRAITS[0].read_bytes())
    import_folder(context, tmp_path, "Mori")
    family = family_id("Mori")

    def after_deletion(photo: PendingPhoto, setup: Setup) -> Outcome:
        forget_photo(context, "Mori", "a.jpg")
        return analyse_upload(photo, setup)

    monkeypatch.setattr(batches, "analyse_upload", after_deletion)
    failed = REGISTRY.get_sample_value("facealbum_photos_total", {"outcome": "failed"})
    analyze_batch(context, family, [photo_id(family, "a.jpg")])
    assert REGISTRY.get_sample_value("facealbum_photos_total", {"outcome": "failed"}) == failed
    assert set(rows_of(context, "Mori")) == {"families"}


def test_a_monthly_run_goes_on_with_the_families_that_are_there(context: Context) -> None:
    families = sorted(("Mori", "Sato", "Ito"))
    for family in families:
        add(context, shots(months=2, a_month=4), family=family)
    deleting = DeletingFamily(context, families[1])
    result = cluster_families(replace(context, progress=deleting), Month(2026, 12))
    assert {run.family for run in result.runs} == {families[0], families[2]}
    assert rows_of(context, families[1]) == {}


def test_a_family_deleted_between_its_months_is_left_alone(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    for family in ("Mori", "Sato"):
        add(context, shots(months=2, a_month=4), family=family)

    def then_deleted(connection: Connection, family: FamilyId, last: Month) -> list[Month]:
        months = load_months(connection, family, last)
        if family == family_id("Mori"):
            forget_family(context, "Mori")
        return months

    monkeypatch.setattr(cluster, "load_months", then_deleted)
    result = cluster_families(context, Month(2026, 12))
    assert {run.family for run in result.runs} == {"Sato"}
    assert rows_of(context, "Mori") == {}
