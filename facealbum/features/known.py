"""Every feature there is, and finding those that somebody names."""

from collections.abc import Sequence

from facealbum.errors import InvalidValueError
from facealbum.features.definition import Dtype, Entity, Feature

_FACE, _PERSON, _MONTH = Entity.FACE, Entity.PERSON, Entity.FAMILY_MONTH
_ASSIGNED, _JUDGED = "assignments of the arm", "confirmed faces, by the judge of linking"

FEATURES = (
    Feature("taken_at", _FACE, Dtype.MOMENT, "", "when the photo or frame was taken", "faces"),
    Feature("age", _FACE, Dtype.SINGLE, "years", "what a user says, else the models in production", "faces"),
    Feature("p_female", _FACE, Dtype.SINGLE, "0 to 1", "what a user says, else the models in production", "faces"),
    Feature("quality", _FACE, Dtype.SINGLE, "0 to 1", "how good a picture of the face it is", "faces"),
    Feature("yaw", _FACE, Dtype.SINGLE, "degrees", "turned to the side", "faces"),
    Feature("pitch", _FACE, Dtype.SINGLE, "degrees", "turned up or down", "faces"),
    Feature("roll", _FACE, Dtype.SINGLE, "degrees", "tilted", "faces"),
    Feature("score", _FACE, Dtype.SINGLE, "0 to 1", "how sure the detector is", "faces"),
    Feature("size", _FACE, Dtype.SINGLE, "pixels", "the shorter side of the box", "faces"),
    Feature("person", _FACE, Dtype.ID, "", "whom it is shown with", _ASSIGNED),
    Feature("confirmed", _FACE, Dtype.BOOL, "", "whether a run or a user put it there", _ASSIGNED),
    Feature("similarity", _FACE, Dtype.SINGLE, "cosine", "to the person that it is shown with", _ASSIGNED),
    Feature("child_age", _FACE, Dtype.DOUBLE, "years", "of the child that its person is", "links, children, faces"),
    Feature("embedding", _FACE, Dtype.VECTOR, "unit length", "in the arm's space, or the one named", "face_embeddings"),
    Feature("faces", _PERSON, Dtype.COUNT, "faces", "that are confirmed as the person's", _ASSIGNED),
    Feature("months", _PERSON, Dtype.COUNT, "months", "in which the person was seen", _ASSIGNED),
    Feature("p_female", _PERSON, Dtype.DOUBLE, "0 to 1", "mean over the faces; what a user says alone", _JUDGED),
    Feature("birth_year", _PERSON, Dtype.DOUBLE, "year", "mean of the photos' dates less the ages in them", _JUDGED),
    Feature("child", _PERSON, Dtype.ID, "", "the registered child that the person is", "links"),
    Feature("link_probability", _PERSON, Dtype.DOUBLE, "0 to 1", "that the person is this child", "links"),
    Feature("age_error", _PERSON, Dtype.DOUBLE, "years", "mean of estimated less true age as this child", _JUDGED),
    Feature("spread", _PERSON, Dtype.DOUBLE, "0 to 1", "1 less the length of the nodes' mean", "nodes of the next run"),
    Feature("photos", _MONTH, Dtype.COUNT, "photos", "and videos taken in the month", "photos"),
    Feature("faces", _MONTH, Dtype.COUNT, "faces", "in them", "faces"),
    Feature("association", _MONTH, Dtype.DOUBLE, "share", "as the metric of that name", "family_metrics"),
    Feature("coverage", _MONTH, Dtype.DOUBLE, "share", "as the metric of that name", "family_metrics"),
    Feature("breakage", _MONTH, Dtype.DOUBLE, "share", "as the metric of that name", "family_metrics"),
    Feature("corrections", _MONTH, Dtype.DOUBLE, "share", "as the metric of that name", "family_metrics"),
    Feature(
        "churn", _MONTH, Dtype.DOUBLE, "share", "faces that lost or changed company, as the metric", "family_metrics"
    ),
)
"""By entity, in the order of columns."""


def find_features(entity: Entity, names: Sequence[str] = ()) -> tuple[Feature, ...]:
    """Those of the entity that are named, in the order of `FEATURES`; all without names.

    Raises InvalidValueError for a name that is none of its features.
    """
    there = {one.name: one for one in FEATURES if one.entity is entity}
    if unknown := [name for name in names if name not in there]:
        raise InvalidValueError(f"features of a {entity} must be among {', '.join(there)}; got {', '.join(unknown)}")
    return tuple(one for name, one in there.items() if not names or name in names)
