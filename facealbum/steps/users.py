"""Adding, changing and removing users and the tokens of programs; each change is on record with who did it.

The first user is an admin, and the last admin stays, so nobody is locked out and nothing falls open again.
"""

import secrets
from datetime import datetime, timedelta

from facealbum.domain.access import Role, is_name
from facealbum.domain.ids import FamilyId
from facealbum.errors import ConflictError, InvalidValueError, UnknownTokenError, UnknownUserError
from facealbum.steps.access import TOKEN_MARK, digest_of, hash_password
from facealbum.steps.context import Context
from facealbum.storage.audit import Entry, load_newest_entries, save_entry
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families, load_family
from facealbum.storage.service_tokens import ServiceToken, load_tokens, revoke_token, save_token
from facealbum.storage.users import (
    User,
    change_user,
    delete_sessions,
    delete_user,
    load_user,
    load_users,
    lock_admins,
    save_user,
)

SHORTEST, LONGEST = 12, 1000
LONGEST_DAYS = 3650


def list_users(context: Context) -> list[User]:
    """All users by name."""
    with context.database.begin() as transaction:
        return load_users(transaction)


def find_user(context: Context, name: str) -> User:
    """The user of this name; raises UnknownUserError."""
    with context.database.begin() as transaction:
        return _expect(transaction, name)


def add_user(context: Context, name: str, role: Role, *, password: str | None, author: str) -> User:
    """A new user, who can't sign in by a password if there is none.

    Raises InvalidValueError for a bad or taken name, a bad password, or a first user who is no admin.
    """
    user = User(_checked(name), role, context.clock(), hash_password(_good(password)) if password is not None else None)
    with context.database.begin() as transaction:
        if role is not Role.ADMIN and not lock_admins(transaction):
            raise ConflictError("the first user must be an admin, who can do everything else")
        if not save_user(transaction, user):
            raise ConflictError(f"there is a user {name!r}; choose another name")
        _record(context, transaction, "add", f"user {name}", author=author, role=role.value)
    return user


def set_role(context: Context, name: str, role: Role, *, author: str) -> None:
    """Give the user another role, which counts at once; raises InvalidValueError."""
    with context.database.begin() as transaction:
        if role is not Role.ADMIN:
            _keep_an_admin(transaction, name)
        before = _expect(transaction, name).role
        change_user(transaction, name, role=role.value)
        _record(context, transaction, "role", f"user {name}", author=author, before=before.value, role=role.value)


def set_password(context: Context, name: str, password: str, *, author: str) -> None:
    """Give the user another password, and end all its sessions; raises InvalidValueError."""
    kept = hash_password(_good(password))
    with context.database.begin() as transaction:
        _expect(transaction, name)
        change_user(transaction, name, password=kept)
        delete_sessions(transaction, name)
        _record(context, transaction, "password", f"user {name}", author=author)


def end_sessions(context: Context, name: str, *, author: str) -> int:
    """Have the user sign in again everywhere; tells how many sessions there were; raises InvalidValueError."""
    with context.database.begin() as transaction:
        _expect(transaction, name)
        _record(context, transaction, "end_sessions", f"user {name}", author=author)
        return delete_sessions(transaction, name)


def remove_user(context: Context, name: str, *, author: str) -> None:
    """Take the user away, with its sessions; what it did stays on record.  Raises InvalidValueError."""
    with context.database.begin() as transaction:
        _expect(transaction, name)
        _keep_an_admin(transaction, name)
        delete_user(transaction, name)
        _record(context, transaction, "remove", f"user {name}", author=author)


def list_audit(context: Context, *, subject: str | None = None, before: int | None = None, limit: int) -> list[Entry]:
    """What was done, the newest first, to all or one subject; before: what has a smaller number."""
    with context.database.begin() as transaction:
        return load_newest_entries(transaction, subject=subject, before=before, limit=limit)


def list_tokens(context: Context) -> list[ServiceToken]:
    """All service tokens by name, with those that are good no more."""
    with context.database.begin() as transaction:
        return load_tokens(transaction)


def create_token(
    context: Context, name: str, role: Role, *, family: str | FamilyId | None, days: int, author: str
) -> tuple[ServiceToken, str]:
    """A new token, and its secret, which nobody can tell a second time.

    family: the name or id of the only one that it is good for.  Raises InvalidValueError, UnknownFamilyError.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidValueError(f"a token is good for 1 to {LONGEST_DAYS} days, got {days}")
    now, secret = context.clock(), TOKEN_MARK + secrets.token_urlsafe(32)
    with context.database.begin() as transaction:
        only = _find_family(transaction, family) if family is not None else None
        token = _token(_checked(name), secret, role, family=only, now=now, until=now + timedelta(days=days))
        if not save_token(transaction, token):
            raise ConflictError(f"there is, or was, a token {name!r}; choose another name")
        _record(context, transaction, "create", f"token {name}", author=author, role=role.value, days=days)
    return token, secret


def end_token(context: Context, name: str, *, author: str) -> None:
    """Make the token good no more; raises InvalidValueError if there is none that is good."""
    with context.database.begin() as transaction:
        if not revoke_token(transaction, name, now=context.clock()):
            raise UnknownTokenError(f"no token {name!r} is in use; `facealbum token list` shows all")
        _record(context, transaction, "revoke", f"token {name}", author=author)


def _find_family(transaction: Transaction, family: str | FamilyId) -> FamilyId:
    if isinstance(family, str):
        return load_families(transaction, family)[0].family_id
    return load_family(transaction, family).family_id


def _token(
    name: str, secret: str, role: Role, *, family: FamilyId | None, now: datetime, until: datetime
) -> ServiceToken:
    return ServiceToken(name, digest_of(secret), role, family, now, until)


def _expect(transaction: Transaction, name: str) -> User:
    user = load_user(transaction, name)
    if user is None:
        raise UnknownUserError(f"no user is called {name!r}; `facealbum user list` shows all")
    return user


def _keep_an_admin(transaction: Transaction, name: str) -> None:
    if lock_admins(transaction) == {name}:
        raise ConflictError(f"{name} is the last admin; make another user an admin first")


def _checked(name: str) -> str:
    if not is_name(name):
        raise InvalidValueError(f"a name must be up to 100 lower-case letters, digits and _.@+-, got {name!r}")
    return name


def _good(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidValueError(f"a password must have {SHORTEST} to {LONGEST} characters, got {len(password)}")
    return password


def _record(
    context: Context, transaction: Transaction, action: str, subject: str, *, author: str, **detail: object
) -> None:
    save_entry(transaction, action, subject, author=author, now=context.clock(), detail=detail)
