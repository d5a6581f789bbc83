"""Under which system account the server runs, and with which rights.

PostgreSQL refuses to run as root.  For root the server runs as the owner of the database folder or, where
root owns it, as the system user `facealbum`, which is created at first use.  That user may be unable to
reach the programs or the database below a private folder such as /root.  No folder is opened for it: the
server gets one capability instead, the weakest that suffices, and can never gain more (no_new_privs).  The
price: with that capability the server could read (with `dac_override` also write) any file, as a server run
by root could.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from facealbum.errors import DatabaseUnavailableError

ACCOUNT = "facealbum"

_INSTEAD = "Run as a normal user, or set FACEALBUM_DATABASE_URL to a PostgreSQL server with pgvector."
# From none to the strongest: many containers lack the second, and programs that only their owner may run need
# the third.
_CAPABILITIES = ("", "+dac_read_search", "+dac_override")
# PostgreSQL's programs look for each other by access(2), which leaves capabilities out of account without this bit.
_KEEP_IN_ACCESS = "--securebits=+no_setuid_fixup"
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server's programs run as; `prefix` is the command that becomes that user."""

    name: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def run(
        self, command: Sequence[str | Path], *, keep: Sequence[int] = (), output: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end in a session of its own, where a Ctrl-C in the caller's terminal doesn't reach.

        keep: descriptors that the program inherits.  output: where its output goes; None captures it.
        """
        return subprocess.run(  # noqa: S603 - our own programs, and no shell
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=keep,
            start_new_session=True,
            check=False,
        )

    def give(self, folder: Path) -> None:
        """Make the account the owner of a folder of ours."""
        if self.prefix:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def find_account(directory: Path, *, data: Path) -> Account:
    """The account for the server of this folder, without any capability; may create the system user."""
    if os.geteuid() != 0:
        return Account(name=user_name(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    owner = data.stat() if data.exists() else directory.stat()
    # A cluster runs as its owner, known here or not; a new one needs an owner that has a name.
    if owner.st_uid and (data.exists() or user_name(owner.st_uid) != str(owner.st_uid)):
        return _become(user_name(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    user = ensure_user(ACCOUNT)
    return _become(user.pw_name, uid=user.pw_uid, gid=user.pw_gid)


def enable(account: Account, *, folders: tuple[Path, Path], installation: Path) -> Account:
    """The same account with the weakest capability that lets it reach the folders and run the programs."""
    if not account.prefix:
        return account
    # Doing it is the only check that knows access control lists and security modules as well.
    script = 'cd "$1" && cd "$2" && : <"$3/share/postgresql/postgres.bki" && exec "$3/bin/initdb" --version'
    tries = []
    for capability in _CAPABILITIES:
        rights = (_KEEP_IN_ACCESS, f"--inh-caps={capability}", f"--ambient-caps={capability}") if capability else ()
        enabled = replace(account, prefix=(*account.prefix, *rights))
        result = enabled.run(["/bin/sh", "-c", script, "sh", *folders, installation])
        if result.returncode == 0:
            return enabled
        tries.append(result.stdout.decode(errors="replace").strip())
    raise DatabaseUnavailableError(
        f"PostgreSQL can't run as root, and the system user {account.name!r} can't reach {folders[0]} and "
        f"{installation} even with a capability ({'; '.join(tries)}). {_INSTEAD}"
    )


def ensure_user(name: str) -> pwd.struct_passwd:
    """The system user of this name, created without home and login if missing; only root can."""
    with Path("/etc/passwd").open(encoding="utf-8") as accounts:
        fcntl.flock(accounts, fcntl.LOCK_EX)  # useradd gives up where two run at once
        try:
            return pwd.getpwnam(name)
        except KeyError:
            reason = _create_user(name)
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise DatabaseUnavailableError(
            f"PostgreSQL can't run as root, and the system user {name!r} for it can't be created ({reason}). {_INSTEAD}"
        ) from None


def _create_user(name: str) -> str:
    command = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
    environment = {"PATH": f"{os.defpath}:/usr/sbin:/sbin"}
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - no shell
    except FileNotFoundError:
        return "there is no useradd"
    return result.stderr.strip()


def _become(name: str, *, uid: int, gid: int) -> Account:
    if shutil.which("setpriv", path=os.defpath) is None:
        raise DatabaseUnavailableError(
            f"PostgreSQL can't run as root, and setpriv (of util-linux) to run it as {name!r} is missing. {_INSTEAD}"
        )
    return Account(name, uid, gid, ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"))


def user_name(uid: int) -> str:
    """The system user's name; of one that this machine doesn't know, as after a move from another, the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
