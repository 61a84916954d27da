"""Verdicts on many images with a bounded share of false ones."""

import numpy as np

from oodkit.detector.fdr import with_false_discovery_rate
from oodkit.detector.judging import Verdict
from oodkit.detector.neighbours import Neighbour
from oodkit.metrics import conformal_p_values


def test_by_hand():
    """Of four p-values and a rate of 0.1, 0.05 passes with the second rank; all else comes back as it was."""
    near = (Neighbour("a", 0.5),)
    given = [Verdict(str(p), 1.0, p, False, near) for p in (0.2, 0.05, 0.01, 0.9)]
    given.insert(1, Verdict("broken", error="no image"))
    found = list(with_false_discovery_rate(iter(given), 0.1))
    assert [verdict.ood for verdict in found] == [False, None, True, True, False]
    assert found[0] == given[0]
    assert found[1] == given[1]
    assert list(with_false_discovery_rate(iter([given[1]]), 0.1)) == [given[1]]


def test_the_share_of_false_verdicts_is_kept():
    """Over simulated batches with OOD images among them, the mean share of false verdicts is at most the rate."""
    rng, shares = np.random.default_rng(0), []
    for _ in range(300):
        scores = np.concatenate([rng.normal(size=80), rng.normal(-3, size=20)])
        p = conformal_p_values(rng.normal(size=500), scores)
        found = list(with_false_discovery_rate((Verdict("", 0.0, float(one), False) for one in p), 0.2))
        flagged = np.array([verdict.ood for verdict in found])
        shares.append(flagged[:80].sum() / max(1, flagged.sum()))
    assert np.mean(shares) <= 0.2 + 2 * np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) > 0.1
