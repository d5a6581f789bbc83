"""Weights that an operator installs: fetched, held against their checksum, and only then put in their place.

A folder holds for each installed embedder its weights and their checksum, the latter as sha256sum writes it.
Whatever happens on the way, a file under its final name is whole and is what was asked for.
"""

import errno
import fcntl
import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facealbum.errors import ChecksumError, InvalidValueError, ModelError, ModelNotInstalledError
from models.catalog import Entry
from models.download import Report, download
from models.registry import Backbone, EmbedderSpec, ModelSpec, Preprocessing

_SHA256_DIGITS = 64


def install(
    entry: Entry, folder: Path, *, report: Report, place: str | None = None, sha256: str | None = None
) -> EmbedderSpec:
    """Fetch the embedder's weights into the folder, from `place` (a URL) instead of the publisher if it is given.

    sha256: of the download, for an entry that pins none.  Raises DownloadError, ChecksumError, and ModelError if
    another process installs it right now or there is no room.  What is installed already stays: no second
    file may fill the same space.
    """
    url = place or (entry.download.url if entry.download else None)
    if url is None:
        raise InvalidValueError(
            f"{entry.space} has no file to download; see {entry.page}, then give its place by --from"
        )
    pins = _pins(entry, sha256)
    with _alone(entry, folder):
        if (there := _whole(entry, folder)) is not None:
            found = there.backbones[0].model.sha256
            packed = entry.download is not None and entry.download.member
            if not entry.pins and found not in pins and not packed:
                raise ChecksumError(
                    f"{entry.space} is installed already, with sha256 {found}; give another file an entry of its own"
                )
            return there
        part = folder / f"{entry.file_name}.part"
        try:
            _fetch(entry, url, part, pins=pins, report=report)
            _put(entry, folder, part)
        except ChecksumError:
            part.unlink(missing_ok=True)
            raise
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            part.unlink(missing_ok=True)
            raise ModelError(f"{folder} must have room for {entry.space}, the disk is full; make room") from error
        return installed(entry, folder)


def installed(entry: Entry, folder: Path, *, check: bool = False) -> EmbedderSpec:
    """The embedder whose weights lie in the folder; raises ModelNotInstalledError if they don't.

    check: read them now, not only when they are used; raises ModelError if they are not what was installed.
    """
    file, note = folder / entry.file_name, folder / f"{entry.file_name}.sha256"
    try:
        sha256 = note.read_text(encoding="ascii").split()[0]
        file.stat()
    except (OSError, ValueError, IndexError):
        sha256 = ""
    if not sha256 or entry.weights_sha256 not in (None, sha256):
        raise ModelNotInstalledError(
            f"{entry.space} must be installed on this machine; run facealbum models install {entry.space}"
        )
    model = ModelSpec(
        role="embedder",
        version=entry.version,
        file=file,
        sha256=sha256,
        licence=entry.licence.name,
        licence_file=entry.path,
        preprocessing=Preprocessing(**entry.input.model_dump()),
        space=entry.space,
        constants={},
        runtime=entry.runtime,
    )
    if check and (found := digest_of(file)) != sha256:
        raise ChecksumError(f"{file} must have sha256 {sha256}, got {found}; remove {entry.space} and install it again")
    backbone = Backbone(model, weight=1.0, mirrored=entry.mirrored)
    return EmbedderSpec(
        space=entry.space,
        version=entry.version,
        backbones=(backbone,),
        head=None,
        licence=entry.licence.name,
        research_only=not entry.licence.commercial,
        similarity=entry.similarity,
    )


def remove(entry: Entry, folder: Path) -> int:
    """Delete what lies in the folder of the embedder, a half download as well; returns how many bytes that freed."""
    with _alone(entry, folder):
        files = [folder / f"{entry.file_name}{ending}" for ending in ("", ".sha256", ".part")]
        freed = sum(file.stat().st_size for file in files if file.exists())
        for file in files:
            file.unlink(missing_ok=True)
    return freed


def digest_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole(entry: Entry, folder: Path) -> EmbedderSpec | None:
    """The embedder if it is installed and undamaged."""
    try:
        return installed(entry, folder, check=True)
    except ModelError:
        return None


def _pins(entry: Entry, given: str | None) -> tuple[str, ...]:
    if given is not None and (len(given) != _SHA256_DIGITS or set(given.lower()) - set("0123456789abcdef")):
        raise InvalidValueError(f"--sha256 must be {_SHA256_DIGITS} hex digits, got {given!r}")
    if entry.pins and given is not None and given.lower() not in entry.pins:
        raise ChecksumError(
            f"{entry.space} must have sha256 {' or '.join(entry.pins)}, got {given}; leave out --sha256"
        )
    if not entry.pins and given is None:
        raise InvalidValueError(
            f"{entry.space} has no known checksum; take it from {entry.page} or your own file, and give it by --sha256"
        )
    return entry.pins or ((given or "").lower(),)


def _fetch(entry: Entry, url: str, part: Path, *, pins: tuple[str, ...], report: Report) -> None:
    """The whole download, as pinned; a part that went wrong is fetched anew once."""
    _check_room(entry, part)
    for went_on in (part.exists(), False):
        download(url, part, sizes=entry.sizes_at(url), report=report)
        found = digest_of(part)
        if found in pins:
            return
        if not went_on:
            raise ChecksumError(f"{url} must have sha256 {' or '.join(pins)}, got {found}; nothing is installed")
        part.unlink()


def _put(entry: Entry, folder: Path, part: Path) -> None:
    """Unpack the download if it is an archive, and put weights and checksum in their place."""
    member = entry.download.member if entry.download else ""
    if member and digest_of(part) != entry.weights.sha256:
        unpacked = part.with_suffix(".unpacked")
        try:
            _unpack(part, member, unpacked, size=entry.weights.bytes)
            part.unlink()
            unpacked.replace(part)
        finally:
            unpacked.unlink(missing_ok=True)
    sha256 = digest_of(part)
    if entry.weights_sha256 not in (None, sha256):
        raise ChecksumError(f"{member} must have sha256 {entry.weights.sha256}, got {sha256}; nothing is installed")
    file = folder / entry.file_name
    part.replace(file)
    (folder / f"{file.name}.sha256").write_text(f"{sha256}  {file.name}\n", encoding="ascii")


def _unpack(archive: Path, member: str, target: Path, *, size: int | None) -> None:
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source, target.open("wb") as file:
            length = opened.getinfo(member).file_size
            if size not in (None, length):
                raise ChecksumError(f"{member} must have {size} bytes, got {length}; nothing is installed")
            shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise ChecksumError(
            f"the download must be a zip archive with {member}, {error}; nothing is installed"
        ) from error


def _check_room(entry: Entry, part: Path) -> None:
    there = part.stat().st_size if part.exists() else 0
    needed = ((entry.download.bytes if entry.download else None) or 0) + (entry.weights.bytes or 0) - there
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise ModelError(
            f"{part.parent} must have {needed / 1e6:.1f} MB free for {entry.space}, got {free / 1e6:.1f} MB; make room"
        )


@contextmanager
def _alone(entry: Entry, folder: Path) -> Iterator[None]:
    """The lock of this embedder's files, which the kernel gives back however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{entry.space}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"{entry.space} is being installed by another process; wait until it is done") from None
        yield
