"""A family that is deleted leaves every data set: what was made of them goes, and it is known which models learnt."""

from pathlib import Path

import pytest

from facealbum.domain.ids import FamilyId
from facealbum.errors import ChangedMeanwhileError, InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family, register_family
from facealbum.steps.registry import NewModel, register_model
from facealbum.steps.snapshots import (
    expect_whole,
    open_outputs,
    read_snapshot,
    record_snapshot,
    sweep_outputs,
    trained_with,
)


def family(context: Context, name: str) -> FamilyId:
    return register_family(context, name)[0].family_id


def collect(context: Context, *families: FamilyId, content: str) -> str:
    """A data set, and a model made of it, as two outputs in the store; gives the digest."""
    store = open_outputs(context.settings)
    with store.making(f"collect {content}") as draft:
        (draft.out / "data").write_text(content)
        made = store.keep(draft, f"collect {content}", step="collect", data=(), seconds=0, failures=())
    record_snapshot(context, made.digest, query="all", items=3, groups=2, families=families)
    with store.making(f"train {content}", [made.digest]) as draft:
        (draft.out / "model").write_text(f"learnt from {content}")
        store.keep(draft, f"train {content}", step="train", data=[made.digest], seconds=0, failures=())
    return made.digest


def kept(context: Context) -> list[str]:
    return [output.key for output in open_outputs(context.settings).all()]


def test_a_deleted_family_takes_all_that_was_made_of_it_along(context: Context) -> None:
    mori, sato = family(context, "Mori"), family(context, "Sato")
    both = collect(context, mori, sato, content="both")
    collect(context, sato, content="sato")
    collect(context, content="nobody")
    forget_family(context, "Mori")
    assert kept(context) == ["collect nobody", "collect sato", "train nobody", "train sato"]
    assert "both" not in "".join(path.read_text() for path in files(context.settings.data_folder))
    left = read_snapshot(context, both)
    assert (left.families, left.deleted) == (2, 1)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_unfinished_work_with_its_data_goes_too(context: Context) -> None:
    digest = collect(context, family(context, "Mori"), content="mori")
    other = collect(context, family(context, "Sato"), content="sato")
    store = open_outputs(context.settings)
    for key, data in (("of mori", [digest]), ("of sato", [other]), ("of whom it isn't known", [])):
        with store.making(key, data) as draft:
            (draft.scratch / "checkpoint").write_text("half")
    forget_family(context, "Mori")
    assert [path.name for path in (context.settings.data_folder / "pipelines" / "work").iterdir()] == ["of sato"]


def test_it_is_known_which_models_learnt_from_a_family(context: Context) -> None:
    mori, sato = family(context, "Mori"), family(context, "Sato")
    both = collect(context, mori, sato, content="both")
    model = NewModel(
        "calibrator", "ages", b"weights", "Apache-2.0", research_only=False, source="training", snapshot=both
    )
    register_model(context, model)
    assert trained_with(context, mori) == ["ages@1"]
    forget_family(context, "Mori")
    forget_family(context, "Sato")
    assert read_snapshot(context, both).deleted == 2
    assert trained_with(context, mori) == []


def test_data_of_a_family_that_left_meanwhile_are_refused(context: Context) -> None:
    mori, sato = family(context, "Mori"), family(context, "Sato")
    digest = collect(context, mori, sato, content="both")
    expect_whole(context, [digest])
    forget_family(context, "Mori")
    with pytest.raises(ChangedMeanwhileError, match="deleted meanwhile"):
        expect_whole(context, [digest])
    with pytest.raises(ChangedMeanwhileError, match="deleted meanwhile"):
        record_snapshot(context, "new", query="all", items=3, groups=2, families=[mori, sato])
    with pytest.raises(InvalidValueError, match="got 'new'"):
        read_snapshot(context, "new")


def test_outputs_that_a_deletion_elsewhere_could_not_reach_go_with_the_next_sweep(context: Context) -> None:
    digest = collect(context, family(context, "Mori"), content="mori")
    collect(context, content="nobody")
    here, elsewhere = context.settings.data_folder / "pipelines", context.settings.data_folder / "another machine's"
    here.rename(elsewhere)
    forget_family(context, "Mori")
    elsewhere.rename(here)
    assert sweep_outputs(context) == 2
    assert kept(context) == ["collect nobody", "train nobody"]
    assert read_snapshot(context, digest).deleted == 1


def test_the_same_data_set_is_one_record(context: Context) -> None:
    mori = family(context, "Mori")
    digest = collect(context, mori, content="mori")
    first = read_snapshot(context, digest)
    record_snapshot(context, digest, query="all", items=3, groups=2, families=[mori])
    assert read_snapshot(context, digest) == first
