"""docs/features.md shows every feature, and each is found by its name."""

from pathlib import Path

import pytest

from facealbum.errors import InvalidValueError
from facealbum.features import FEATURES, Entity, find_features

DOCS = Path(__file__).parents[3] / "docs" / "features.md"


def test_the_table_in_the_documents_is_the_list_of_features() -> None:
    told = DOCS.read_text(encoding="utf-8").split("<!-- features: start -->\n")[1].split("<!-- features: end -->")[0]
    rows = ["| of | feature | version | type | unit | is | from |", "|---|---|---|---|---|---|---|"]
    rows += [
        f"| {one.entity} | `{one.name}` | {one.version} | {one.dtype} | {one.unit} | {one.description} | {one.source} |"
        for one in FEATURES
    ]
    assert told.splitlines() == rows, "docs/features.md must hold these rows:\n" + "\n".join(rows)


def test_no_entity_has_two_features_of_one_name() -> None:
    names = [(one.entity, one.name) for one in FEATURES]
    assert len(set(names)) == len(names)


def test_features_are_found_in_their_own_order() -> None:
    assert [one.name for one in find_features(Entity.FACE, ["yaw", "age"])] == ["age", "yaw"]
    assert find_features(Entity.PERSON) == tuple(one for one in FEATURES if one.entity is Entity.PERSON)


def test_a_name_of_another_entity_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidValueError, match=r"must be among faces, months, .*; got yaw"):
        find_features(Entity.PERSON, ["yaw"])
