"""A media type is preferred as RFC 9110 says: by the weight of the most specific range, and never on a tie."""

import pytest

from facealbum.web.accept import prefers

PROV, JSON = "application/prov+json", "application/json"


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        (PROV, True),
        ("Application/PROV+JSON ; q=0.9, application/json;q=0.5", True),
        (f"{PROV}, */*;q=0.1", True),
        (f"{JSON}, {PROV}", False),
        (f"{PROV};q=0.2, {JSON}", False),
        (f"application/*, {JSON};q=0.3", True),
        (f"{PROV};q=0", False),
        (f"{PROV};q=much, {JSON};q=nan", False),
        (f"{PROV};q=inf", False),
        (f"{PROV};profile=x", True),
        (",;,q=1,/", False),
    ],
)
def test_the_most_specific_range_decides(accept: str, preferred: bool) -> None:  # noqa: FBT001 - a case
    assert prefers(accept, PROV, JSON) is preferred
