"""Lineage as PROV-JSON: of the form that W3C's submission asks for, whole, and without names."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from facealbum.domain.lineage import (
    AlbumLineage,
    AnalysisOrigin,
    AnalysisShare,
    DecisionOrigin,
    EmbeddingOrigin,
    EmbeddingShare,
    FaceLineage,
    LinkLineage,
    LinkOrigin,
    Making,
    ModelUse,
    PhotoOrigin,
    Placement,
    RunOrigin,
    RunShare,
)
from facealbum.domain.prov import write_prov

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FAMILY, FACE, PERSON, CHILD, RUN, PHOTO = (UUID(int=number) for number in range(6))
HEAD = ModelUse("embedder", "ours-1", "ab" * 32, 7, "MIT", "training", "run-1", "cd" * 32, "production")
OLD = ModelUse("detector", "yunet-1", None)
MAKING = Making("analysis", "0.1.0-g1a2b3c4d5e6f", "ours", None, {}, (HEAD, OLD))
ORIGIN = RunOrigin(RUN, "default", date(2026, 10, 1), "constrained", NOW, NOW, MAKING, ())
LINK = LinkOrigin(PERSON, CHILD, 0.9, {}, confirmed=False, linked_at=NOW, run=ORIGIN)
SAID = DecisionOrigin(4, "confirm", "face", "user ann", NOW, None, None)
WHOLE = FaceLineage(
    FAMILY,
    FACE,
    PhotoOrigin(PHOTO, "Hana's birthday.jpg", "ef" * 32, NOW, "exif", NOW, None, None),
    AnalysisOrigin(NOW, MAKING, HEAD),
    (EmbeddingOrigin("ours", MAKING),),
    (Placement("default", True, PERSON, "confirmed", 0.8, NOW, "joined Hana", ORIGIN, LINK),),
    (SAID,),
)  # fmt: skip
ALBUM = AlbumLineage(
    FAMILY, str(CHILD), "default", (PERSON,), (AnalysisShare(3, NOW, NOW, MAKING), AnalysisShare(1, None, None, None)),
    (EmbeddingShare(3, MAKING),), (RunShare(3, ORIGIN), RunShare(1, None)), (LINK,), (SAID,),
)  # fmt: skip
ENDS = {
    "wasGeneratedBy": {"entity": "entity", "activity": "activity"},
    "used": {"activity": "activity", "entity": "entity"},
    "wasDerivedFrom": {"generatedEntity": "entity", "usedEntity": "entity"},
    "wasAssociatedWith": {"activity": "activity", "agent": "agent"},
    "wasInfluencedBy": {"influencee": None, "influencer": None},
}
"""Of each relation its ends, and what they must be; None: anything."""
EVERY = pytest.mark.parametrize("found", [WHOLE, LinkLineage(FAMILY, "default", LINK, (SAID,)), ALBUM])


def ends_of(document: dict[str, Any], relation: str) -> set[tuple[str, ...]]:
    return {tuple(row.values()) for row in document[relation].values()}


@EVERY
def test_every_end_of_a_relation_is_told_and_of_the_kind_that_prov_asks_for(found: FaceLineage) -> None:
    document = json.loads(json.dumps(write_prov(found)))
    things = {name: kind for kind in ("entity", "activity", "agent") for name in document.get(kind, {})}
    assert set(document) <= {"prefix", "entity", "activity", "agent", *ENDS}
    assert all(re.fullmatch(r"facealbum:[\w./%@+~-]+", name) for name in things)
    for relation, wanted in ENDS.items():
        for row in document.get(relation, {}).values():
            assert set(row) == {f"prov:{end}" for end in wanted}
            for end, kind in wanted.items():
                found_kind = things[row[f"prov:{end}"]]
                assert found_kind == (kind or found_kind)
    for one in document["activity"].values():
        for time in ("prov:startTime", "prov:endTime"):
            assert datetime.fromisoformat(one.get(time, NOW.isoformat())).tzinfo is not None


@EVERY
def test_no_name_of_a_photo_or_child_is_told(found: FaceLineage) -> None:
    assert "Hana" not in json.dumps(write_prov(found))


def test_a_face_leads_back_to_its_photo_models_data_code_and_users() -> None:
    document = write_prov(WHOLE)
    face, model = f"facealbum:face/{FACE}", f"facealbum:model/{HEAD.sha256}"
    analysis, code = f"facealbum:analysis/{FACE}", f"facealbum:code/{MAKING.code_version}"
    assert (face, f"facealbum:photo/{PHOTO}") in ends_of(document, "wasDerivedFrom")
    assert {(analysis, model), ("facealbum:training/run-1", f"facealbum:data/{HEAD.snapshot}")} <= ends_of(
        document, "used"
    )
    assert (model, "facealbum:training/run-1") in ends_of(document, "wasGeneratedBy")
    assert (f"{face}/arm/default", f"facealbum:run/{RUN}") in ends_of(document, "wasGeneratedBy")
    assert (analysis, code) in ends_of(document, "wasAssociatedWith")
    assert ("facealbum:decision/4", "facealbum:author/user%20ann") in ends_of(document, "wasAssociatedWith")
    assert (face, "facealbum:decision/4") in ends_of(document, "wasInfluencedBy")
