"""Which code works here: the release, and the commit that it comes from where that is known.

An image says it by FACEALBUM_COMMIT, an installation from a repository by its metadata (PEP 610), a checkout by git,
which is asked once a process.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

_DIGITS = 12
_DESCRIBE = ("describe", "--always", "--exclude=*", f"--abbrev={_DIGITS}", "--dirty")
_SECONDS = 10.0


@cache
def code_version() -> str:
    """As `0.1.0-g1a2b3c4d5e6f`; `-dirty` behind it: with changes that aren't committed; `0.1.0`: of no known commit."""
    installed = distribution("facealbum")
    commit = _of_image(os.environ) or _of_installation(installed.read_text("direct_url.json"))
    commit = commit or _of_checkout(Path(__file__).parents[1])
    return f"{installed.version}-g{commit}" if commit else installed.version


def _of_image(environment: Mapping[str, str]) -> str | None:
    return environment.get("FACEALBUM_COMMIT", "")[:_DIGITS] or None


def _of_installation(origin: str | None) -> str | None:
    """origin: the file direct_url.json, in which pip tells what it installed from."""
    commit: str | None = json.loads(origin or "{}").get("vcs_info", {}).get("commit_id")
    return commit and commit[:_DIGITS]


def _of_checkout(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    command = ("git", "--no-optional-locks", "-C", str(root), *_DESCRIBE)
    try:
        said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=_SECONDS)  # noqa: S603 - ours
    except (OSError, subprocess.SubprocessError):
        return None  # no git, or a checkout that it does not trust: the commit isn't known
    return said.stdout.strip()
