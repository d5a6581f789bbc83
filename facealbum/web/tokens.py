"""Who may use the interface."""

import hmac
import re
from dataclasses import dataclass
from uuid import UUID

from facealbum.errors import InvalidValueError

_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Token:
    """A secret, and the one family that it is good for; None means all."""

    secret: bytes
    family: UUID | None


def parse_tokens(text: str | None) -> tuple[Token, ...]:
    """The tokens of a setting, with commas or lines between; raises InvalidValueError, which holds none of them."""
    return tuple(
        _token(part, number) for number, part in enumerate(re.split(r"[,\s]+", (text or "").strip(", \n")), 1) if part
    )


def find_token(tokens: tuple[Token, ...], header: bytes) -> Token | None:
    """The token of an Authorization header; takes as long whether or not it is nearly right."""
    kind, _, given = header.partition(b" ")
    found = None
    for token in tokens:
        if hmac.compare_digest(token.secret, given.strip()):
            found = token
    return found if kind.lower() == b"bearer" else None


def _token(part: str, number: int) -> Token:
    secret, separator, family = part.rpartition("=")
    if not separator or not family:  # Base64 may end with =
        secret, family = part, ""
    if len(secret) < _SHORTEST:
        raise InvalidValueError(f"token {number} of FACEALBUM_API_TOKENS must have {_SHORTEST} characters or more")
    try:
        return Token(secret.encode(), UUID(family) if family else None)
    except ValueError as error:
        raise InvalidValueError(
            f"what follows the = of token {number} of FACEALBUM_API_TOKENS must be the id of a family"
        ) from error
