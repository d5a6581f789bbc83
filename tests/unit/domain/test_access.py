"""What the table of rights promises whatever stands in it."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.access import LOWEST, Caller, Right, Role
from facealbum.domain.ids import FamilyId

ANN_S, BEN_S = FamilyId(UUID(int=1)), FamilyId(UUID(int=2))
rights = st.sampled_from(Right)
families = st.sampled_from([None, ANN_S, BEN_S])


def test_every_right_has_a_lowest_role() -> None:
    assert set(LOWEST) == set(Right)


@given(rights, families, families)
def test_a_higher_role_may_whatever_a_lower_one_may(right: Right, own: FamilyId | None, asked: FamilyId | None) -> None:
    answers = [Caller("x", role, own).may(right, asked) for role in Role]
    assert all(after or not before for before, after in pairwise(answers))


@given(st.sampled_from(Role), rights, families)
def test_a_caller_of_one_family_may_nothing_anywhere_else(role: Role, right: Right, asked: FamilyId | None) -> None:
    allowed = Caller("x", role, ANN_S).may(right, asked)
    assert allowed == (asked == ANN_S and Caller("x", role).may(right, asked))
