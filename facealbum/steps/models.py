"""The embedders of this installation: what there is, and installing, choosing, checking and removing one."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.errors import InvalidValueError, ModelNotInstalledError
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, installed_space, models_folder
from facealbum.steps.packaged_models import register_packaged
from facealbum.storage.registry import load_versions_of
from models.catalog import Entry, find_entry, load_catalog
from models.download import Report
from models.heads import is_head, load_heads, remove_head
from models.install import digest_of, install, installed, remove
from models.registry import EmbedderSpec, load_embedders, load_specs

_SCHEMES = ("http://", "https://", "file://")


@dataclass(frozen=True, slots=True)
class Model:
    """One embedder; name: its embedding space; bytes: of its weights, None if they are not known.

    stage: of its newest version in the registry, None before it is in there.
    """

    name: str
    state: Literal["in use", "packaged", "trained", "installed", "available"]
    licence: str
    research_only: bool
    bytes: int | None
    about: str
    page: str
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One file's checksum."""

    name: str
    fine: bool
    detail: str


def list_models(context: Context) -> list[Model]:
    """Every embedder, the packaged ones first; raises ModelError for an entry that can't be read."""
    folder = models_folder(context.settings)
    with context.database.begin() as transaction:
        chosen = installed_space(transaction)
        register_packaged(transaction, now=context.clock())
        stages = {one.name: one.stage for one in load_versions_of(transaction, kind=ModelKind.EMBEDDER)}
    packaged = [_ready(spec, "packaged", chosen) for spec in load_embedders().values()]
    trained = [_ready(spec, "trained", chosen) for spec in load_heads(folder).values()]
    listed = [_listed(entry, folder, chosen) for entry in load_catalog(folder).values()]
    return [replace(one, stage=stages.get(one.name)) for one in (*packaged, *trained, *listed)]


def install_model(
    settings: Settings, name: str, *, report: Report, place: str | None = None, sha256: str | None = None
) -> EmbedderSpec:
    """Install an embedder of the catalogue from `place` (a path or URL), the mirror or its publisher.

    Raises what models.install.install raises, and UnknownModelError.
    """
    folder = models_folder(settings)
    entry = _entry(name, folder)
    return install(entry, folder, report=report, place=_place(entry, place, settings.model_mirror), sha256=sha256)


def check_models(settings: Settings, name: str | None = None) -> list[Check]:
    """Hold the files of one embedder, or of all models that are here, against their checksums.

    Raises UnknownModelError, and ModelNotInstalledError for one that is not here.
    """
    folder = models_folder(settings)
    if name is not None:
        return [_check(*file) for file in _files(find_embedder(name, folder))]
    files = {spec.file: (spec.version, spec.file, spec.sha256) for spec in load_specs().values()}
    for embedder in (*load_embedders().values(), *load_heads(folder).values(), *_installed(folder)):
        files |= {path: (what, path, sha256) for what, path, sha256 in _files(embedder)}
    return [_check(*file) for file in files.values()]


def remove_model(context: Context, name: str) -> int:
    """Delete an installed embedder, and tell how many bytes that freed; refuses the one in use."""
    folder = models_folder(context.settings)
    with context.database.begin() as transaction:
        if installed_space(transaction) == name:
            raise InvalidValueError(f"{name} is in use; choose another by facealbum models use, then remove it")
    if is_head(folder, name):
        return remove_head(folder, name)
    return remove(_entry(name, folder), folder)


def _entry(name: str, folder: Path) -> Entry:
    if name in load_embedders():
        raise InvalidValueError(f"{name} is packaged with facealbum: it is always there; verify it, or use it")
    return find_entry(load_catalog(folder), name)


def _ready(spec: EmbedderSpec, state: Literal["packaged", "trained"], chosen: str) -> Model:
    return Model(
        spec.space,
        "in use" if spec.space == chosen else state,
        spec.licence,
        spec.research_only,
        sum(file.stat().st_size for _, file, _ in _files(spec)),
        f"{spec.version}: {', '.join(one.model.version for one in spec.backbones)}",
        "",
    )


def _listed(entry: Entry, folder: Path, chosen: str) -> Model:
    here = any(spec.space == entry.space for spec in _installed(folder, entry))
    state: Literal["in use", "installed", "available"] = "installed" if here else "available"
    size = entry.weights.bytes or (entry.download.bytes if entry.download else None)
    return Model(
        entry.space,
        "in use" if entry.space == chosen else state,
        entry.licence.name,
        not entry.licence.commercial,
        size,
        entry.about,
        entry.page,
    )


def _installed(folder: Path, *entries: Entry) -> Iterator[EmbedderSpec]:
    """Those of the entries, or of the whole catalogue, that are installed."""
    for entry in entries or load_catalog(folder).values():
        with suppress(ModelNotInstalledError):
            yield installed(entry, folder)


def _files(embedder: EmbedderSpec) -> Iterator[tuple[str, Path, str]]:
    """What each file is, where it lies and its checksum."""
    for backbone in embedder.backbones:
        yield backbone.model.version, backbone.model.file, backbone.model.sha256
    if embedder.head is not None:
        yield embedder.head.version, embedder.head.file, embedder.head.sha256


def _check(name: str, file: Path, sha256: str) -> Check:
    try:
        found = digest_of(file)
    except OSError as error:
        return Check(name, fine=False, detail=f"{file} can't be read, {error.strerror}; install it again")
    if found != sha256:
        return Check(name, fine=False, detail=f"{file} must have sha256 {sha256}, got {found}; install it again")
    return Check(name, fine=True, detail=str(file))


def _place(entry: Entry, given: str | None, mirror: str | None) -> str | None:
    """The URL to fetch from: what was given, else the publisher's file name at the mirror, else None."""
    if given is None and mirror is not None:
        published = entry.download.url if entry.download else entry.file_name
        given = f"{mirror.rstrip('/')}/{urlsplit(published).path.rsplit('/', 1)[-1]}"
    if given is None or given.startswith(_SCHEMES):
        return given
    return Path(given).expanduser().absolute().as_uri()
