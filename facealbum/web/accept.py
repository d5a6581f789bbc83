"""Which of two media types a request would rather have, by its header Accept (RFC 9110, section 12.5.1)."""

from math import isfinite


def prefers(accept: str, wanted: str, usual: str) -> bool:
    """Whether the header weighs the media type `wanted` above `usual`; without a header both weigh the same."""
    return _weight(accept, wanted) > _weight(accept, usual)


def _weight(accept: str, media: str) -> float:
    """From 0 to 1, as the most specific range that covers the media type says."""
    ranges = "*/*", f"{media.partition('/')[0]}/*", media
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        named, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [one.removeprefix("q=") for one in parameters if one.startswith("q=")]
        found[named] = _read(weights[0]) if weights else 1.0
    return next((found[one] for one in reversed(ranges) if one in found), 0.0)


def _read(weight: str) -> float:
    """A weight; 0 for what is none."""
    try:
        value = float(weight)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 1.0) if isfinite(value) else 0.0
