"""On which side of a split a group stands: drawn by its name, so that groups that come later move none.  Pure."""

import hashlib

import numpy as np


def draw_of(group: str, *, seed: int) -> np.random.Generator:
    """The group's own draw, the same wherever and whenever it is asked for."""
    digest = hashlib.sha256(f"{seed} {group}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def is_held_out(group: str, share: float, *, seed: int) -> bool:
    """Whether nothing is learnt from the group, where that is so of about this share of all."""
    return draw_of(group, seed=seed).random() < share
