"""Who is calling: by a session that a sign-in began, or by a program's token; and who saw what.

Secrets are random and kept as SHA-256 digests, passwords as Argon2id hashes.  A sign-in costs 19 MB and some 30 ms,
whether or not there is such a user.  Too many attempts, by one name or from one address, are refused unread for the
rest of a quarter of an hour: whoever keeps trying can keep a user from signing in, and the open sessions go on.
"""

import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from facealbum.domain.access import Caller, Role, is_name
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.errors import SignInError, TooManyAttemptsError
from facealbum.steps.context import Context
from facealbum.storage.audit import save_entry
from facealbum.storage.database import Transaction
from facealbum.storage.face_views import save_view
from facealbum.storage.login_attempts import count_attempt, forget_attempts, forgive_attempt
from facealbum.storage.secrets import load_secret
from facealbum.storage.service_tokens import is_anybody_registered, load_good_token
from facealbum.storage.users import (
    change_user,
    delete_session,
    delete_sessions,
    load_session_user,
    load_user,
    save_session,
)

SESSION = timedelta(hours=12)
TOKEN_MARK = "fat_"  # noqa: S105 - by which people and scanners know a service token
WINDOW = timedelta(minutes=15)
MOST_BY_NAME, MOST_BY_ADDRESS = 10, 50

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least, in KiB


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(_normal(password))


def digest_of(secret: str) -> bytes:
    """What is kept of a secret; random enough that a slow hash would add nothing."""
    return sha256(secret.encode()).digest()


def proof_of(secret: str) -> str:
    """What a page must send beside the cookie that holds this secret; only our own pages can know it."""
    return hmac.new(secret.encode(), b"csrf", sha256).hexdigest()


def sign_in(context: Context, name: str, password: str, *, address: str) -> str:
    """Begin a session, and give its secret; raises SignInError or, after too many attempts, TooManyAttemptsError."""
    now = context.clock()
    by_name, by_address = digest_of(f"name {name}"), digest_of(f"address {address}")
    with context.database.begin() as transaction:
        forget_attempts(transaction, before=now - WINDOW)
    with context.database.begin() as transaction:
        too_many = count_attempt(transaction, by_address, now=now, window=WINDOW) > MOST_BY_ADDRESS
        if not too_many:
            too_many = count_attempt(transaction, by_name, now=now, window=WINDOW) > MOST_BY_NAME
    if too_many:
        raise TooManyAttemptsError("too many attempts to sign in; try again in a quarter of an hour")
    with context.database.begin() as transaction:
        user = load_user(transaction, name) if is_name(name) else None
    kept = user.password if user else None
    if not _is_right(kept or _nobody_s(), password) or kept is None:
        raise SignInError("no user has this name and password")
    with context.database.begin() as transaction:
        for subject in (by_address, by_name):
            forgive_attempt(transaction, subject)
        if _hasher.check_needs_rehash(kept):
            change_user(transaction, name, password=hash_password(password))
        return _begin_session(transaction, name, now=now)


def sign_in_by_provider(context: Context, name: str) -> str:
    """Begin a session of whom a provider vouches for, and give its secret; raises SignInError if that is no user."""
    with context.database.begin() as transaction:
        if not is_name(name) or load_user(transaction, name) is None:
            raise SignInError("nobody is registered under your e-mail address; an admin can add you")
        return _begin_session(transaction, name, now=context.clock())


def sign_out(context: Context, secret: str, caller: Caller, *, everywhere: bool = False) -> None:
    """End this session, or all sessions of its user."""
    with context.database.begin() as transaction:
        user = load_session_user(transaction, digest_of(secret), now=context.clock())
        if user and everywhere:
            delete_sessions(transaction, user.name)
        delete_session(transaction, digest_of(secret))
        action = "sign_out_everywhere" if everywhere else "sign_out"
        save_entry(transaction, action, caller.name, author=caller.name, now=context.clock())


def caller_of_session(context: Context, secret: str) -> Caller | None:
    """The user whose session it is, with the role that it has now."""
    with context.database.begin() as transaction:
        user = load_session_user(transaction, digest_of(secret), now=context.clock())
    return Caller(f"user {user.name}", user.role) if user else None


def caller_of_token(context: Context, secret: str) -> Caller | None:
    """The program whose token it is."""
    if not secret.startswith(TOKEN_MARK):
        return None
    with context.database.begin() as transaction:
        token = load_good_token(transaction, digest_of(secret), now=context.clock())
    return Caller(f"token {token.name}", token.role, token.family_id) if token else None


def caller_of_nothing(context: Context) -> Caller | None:
    """Where nobody is registered, whoever reaches us is an operator; an entry point lets this machine alone do so."""
    with context.database.begin() as transaction:
        return None if is_anybody_registered(transaction) else Caller("local", Role.OPERATOR)


def note_view(context: Context, caller: Caller, family: FamilyId, person: PersonId | None) -> None:
    """Put on record that the caller sees faces of the family, or of one person."""
    with context.database.begin() as transaction:
        save_view(transaction, family, person, viewer=caller.name, now=context.clock())


def shared_secret(context: Context, purpose: str) -> bytes:
    """256 random bits that all processes of the installation share, and nothing else knows."""
    with context.database.begin() as transaction:
        return load_secret(transaction, purpose, new=secrets.token_bytes(32), now=context.clock())


def _begin_session(transaction: Transaction, name: str, *, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    save_session(transaction, digest_of(secret), name, now=now, until=now + SESSION)
    save_entry(transaction, "sign_in", f"user {name}", author=f"user {name}", now=now)
    return secret


def _is_right(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody_s() -> str:
    """The hash that is looked at where there is none, so that time doesn't tell who is a user."""
    return hash_password(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    """The same password from every keyboard (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)
