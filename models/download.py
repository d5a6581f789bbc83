"""Fetching one large file: what is there already is kept, and only the rest is asked for.

The standard library speaks HTTP well enough for this, with the proxies of the environment and redirects; a checksum
afterwards decides (models/install.py), so a file that changed at its source between two attempts is noticed.
"""

from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from facealbum.errors import ChecksumError, DownloadError

Report: TypeAlias = Callable[[int, int | None], None]
"""Told how many bytes are there, and how many there will be, if that is known."""

_TRIES = 4
_SECONDS = 60.0  # without a single byte
_CHUNK = 1 << 18


class _CutShortError(Exception):
    """The connection ended before the file did."""


def download(url: str, part: Path, *, size: int | None, report: Report) -> None:
    """Complete the file `part` from a http, https or file URL.

    size: the bytes of the whole file, if they are known.  Raises DownloadError, ChecksumError if more bytes come than
    the file may have, and OSError if they can't be kept.  A broken connection is taken up again a few times; what has
    come stays in `part` for the next call.
    """
    for left in reversed(range(_TRIES)):
        try:
            _fetch_rest(url, part, size, report)
        except HTTPError as error:
            raise DownloadError(
                f"{url} must be there, it answers {error.code} {error.reason}; try again later, or give another place"
            ) from error
        except (URLError, TimeoutError, ConnectionError, HTTPException, _CutShortError) as error:
            if not left:
                reason = getattr(error, "reason", None) or str(error) or type(error).__name__
                raise DownloadError(
                    f"{url} can't be fetched, {reason}; run the same command again to go on where it stopped, "
                    "or give another place"
                ) from error
        else:
            return


def _fetch_rest(url: str, part: Path, size: int | None, report: Report) -> None:
    there = part.stat().st_size if part.exists() else 0
    if there == size:
        return
    request = Request(url, headers={"Range": f"bytes={there}-"} if there else {})  # noqa: S310 - the catalogue and the command line allow http, https and file
    try:
        answer = urlopen(request, timeout=_SECONDS)  # noqa: S310 - as above
    except HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        part.unlink()
        raise _CutShortError(f"it has no more than {there} bytes") from error
    with answer:
        goes_on = answer.status == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as file:
            length = answer.headers["Content-Length"]
            total = size or (int(length) + file.tell() if length else None)
            _copy(answer, file, total=total, report=report)


def _copy(source: BinaryIO, file: BinaryIO, *, total: int | None, report: Report) -> None:
    done = file.tell()
    report(done, total)
    while chunk := source.read(_CHUNK):
        done += len(chunk)
        if total is not None and done > total:
            raise ChecksumError(f"the file must have {total} bytes, more came; nothing is installed")
        file.write(chunk)
        report(done, total)
    if total is not None and done < total:
        raise _CutShortError(f"the connection ended after {done} of {total} bytes")
