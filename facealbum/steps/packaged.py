"""Which models this installation carries, read from their manifest without loading any of them."""

from dataclasses import dataclass

from models.registry import load_specs


@dataclass(frozen=True, slots=True)
class PackagedModels:
    """Version by role, and the embedding space that they fill."""

    versions: dict[str, str]
    space: str


def packaged_models() -> PackagedModels:
    """The packaged models; raises ModelError if the manifest is damaged."""
    specs = load_specs()
    spaces = [spec.space for spec in specs.values() if spec.space]
    return PackagedModels({role: spec.version for role, spec in sorted(specs.items())}, spaces[0])


def verify_models() -> None:
    """Read every packaged file; raises ModelError if one is missing or changed."""
    for spec in load_specs().values():
        spec.read()
