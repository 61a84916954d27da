"""Scores of a distilled head."""

import numpy as np
import torch

from oodkit.scorers.distilled_scores import bank_score, uniformity
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


def test_the_bank_score_in_log_form():
    """It ranks as the mean of exponentials, is that mean's logarithm, and does not know order or copies of the bank."""
    generator = torch.Generator().manual_seed(0)
    rows, queries = (unit_rows(torch.randn(n, 6, dtype=torch.float64, generator=generator)) for n in (40, 15))
    bank = Bank(rows)
    scores = bank_score(bank, queries, 0.04)
    raw = ((queries @ rows.T - 0.1) / 0.04).exp().mean(dim=1)
    torch.testing.assert_close(0.04 * raw.log() + 0.1, scores)
    assert torch.equal(raw.argsort(), scores.argsort())
    torch.testing.assert_close(bank_score(Bank(rows.flip(0)), queries, 0.04), scores)
    torch.testing.assert_close(bank_score(Bank(torch.cat([rows, rows])), queries, 0.04), scores)
    torch.testing.assert_close(bank_score(bank, queries, 0.04, 40), scores)
    largest = (queries @ rows.T).amax(dim=1)
    torch.testing.assert_close(bank_score(bank, queries, 0.04, 1), largest)
    torch.testing.assert_close(bank_score(bank, queries, 1e-4), largest, atol=1e-3, rtol=0)
    torch.testing.assert_close(bank_score(bank, queries, 1e4), queries @ rows.mean(dim=0), atol=1e-4, rtol=0)
    assert (bank_score(bank, rows, 0.04) > bank_score(bank, -rows, 0.04)).all()


def test_uniformity_is_a_divergence():
    """0 where the logits are those of the centre, log K for a sure answer, the same for shifted logits."""
    centre = torch.tensor([0.1, -0.3, 0.2, 0.0], dtype=torch.float64)
    logits = torch.stack([centre, centre + 5, centre + torch.tensor([3.0, 0, 0, 0])])
    torch.testing.assert_close(
        uniformity(logits, centre, 0.02), torch.tensor([0, 0, np.log(4)], dtype=torch.float64), atol=1e-12, rtol=0
    )
