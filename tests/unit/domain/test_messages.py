"""A message reads what it writes, and every form that a queue may hold."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.ids import FamilyId, PhotoId, batch_id
from facealbum.domain.messages import (
    NO_FAMILY,
    AnalyzeFamily,
    ClusterFamily,
    EvaluateBatch,
    Maintain,
    MatchFamily,
    family_of,
)
from facealbum.domain.months import Month
from facealbum.errors import BadMessageError, UnknownVersionError

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"
KINDS = {
    "analyze_family": AnalyzeFamily,
    "match_family": MatchFamily,
    "cluster_family": ClusterFamily,
    "evaluate_batch": EvaluateBatch,
    "maintain": Maintain,
}
Kind = type[AnalyzeFamily | MatchFamily | ClusterFamily | EvaluateBatch | Maintain]
families = st.uuids().map(FamilyId)
months = st.builds(Month, st.integers(1, 9999), st.integers(1, 12))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["version", "family_id"]), inner),
    max_leaves=5,
)


@given(families, months, st.booleans(), st.lists(st.uuids().map(PhotoId), min_size=1).map(tuple), st.text())
def test_a_message_reads_what_it_writes(
    family: FamilyId,
    month: Month,
    again: bool,  # noqa: FBT001 - drawn
    photos: tuple[PhotoId, ...],
    job: str,
) -> None:
    for message in (
        AnalyzeFamily(family, again),
        AnalyzeFamily(family, photo_ids=photos),
        MatchFamily(family),
        ClusterFamily(family, month),
        ClusterFamily(family, month, batch_id(1)),
        EvaluateBatch(batch_id(1)),
        Maintain(job),
    ):
        assert type(message).from_json(json.loads(json.dumps(message.to_json()))) == message


@pytest.mark.parametrize("sample", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_forms_in_the_queues_stay_readable(sample: Path) -> None:
    kind = KINDS[sample.stem.rpartition("_")[0]]
    message = json.loads(sample.read_text(encoding="utf-8"))
    assert kind.from_json(message).to_json() == message
    assert family_of(message) == kind.from_json(message).family_id


def test_every_version_that_is_written_has_a_sample() -> None:
    written = {
        f"{name}_{message.to_json()['version']}"
        for name, messages in {
            "analyze_family": [
                AnalyzeFamily(NO_FAMILY),
                AnalyzeFamily(NO_FAMILY, again=True),
                AnalyzeFamily(NO_FAMILY, photo_ids=(PhotoId(NO_FAMILY),)),
            ],
            "match_family": [MatchFamily(NO_FAMILY)],
            "cluster_family": [
                ClusterFamily(NO_FAMILY, Month(2026, 10)),
                ClusterFamily(NO_FAMILY, Month(2026, 10), batch_id(1)),
            ],
            "evaluate_batch": [EvaluateBatch(batch_id(1))],
            "maintain": [Maintain(), Maintain("reconcile")],
        }.items()
        for message in messages
    }
    assert written == {path.stem for path in GOLDEN.glob("*.json")}


@given(anything)
@pytest.mark.parametrize("kind", KINDS.values())
def test_anything_else_is_refused_and_nothing_else_happens(kind: Kind, message: object) -> None:
    if message == Maintain().to_json() and kind is Maintain:
        return
    with pytest.raises(BadMessageError):
        kind.from_json(message)
    assert isinstance(family_of(message), UUID)


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_message_of_a_newer_release_is_told_apart(kind: Kind) -> None:
    with pytest.raises(UnknownVersionError):
        kind.from_json({"version": 99, "family_id": "1e3b8ae3-90f6-55d5-8a0e-6a6f5ac8d4c1"})


def test_a_wrong_message_is_told_without_its_values() -> None:
    with pytest.raises(BadMessageError) as raised:
        ClusterFamily.from_json({"version": 1, "family_id": "Hana", "through": "Mori"})
    assert "Hana" not in str(raised.value)
    assert "Mori" not in str(raised.value)


@pytest.mark.parametrize("photos", [[], None, "text", [7], ["x"], {}, [None], [["a"]]])
def test_a_message_about_photos_names_one_at_least_and_nothing_else(photos: object) -> None:
    with pytest.raises(BadMessageError):
        AnalyzeFamily.from_json(
            {"version": 3, "family_id": "1e3b8ae3-90f6-55d5-8a0e-6a6f5ac8d4c1", "photo_ids": photos}
        )
