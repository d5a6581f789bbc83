"""`facealbum user` and `facealbum token`: who may use the HTTP interface."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, open_world, say_result
from facealbum.domain.access import Role

if TYPE_CHECKING:
    from datetime import datetime

app = typer.Typer()
users = typer.Typer(name="user", help="Add, change and remove the people who may log in.", no_args_is_help=True)
tokens = typer.Typer(name="token", help="Create and revoke the tokens of programs.", no_args_is_help=True)
app.add_typer(users)
app.add_typer(tokens)

User = Annotated[str, typer.Argument(help="The name that the user logs in with.", metavar="NAME")]
Token = Annotated[str, typer.Argument(help="What the token is called; not its secret.", metavar="NAME")]
Author = Annotated[str, typer.Option("--author", help="Who does this.")]


@users.command("add")
def user_add(
    name: User,
    role: Annotated[Role, typer.Option("--role", help="What it may do; the first user is an admin.")] = Role.VIEWER,
    no_password: Annotated[bool, typer.Option("--no-password", help="Only a provider can log this user in.")] = False,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Add a user; the password is asked for, or read as a line from standard input."""
    from facealbum.steps.users import add_user

    password = None if no_password else _ask_password()
    with open_world() as context:
        add_user(context, name, role, password=password, author=author)
    say_result({"name": name, "role": role}, f"{name} can log in as {role}", as_json=as_json)


@users.command("list")
def user_list(as_json: Json = False) -> None:
    """Every user, and since when."""
    from facealbum.steps.users import list_users

    with open_world() as context:
        found = list_users(context)
    if as_json:
        console.say_json([{"name": one.name, "role": one.role, "created_at": one.created_at} for one in found])
        return
    console.table("", ("user", "role", "since"), [(one.name, one.role, _day(one.created_at)) for one in found])


@users.command("role")
def user_role(
    name: User,
    role: Annotated[Role, typer.Argument(help="What it may do from now on.")],
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Give a user another role, which counts at once."""
    from facealbum.steps.users import set_role

    with open_world() as context:
        set_role(context, name, role, author=author)
    say_result({"name": name, "role": role}, f"{name} is {role} now", as_json=as_json)


@users.command("password")
def user_password(name: User, author: Author = "operator", as_json: Json = False) -> None:
    """Give a user another password, which ends all its sessions."""
    from facealbum.steps.users import set_password

    password = _ask_password()
    with open_world() as context:
        set_password(context, name, password, author=author)
    say_result({"name": name}, f"{name} has a new password, and must log in again", as_json=as_json)


@users.command("logout")
def user_logout(name: User, author: Author = "operator", as_json: Json = False) -> None:
    """End all sessions of a user."""
    from facealbum.steps.users import end_sessions

    with open_world() as context:
        ended = end_sessions(context, name, author=author)
    say_result({"name": name, "sessions": ended}, f"{count_of(ended, 'session')} of {name} ended", as_json=as_json)


@users.command("remove")
def user_remove(name: User, author: Author = "operator", as_json: Json = False) -> None:
    """Take a user away, with its sessions; what it did stays on record."""
    from facealbum.steps.users import remove_user

    with open_world() as context:
        remove_user(context, name, author=author)
    say_result({"name": name}, f"{name} is no user any more", as_json=as_json)


@tokens.command("create")
def token_create(
    name: Token,
    role: Annotated[Role, typer.Option("--role", help="What it is good for.")],
    family: Annotated[str | None, typer.Option("--family", help="The only family that it is good for.")] = None,
    days: Annotated[int, typer.Option("--days", help="How long it is good.")] = 90,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Make a token and show it, once."""
    from facealbum.steps.users import create_token

    with open_world() as context:
        token, secret = create_token(context, name, role, family=family, days=days, author=author)
    result = {"name": name, "role": role, "expires_at": token.expires_at, "token": secret}
    say_result(result, f"{secret}\nis good until {_day(token.expires_at)}; it is shown only now", as_json=as_json)


@tokens.command("list")
def token_list(as_json: Json = False) -> None:
    """Every token without its secret: role, family, until when, and when it was used last."""
    from facealbum.steps.users import list_tokens

    with open_world() as context:
        found = list_tokens(context)
    shown = ("name", "role", "family_id", "created_at", "expires_at", "used_at", "revoked_at")
    if as_json:
        console.say_json([{field: getattr(one, field) for field in shown} for one in found])
        return
    rows = [
        (
            one.name,
            one.role,
            one.family_id or "all",
            "revoked" if one.revoked_at else _day(one.expires_at),
            _day(one.used_at),
        )
        for one in found
    ]
    console.table("", ("token", "role", "family", "good until", "last used"), rows)


@tokens.command("revoke")
def token_revoke(name: Token, author: Author = "operator", as_json: Json = False) -> None:
    """Make a token good no more, at once."""
    from facealbum.steps.users import end_token

    with open_world() as context:
        end_token(context, name, author=author)
    say_result({"name": name}, f"token {name} is good no more", as_json=as_json)


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _day(moment: "datetime | None") -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
