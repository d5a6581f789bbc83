"""Whether the families that were counted are those that were assigned; if not, no comparison of them means anything.

Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019.
"""

from collections.abc import Sequence

import numpy as np

MISMATCH = 0.001
"""The p-value below which a mismatch is taken for real: one in a thousand healthy experiments is stopped."""

_FEWEST_EXPECTED = 5  # of a group, for the chi-square approximation


def arms_mismatch(families: Sequence[int], shares: Sequence[float]) -> float:
    """p-value that groups of these sizes come from these shares: chi-square, or exact where a group is tiny."""
    from scipy.stats import binomtest, chisquare  # noqa: PLC0415 - half a second, which starting need not pay

    total = sum(families)
    if not total:
        return 1.0
    expected = np.asarray(shares) / sum(shares) * total
    if expected.min() >= _FEWEST_EXPECTED:
        return float(chisquare(families, expected).pvalue)
    tests = [binomtest(found, total, share / total).pvalue for found, share in zip(families, expected, strict=True)]
    return float(min(1.0, min(tests) * (len(tests) - 1)))


def pairs_mismatch(only_control: int, only_treatment: int) -> float:
    """p-value that families are missing from either of two paired arms by chance alone (McNemar's exact test)."""
    from scipy.stats import binomtest  # noqa: PLC0415 - likewise

    missing = only_control + only_treatment
    return float(binomtest(only_control, missing).pvalue) if missing else 1.0
