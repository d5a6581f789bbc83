"""A message reads what it writes, and every form that a queue may hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from workers.messages import AnalyzeFamily, ClusterFamily

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"
families = st.uuids().map(FamilyId)
months = st.builds(Month, st.integers(1, 9999), st.integers(1, 12))


@given(families, months)
def test_a_message_reads_what_it_writes(family: FamilyId, month: Month) -> None:
    for message in (AnalyzeFamily(family), ClusterFamily(family, month)):
        assert type(message).from_json(json.loads(json.dumps(message.to_json()))) == message


@pytest.mark.parametrize(("name", "kind"), [("analyze_family_1", AnalyzeFamily), ("cluster_family_1", ClusterFamily)])
def test_forms_in_the_queues_stay_readable(name: str, kind: type[AnalyzeFamily | ClusterFamily]) -> None:
    sample = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert kind.from_json(sample).to_json() == sample


@pytest.mark.parametrize("message", [{}, {"version": 2, "family_id": "x"}, {"version": 1}, {"version": 1, "a": 1}])
def test_anything_else_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        AnalyzeFamily.from_json(message)
