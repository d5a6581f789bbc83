"""Samples in the database: drawn over all families, labelled, estimated, and decided when somebody says so."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from eval.annotation import Item, Kind
from facealbum.cli.commands import app
from facealbum.domain.decisions import Kind as Word
from facealbum.domain.ids import FaceId, family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ManifestError, UnknownSampleError
from facealbum.steps.annotation import (
    Wanted,
    ask_again,
    ask_next,
    draw_sample,
    estimate,
    import_labels,
    label_item,
    list_samples,
    load_sample,
    remove_sample,
)
from facealbum.steps.annotation_decisions import decide_sample
from facealbum.steps.annotation_export import PAGE, export_sample
from facealbum.steps.cluster import ArmPlan, cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, list_decisions, record, undo
from facealbum.storage.annotation_schema import labels, sample_items
from facealbum.storage.families import delete_family
from facealbum.storage.schema import assignments, decisions
from tests.conftest import copied, original
from tests.integration.album import FAMILY, add, shots

YEAR = Month(2026, 12)
Truth = dict[FaceId, int]


@pytest.fixture(scope="module")
def truth(server: str, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Of the database `annotation`: three clustered families of four people each, under two arms."""
    known: Truth = {}
    with original(server, "annotation", tmp_path_factory) as world:
        for number, name in enumerate((FAMILY, "Tanaka", "Sato")):
            known |= add(world, shots(months=2, a_month=8, seed=number), family=name)
        cluster_families(world, YEAR)
        cluster_families(world, YEAR, arm=ArmPlan(name="shadow", algorithm="hdbscan"))
    return known


@pytest.fixture
def database_url(server: str, truth: Truth) -> Iterator[str]:
    """A copy of it, which the test may change."""
    assert truth
    with copied(server, "annotation", "annotation_copy") as url:
        yield url


def draw(context: Context, kind: Kind = Kind.FACES, size: int = 60, **more: object) -> list[Item]:
    draw_sample(context, Wanted("first", kind, size, 7, **more))  # type: ignore[arg-type]
    return load_sample(context, "first")[1]


def answer_of(kind: Kind, item: Item, truth: Truth) -> tuple[str, tuple[int, ...]]:
    """What somebody who knows says; the person is whom most of the faces shown are."""
    shown = [truth[face] for face in item.faces]
    person = max(set(shown), key=shown.count)
    if kind is Kind.CLUSTERS:
        odd = tuple(number for number, one in enumerate(shown, 1) if one != person)
        return ("no" if odd else "yes"), odd
    right = shown[0] == shown[1] if kind is Kind.PAIRS else shown[0] == person
    return ("yes" if right else "no"), ()


def label(context: Context, items: list[Item], truth: Truth, kind: Kind = Kind.FACES, annotator: str = "ann") -> None:
    for item in items:
        said, odd = answer_of(kind, item, truth)
        label_item(context, "first", item.item_id, annotator=annotator, answer=said, odd=odd)


@pytest.mark.parametrize("kind", Kind)
def test_a_sample_is_drawn_labelled_and_estimated(context: Context, truth: Truth, kind: Kind) -> None:
    items = draw(context, kind, 100, arms=("default", "shadow"))
    (row,) = list_samples(context)
    assert (row.families, row.items, row.labelled) == (3, len(items), 0)
    assert sum(one.drawn for one in row.strata) == len(items)
    label(context, items, truth, kind)
    found = estimate(context, "first")
    assert {(one.measure, one.arm) for one in found.figures} >= {
        (measure, arm)
        for measure in {
            Kind.FACES: ("assignment_precision",),
            Kind.PAIRS: ("pairwise_precision", "pairwise_recall"),
            Kind.CLUSTERS: ("cluster_precision", "pure_clusters"),
        }[kind]
        for arm in ("default", "shadow")
    }
    assert all(one.estimate.value is not None and one.estimate.value > 0.8 for one in found.figures)
    assert json.loads(json.dumps(found.to_dict()))["drawn"] == len(items)


def test_each_annotator_is_asked_every_item_once_whatever_others_said(context: Context, truth: Truth) -> None:
    items = [item.item_id for item in draw(context, size=12)]
    label(context, [load_sample(context, "first")[1][0]], truth, annotator="ben")
    asked: list[UUID] = []
    while (question := ask_next(context, "first", annotator="ann")).item:
        assert question.answered == len(asked)
        asked.append(question.item.item_id)
        label_item(context, "first", asked[-1], annotator="ann", answer="unsure")
    assert asked == items == sorted(items)
    assert ask_next(context, "first", annotator="ben").item.item_id == items[1]  # type: ignore[union-attr]


def test_an_item_that_is_skipped_comes_last_and_an_answer_can_be_looked_at_again(
    context: Context, truth: Truth
) -> None:
    assert truth
    items = [item.item_id for item in draw(context, size=12)]
    after = [ask_next(context, "first", annotator="ann", after=skipped).item for skipped in (items[0], items[-1])]
    assert [item and item.item_id for item in after] == [items[1], items[0]]
    label_item(context, "first", items[3], annotator="ann", answer="no")
    again = ask_again(context, "first", items[3], annotator="ann")
    assert again.said is not None
    assert (again.said.answer, again.answered) == ("no", 1)
    assert ask_again(context, "first", items[3], annotator="ben").said is None
    with pytest.raises(InvalidValueError, match="no item"):
        ask_again(context, "first", UUID(int=1), annotator="ann")


def test_the_population_is_every_assigned_face_of_people_with_several(context: Context, truth: Truth) -> None:
    draw(context, size=10_000)
    (row,) = list_samples(context)
    with context.database.begin() as transaction:
        counted = select(func.count().label("faces")).group_by(assignments.c.arm_id, assignments.c.person_id)
        several = counted.having(func.count() > 1).where(assignments.c.arm_id == 1).subquery()
        assert row.items == transaction.execute(select(func.sum(several.c.faces))).scalar_one() <= len(truth)


def test_a_month_holds_its_own_faces_only(context: Context, truth: Truth) -> None:
    assert truth
    whole = len(draw(context, size=10_000))
    remove_sample(context, "first")
    first = len(draw(context, size=10_000, month=Month(2026, 1)))
    remove_sample(context, "first")
    assert 0 < first < whole
    with pytest.raises(InvalidValueError, match="nothing to draw"):
        draw(context, month=Month(2020, 1))


def test_a_name_is_taken_once_and_arms_must_have_run(context: Context, truth: Truth) -> None:
    assert truth
    draw(context)
    with pytest.raises(InvalidValueError, match="'first' already"):
        draw(context)
    with pytest.raises(InvalidValueError, match="'nobody' never did"):
        draw_sample(context, Wanted("second", Kind.FACES, 10, 0, ("nobody",)))
    with pytest.raises(UnknownSampleError):
        estimate(context, "third")


def test_labels_of_a_file_are_taken_in_all_or_none_and_once(context: Context, truth: Truth, tmp_path: Path) -> None:
    items = {item.item_id: item for item in draw(context)}
    sheet = tmp_path / "sheet.csv"
    assert export_sample(context, "first", sheet).items == len(items)
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not {"arm", "stratum", "person"} & set(rows[0])
    for row in rows:
        row["answer"] = answer_of(Kind.FACES, items[UUID(row["item"])], truth)[0]
    rows[3]["answer"], rows[5]["answer"] = "", "perhaps"
    write(sheet, rows)
    with pytest.raises(ManifestError, match="line 7: an answer must be one of"):
        import_labels(context, sheet, annotator="ann")
    assert list_samples(context)[0].labelled == 0
    rows[5]["answer"] = "Unsure"
    write(sheet, rows)
    assert import_labels(context, sheet, annotator="ann") == len(rows) - 1
    assert import_labels(context, sheet, annotator="ann") == 0
    rows[5]["answer"] = "yes"
    write(sheet, rows)
    assert import_labels(context, sheet, annotator="ann") == 1
    assert estimate(context, "first").answered == len(rows) - 1


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("kind", Kind)
def test_labels_become_decisions_only_when_somebody_says_so_and_once(
    context: Context, truth: Truth, kind: Kind
) -> None:
    items = draw(context, kind, 40)
    label(context, items, truth, kind)
    assert list_decisions(context, FAMILY) == []
    told = decide_sample(context, "first", author="ann")
    made = [one for one in told if one.number]
    assert len(told) == len(items)
    assert made
    assert {one.family for one in told} == {FAMILY, "Tanaka", "Sato"}
    assert decide_sample(context, "first", author="ann") == [
        one for one in decide_sample(context, "first", author="ann") if one.reason
    ]
    here = sorted(one.number or 0 for one in made if one.family == FAMILY)
    assert [one.number for one in list_decisions(context, FAMILY)] == here
    undo(context, FAMILY, here[-1], author="ben")
    decide_sample(context, "first", author="ann")
    assert [one.number for one in list_decisions(context, FAMILY) if one.undone_at is None] == here[:-1]


def test_a_label_that_can_not_be_carried_out_is_told_and_the_others_are(context: Context, truth: Truth) -> None:
    items = draw(context, Kind.PAIRS, 60)
    label(context, items, truth, Kind.PAIRS)
    none = items[0].faces[0]
    with context.database.begin() as transaction:
        said = Said(Word.NOT_A_FACE, (str(none),))
        record(transaction, items[0].family_id, said, author="eve", now=context.clock())
    told = {one.item_id: one for one in decide_sample(context, "first", author="ann")}
    for item in items:
        if none in item.faces:
            assert "no face" in (told[item.item_id].reason or "")
        else:
            assert told[item.item_id].number or told[item.item_id].reason
    assert sum(one.number is not None for one in told.values()) > 0.9 * len(items)


def test_deleting_a_family_takes_its_items_and_labels_and_leaves_a_concluded_estimate(
    context: Context, truth: Truth
) -> None:
    items = draw(context)
    label(context, items, truth)
    found = estimate(context, "first", conclude=True)
    with context.database.begin() as transaction:
        assert delete_family(transaction, family_id("Tanaka"))
        for table in (sample_items, labels):
            left = select(func.count()).where(table.c.family_id == family_id("Tanaka"))
            assert transaction.execute(left).scalar_one() == 0
    (row,) = list_samples(context)
    assert row.estimate == json.loads(json.dumps(found.to_dict()))
    assert row.items < len(items)
    with pytest.raises(InvalidValueError, match="concluded before"):
        estimate(context, "first", conclude=True, min_response=0)


def test_crops_that_can_not_be_made_are_counted_and_shown_as_gone(
    context: Context, truth: Truth, tmp_path: Path
) -> None:
    assert truth
    items = draw(context, Kind.PAIRS, 60)
    done = export_sample(context, "first", tmp_path / "sheet.csv", crops=tmp_path / "crops")
    assert done.unseen == 2 * len(items)
    page = (tmp_path / "crops" / PAGE).read_text(encoding="utf-8")
    assert page.count("<section>") == len(items)
    assert page.count("gone</span>") == done.unseen
    with pytest.raises(InvalidValueError, match="empty folder"):
        export_sample(context, "first", tmp_path / "sheet.csv", crops=tmp_path / "crops")


def test_the_command_line_goes_all_the_way(
    context: Context, truth: Truth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def here() -> Iterator[Context]:
        yield context

    monkeypatch.setattr("facealbum.cli.annotation.open_world", here)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["sample", *words], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    sheet = tmp_path / "sheet.csv"
    drawn = json.loads(run("draw", "first", "--kind", "faces", "--size", "40", "--strata", "band,age", "--json"))
    assert (drawn["design"]["seed"], drawn["families"]) == (0, 3)
    run("export", "first", str(sheet))
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {str(item.item_id): item for item in load_sample(context, "first")[1]}
    for row in rows:
        row["answer"] = answer_of(Kind.FACES, known[row["item"]], truth)[0]
    write(sheet, rows)
    assert "40 labels new or changed" in run("label", "import", str(sheet), "--annotator", "ann")
    rows[0]["answer"] = "unsure"
    write(sheet, rows)
    run("label", "import", str(sheet), "--annotator", "ben")
    text = run("estimate", "first", "--arbiter", "ann", "--conclude")
    assert "precision" in text
    assert "kappa" in text
    told = json.loads(run("estimate", "first", "--arbiter", "ann", "--json"))
    assert told["disputed"] == 1
    assert "40 decisions" in run("decide", "first", "--author", "ann", "--arbiter", "ann")
    assert json.loads(run("list", "--json"))[0]["labelled"] == 40
    assert "first" in run("list")
    run("delete", "first")
    assert json.loads(run("list", "--json")) == []
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.count()).select_from(decisions)).scalar_one() == 40
