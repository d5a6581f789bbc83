"""The embedder of a space, whoever made it: packaged, trained here, or installed."""

from pathlib import Path

from models.heads import find_head
from models.registry import EmbedderSpec, load_embedders


def find_embedder(space: str, folder: Path) -> EmbedderSpec:
    """The embedder of a packaged space, or of one trained or installed in the folder.

    Raises UnknownModelError for another name, and ModelNotInstalledError if its weights are not here.
    """
    ready = load_embedders().get(space) or find_head(folder, space)
    if ready is not None:
        return ready
    from models.catalog import find_entry, load_catalog  # noqa: PLC0415 - with what reads it half a second, and who
    from models.install import installed  # noqa: PLC0415 - works in a packaged space need not pay that

    return installed(find_entry(load_catalog(folder), space), folder)
