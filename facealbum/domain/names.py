"""Names that people give to things which have an address, such as experiments and samples."""

from facealbum.errors import InvalidValueError

_LONGEST = 100


def expect_name(name: str) -> None:
    """Raise InvalidValueError unless the name can be a part of an address: no slash, and more than dots."""
    if not (0 < len(name) <= _LONGEST and name.isprintable() and "/" not in name and name.strip(". ")):
        raise InvalidValueError(
            f"a name must be 1 to {_LONGEST} printable characters without a slash, and more than dots; got {name!r}"
        )
