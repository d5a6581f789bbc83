"""Fetching one large file: what is there already is kept, and only the rest is asked for.

The standard library speaks HTTP well enough for this, with the proxies of the environment and redirects; a checksum
afterwards decides (models/install.py), so a file that changed at its source between two attempts is noticed.
"""

from collections.abc import Callable, Collection
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from facealbum.errors import ChecksumError, DownloadError, InvalidValueError

Report: TypeAlias = Callable[[int, int | None], None]
"""Told how many bytes are there, and how many there will be, if that is known."""

_TRIES = 4
_SECONDS = 60.0  # without a single byte
_CHUNK = 1 << 18


class _CutShortError(Exception):
    """The connection ended before the file did."""


def download(url: str, part: Path, *, sizes: Collection[int], report: Report) -> None:
    """Complete the file `part` from a http, https or file URL.

    sizes: how many bytes the whole file may have, none if that is not known.  Raises InvalidValueError, DownloadError,
    ChecksumError as soon as the file can't be of such a size or comes compressed, and OSError if it can't be kept.  A
    broken connection is taken up again a few times; what has come stays in `part` for the next call.
    """
    for left in reversed(range(_TRIES)):
        try:
            _fetch_rest(url, part, sizes, report)
        except HTTPError as error:
            answer = _one_line(f"{error.code} {error.reason}")
            raise DownloadError(
                f"{url} must be there, it answers {answer}; try again later, or give another place"
            ) from error
        except (URLError, TimeoutError, ConnectionError, HTTPException, _CutShortError) as error:
            if url.startswith("file:"):
                raise DownloadError(f"{url} must be a file that can be read, {_reason(error)}; give another") from error
            if not left:
                raise DownloadError(
                    f"{url} can't be fetched, {_reason(error)}; run the same command again to go on where it stopped, "
                    "or give another place"
                ) from error
        except ValueError as error:
            raise InvalidValueError(f"{url} must be a URL, {error}; correct it") from error
        else:
            return


def _reason(error: Exception) -> str:
    return _one_line(str(getattr(error, "reason", None) or error)) or type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fetch_rest(url: str, part: Path, sizes: Collection[int], report: Report) -> None:
    there = part.stat().st_size if part.exists() else 0
    if there in sizes:
        return
    request = Request(url, headers={"Range": f"bytes={there}-"} if there else {})  # noqa: S310 - the catalogue and the command line allow http, https and file
    try:
        answer = urlopen(request, timeout=_SECONDS)  # noqa: S310 - as above
    except HTTPError as error:
        error.close()
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        part.unlink()
        raise _CutShortError(f"it has no more than {there} bytes") from error
    with answer:
        goes_on = answer.status == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as file:
            _copy(answer, file, total=_total(url, answer.headers, file.tell(), sizes), sizes=sizes, report=report)


def _total(url: str, headers: Message, there: int, sizes: Collection[int]) -> int | None:
    """The bytes of the whole file, as the server or its only possible size says; raises ChecksumError."""
    encoding, length = headers.get("Content-Encoding", "identity"), headers.get("Content-Length", "")
    if encoding != "identity":
        raise ChecksumError(f"{url} must come as it is, the server sends it as {encoding}; give another place")
    total = there + int(length) if length.isdecimal() else None
    if sizes and total is not None and total not in sizes:
        raise ChecksumError(f"{url} must have {_listed(sizes)} bytes, the server has {total}; nothing is installed")
    return next(iter(sizes)) if total is None and len(sizes) == 1 else total


def _copy(source: BinaryIO, file: BinaryIO, *, total: int | None, sizes: Collection[int], report: Report) -> None:
    done, most = file.tell(), total or max(sizes, default=None)
    report(done, total)
    while chunk := source.read(_CHUNK):
        done += len(chunk)
        if most is not None and done > most:
            raise ChecksumError(f"the file must have {_listed(sizes or [most])} bytes, more came; nothing is installed")
        file.write(chunk)
        report(done, total)
    if total is not None and done < total:
        raise _CutShortError(f"the connection ended after {done} of {total} bytes")


def _listed(sizes: Collection[int]) -> str:
    return " or ".join(map(str, sorted(sizes)))
