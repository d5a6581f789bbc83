"""Parameters are checked, and survive JSON."""

import json
from types import SimpleNamespace

import pytest

from facealbum.clustering import ClusteringParameters
from facealbum.clustering.items import is_sound
from facealbum.domain.faces import is_turned
from facealbum.errors import InvalidValueError


def test_parameters_survive_json() -> None:
    given = ClusteringParameters(similarity=0.4, min_faces=3)
    assert ClusteringParameters.from_dict(json.loads(json.dumps(given.to_dict()))) == given


@pytest.mark.parametrize("yaw", [0.0, -60.0, 60.0, 60.1, -60.1, 180.0])
def test_a_face_that_is_marked_as_strongly_turned_founds_nobody(yaw: float) -> None:
    seen = SimpleNamespace(quality=1.0, size=500.0, yaw=yaw)
    assert is_sound(seen, ClusteringParameters()) != is_turned(yaw)


def test_a_missing_name_keeps_its_default() -> None:
    assert ClusteringParameters.from_dict({"max_nodes": 9}) == ClusteringParameters(max_nodes=9)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="similarty"):
        ClusteringParameters.from_dict({"similarty": 0.4})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("similarity", 1.5),
        ("similarity", float("nan")),
        ("min_faces", 1),
        ("min_quality", -0.1),
        ("max_yaw", 181),
        ("max_nodes", 0),
        ("density_min_cluster", 1),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=f"{name} must be .* got {value}"):
        ClusteringParameters.from_dict({name: value})
