"""Features as they are known now or were at an instant: read by the functions that clustering and linking read with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from eval.metrics.definitions import METRICS
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.features import Entity, Feature, describe_person, find_features
from facealbum.features.persons import Value
from facealbum.steps.arm_models import evidence_of_arm, nodes_of_arm
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space, find_embedder, models_folder
from facealbum.steps.reading import arm_of_family
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_children, load_family
from facealbum.storage.feature_months import load_family_months, load_link_probabilities
from facealbum.storage.feature_rows import CopiedFaces, Lens, Values, copy_faces
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.past import open_past
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.spaces import load_space_id, load_space_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Value | Month]
"""The values of one person or month by the names of its key and its features."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Features of an entity: all, or those named, as they are known now or were at an instant.

    arm: without it the installation's.  space: of embeddings; without it the arm's.
    """

    entity: Entity
    names: Sequence[str] = ()
    as_of: datetime | None = None
    arm: str | None = None
    space: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The values of one face, person or month by feature; key: its id, or the month."""

    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What is read, and how: features of one entity under an arm, of an embedding space, in one transaction.

    arm: None before its first run, when nobody is known.  research_only: whether the space may be used for no more.
    """

    transaction: Transaction
    context: Context
    features: tuple[Feature, ...]
    arm_name: str
    arm: Arm | None
    space: str
    space_id: int | None
    research_only: bool

    @property
    def names(self) -> list[str]:
        """The features by name."""
        return [one.name for one in self.features]

    def faces(
        self, between: tuple[FamilyId, FamilyId], *, after: FaceId | None = None, limit: int | None = None
    ) -> CopiedFaces:
        """As storage.feature_rows.copy_faces."""
        lens = Lens(self.arm.arm_id if self.arm else None, self.space_id)
        return copy_faces(self.transaction, self.names, between, lens, after=after, limit=limit)

    def persons(self, family: FamilyId) -> list[Row]:
        """Every person of the family that has confirmed faces, by id."""
        if self.arm is None:
            return []
        arm = arm_of_family(self.transaction, self.context.settings, family, self.arm)
        plan = ArmPlan.of_arm(arm)
        nodes: dict[object, list[np.typing.NDArray[np.float32]]] = {}
        for node in nodes_of_arm(self.context, self.transaction, family, arm, plan.clustering):
            nodes.setdefault(node.person_id, []).append(node.observation.embedding)
        children = {child.child_id: child for child in load_children(self.transaction, family)}
        linked = load_link_probabilities(self.transaction, family)
        rows: list[Row] = []
        for one in evidence_of_arm(self.context, self.transaction, family, arm):
            link = linked.get(one.person_id)
            told = describe_person(
                one,
                np.array(nodes.get(one.person_id, []), np.float32).reshape(-1, EMBEDDING_SIZE),
                link=(children[link[0]], link[1]) if link else None,
                parameters=plan.linking,
            )
            rows.append({"family_id": family, "person_id": one.person_id, **{name: told[name] for name in self.names}})
        return rows

    def months(self, family: FamilyId) -> list[Row]:
        """Every month of the family that has photos, faces or metrics, the oldest first."""
        arm_id = self.arm.arm_id if self.arm else None
        metrics = [name for name in self.names if name in METRICS]
        found = load_family_months(self.transaction, family, arm_id, metrics)
        return [
            {"family_id": family, "month": month, **{name: told.get(name) for name in self.names}}
            for month, told in found.items()
        ]


@contextmanager
def open_features(context: Context, asked: Asked) -> Iterator[View]:
    """The features that are asked for, in one snapshot.

    Raises InvalidValueError for names of nothing and for an instant that can't be told of, and UnsettledError.
    """
    features = find_features(asked.entity, asked.names)
    with open_past(context.database, asked.as_of) as transaction:
        name = asked.arm or load_installed_arm(transaction)
        arm = load_arm(transaction, name)
        if arm is None and asked.arm is not None:
            raise InvalidValueError(f"an arm must be one that ran, got {asked.arm!r}; `facealbum arms list` shows them")
        space = asked.space or (load_space_name(transaction, arm.space_id) if arm else default_space())
        space_id = load_space_id(transaction, space)
        if space_id is None and asked.space is not None:
            raise InvalidValueError(f"a space must be one that has embeddings, got {asked.space!r}")
        only = find_embedder(space, models_folder(context.settings)).research_only
        yield View(transaction, context, features, name, arm, space, space_id, only)


def page_features(
    context: Context, family: FamilyId, asked: Asked, *, after: str | None = None, limit: int
) -> list[Described]:
    """So many of the family's faces, persons or months behind that key, by their keys; raises UnknownFamilyError."""
    with open_features(context, asked) as view:
        load_family(view.transaction, family)
        if asked.entity is Entity.FACE:
            return _described_faces(view, family, after=FaceId(UUID(after)) if after else None, limit=limit)
        rows = view.persons(family) if asked.entity is Entity.PERSON else view.months(family)
    _, key = asked.entity.keys
    told = [Described(str(row[key]), {name: row[name] for name in view.names}) for row in rows]
    return [one for one in told if after is None or one.key > after][:limit]


def _described_faces(view: View, family: FamilyId, *, after: FaceId | None, limit: int) -> list[Described]:
    columns = view.faces((family, family), after=after, limit=limit).decode()
    values = {name: _plain(column) for name, column in columns.items()}
    rows = zip(*values.values(), strict=True)
    told = (dict(zip(values, row, strict=True)) for row in rows)
    return [Described(str(row["face_id"]), {name: row[name] for name in view.names}) for row in told]


def _plain(column: Values) -> list[Any]:
    """As Python's own values, None for what is unknown."""
    values: list[Any] = column.values.tolist()
    if column.values.dtype.kind == "V":
        values = [UUID(bytes=one) for one in values]
    if column.values.dtype.kind == "i":
        values = [_EPOCH + timedelta(microseconds=one) for one in values]
    known = [True] * len(values) if column.known is None else column.known.tolist()
    return [value if is_known else None for value, is_known in zip(values, known, strict=True)]
