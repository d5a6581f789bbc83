"""What is told of a person, by the judge that links it to a child and the nodes that stand for it in clustering."""

from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import ChildId
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.linking import LinkParameters, PersonEvidence
from facealbum.linking.likelihood import Judge

_EPOCH = Child(ChildId(UUID(int=0)), "", date(1970, 1, 1), Gender.UNKNOWN)

Value = int | float | UUID | None


def describe_person(
    evidence: PersonEvidence,
    nodes: NDArray[np.float32],
    *,
    link: tuple[Child, float] | None,
    parameters: LinkParameters,
) -> dict[str, Value]:
    """The features of a person by name; None where nothing is known.

    nodes: float32[n, 512], of unit length.  link: the child that it is, and how probably.
    """
    judge = Judge(evidence.faces, parameters)
    aged = any(face.age is not None for face in evidence.faces)
    child, probability = link or (None, None)
    return {
        "faces": len(evidence.faces),
        "months": len({Month.of(face.taken_at) for face in evidence.faces}),
        "p_female": judge.p_female if any(face.p_female is not None for face in evidence.faces) else None,
        "birth_year": _EPOCH.birth_date.year - judge.age_error(_EPOCH) if aged else None,
        "child": child.child_id if child else None,
        "link_probability": probability,
        "age_error": judge.age_error(child) if child and aged else None,
        "spread": 1 - float(np.linalg.norm(nodes.mean(axis=0, dtype=np.float64))) if len(nodes) else None,
    }
