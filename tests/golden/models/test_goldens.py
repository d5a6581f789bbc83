"""The packaged weights, run by LiteRT, against the outputs of the runtimes that the models were published for."""

import numpy as np
import pytest

from models.network import open_network
from models.registry import load_specs
from tests.golden.models.source_runtime import GOLDENS, chips

ROLES = ("sface", "mobilefacenet", "age_gender", "age", "gender")


@pytest.mark.parametrize("role", ROLES)
def test_packaged_network_gives_what_the_source_runtime_gave(role: str) -> None:
    network = open_network(load_specs()[role])
    with np.load(GOLDENS) as goldens:
        expected = goldens[role]
    given = np.stack([network.run(chip) for chip in chips(network.size)])
    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((given * expected).sum(1) / lengths).min() > 0.9999
    assert np.abs(given - expected).max() < 0.01 * np.abs(expected).max()
