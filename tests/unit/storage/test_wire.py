"""Embeddings come from the wire as they are stored, at unit length, many as one."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.storage.wire import WIRE_BYTES, read_embedding, read_embeddings


def wires(count: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """uint8[count, WIRE_BYTES] as PostgreSQL sends halfvecs."""
    halves = np.random.default_rng(seed).normal(size=(count, EMBEDDING_SIZE)).astype(">f2")
    header = struct.pack(">hh", EMBEDDING_SIZE, 0)
    sent = b"".join(header + one.tobytes() for one in halves)
    return np.frombuffer(sent, np.uint8).reshape(count, WIRE_BYTES)


@given(seed=st.integers(0, 1 << 32))
def test_an_embedding_is_what_its_halves_say_at_unit_length(seed: int) -> None:
    wire = wires(1, seed)[0].tobytes()
    halves = np.array(struct.unpack(f">4x{EMBEDDING_SIZE}e", wire))
    assert np.allclose(read_embedding(wire), halves / np.linalg.norm(halves), rtol=1e-6, atol=0)


@given(count=st.sampled_from([0, 1, 255, 256, 257, 700]), seed=st.integers(0, 1 << 32))
def test_many_embeddings_are_each_bit_for_bit_what_it_is_alone(count: int, seed: int) -> None:
    sent = wires(count, seed)
    among_others = np.zeros((count, WIRE_BYTES + 7), np.uint8)
    among_others[:, 3 : 3 + WIRE_BYTES] = sent
    together = read_embeddings(among_others[:, 3 : 3 + WIRE_BYTES])
    assert together.tobytes() == b"".join(read_embedding(one.tobytes()).tobytes() for one in sent)


def test_every_number_that_a_half_can_be_is_read_as_that_number() -> None:
    finite = np.flatnonzero(np.isfinite(np.arange(1 << 16, dtype=np.uint16).view(np.float16))).astype(np.uint16)
    sent = np.zeros((len(finite), WIRE_BYTES), np.uint8)
    one_of_each = sent[:, 4:].view(">u2")
    one_of_each[:, 0] = finite
    one_of_each[:, 1:3] = np.array([1.0, -0.5], np.float16).view(np.uint16)
    halves = one_of_each.astype(np.uint16).view(np.float16).astype(np.float32)
    lengths = np.sqrt(np.vecdot(halves, halves))[:, None]
    assert read_embeddings(sent).tobytes() == (halves / lengths).tobytes()
