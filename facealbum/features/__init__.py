"""Named features with their versions, and what of them is computed here, without a database.

`FEATURES` is the whole list; docs/features.md shows it.  Storage has the expressions of what it reads by name.
"""

from facealbum.features.definition import Dtype, Entity, Feature
from facealbum.features.known import FEATURES, find_features
from facealbum.features.persons import describe_person

__all__ = ["FEATURES", "Dtype", "Entity", "Feature", "describe_person", "find_features"]
