"""A birth date that the photos contradict is asked about, until it is put right."""

from datetime import date
from pathlib import Path

from facealbum.domain.ids import child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.report import write_report
from facealbum.storage.families import save_child
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, shots

YEAR = Month(2026, 12)
HANA = child_id(FAMILY_ID, "Hana")


def register(context: Context, born: date) -> None:
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, Child(HANA, "Hana", born, Gender.UNKNOWN), now=context.clock())


def photos_of_a_four_year_old() -> list[Shot]:
    return [shot for shot in shots(months=3, a_month=10) if 0 in shot.people]


def test_a_wrong_birth_date_is_asked_about_until_it_is_put_right(context: Context, tmp_path: Path) -> None:
    add(context, photos_of_a_four_year_old())
    register(context, date(2025, 1, 1))
    (doubt,) = cluster_families(context, YEAR).doubted_births[FAMILY]
    assert (doubt.child, doubt.born) == ("Hana", "2025-01-01")
    assert doubt.low <= 3 <= doubt.high
    write_report(context, tmp_path / "report.html")
    assert doubt.sentence in (tmp_path / "report.html").read_text(encoding="utf-8")
    register(context, date(2022, 2, 1))
    assert cluster_families(context, YEAR).doubted_births[FAMILY] == ()
