"""Which promoted arm a family is shown depends on how far each has come with it."""

from datetime import date

import pytest

from facealbum.storage.serving import _choose

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


@pytest.mark.parametrize(
    ("promoted", "shown"),
    [
        ([], None),
        ([("new", False, None)], "new"),
        ([("new", False, OCTOBER), ("old", False, OCTOBER)], "new"),
        ([("new", False, SEPTEMBER), ("old", False, OCTOBER)], "old"),
        ([("new", False, None), ("old", False, OCTOBER)], "old"),
        ([("new", False, OCTOBER), ("old", False, SEPTEMBER)], "new"),
        ([("newer", False, None), ("new", False, None), ("old", False, OCTOBER)], "old"),
        ([("old", True, SEPTEMBER), ("new", False, OCTOBER), ("old", False, SEPTEMBER)], "old"),
    ],
)
def test_a_family_moves_on_to_an_arm_that_has_come_as_far_and_back_at_once(
    promoted: list[tuple[str, bool, date | None]], shown: str | None
) -> None:
    assert _choose(promoted) == shown
