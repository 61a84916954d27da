import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput
from oodkit.heads import fit_probe, fit_pseudo_label_probe
from tests.heads.problems import labelled


def test_with_true_labels_it_is_the_probe_bit_for_bit():
    """Whether they come as labels or as logits that say the same, and whatever was drawn before."""
    rows, labels = labelled()
    probe = fit_probe(rows, labels, epochs=5)
    torch.rand(3)

    from_labels = fit_pseudo_label_probe(rows, labels, epochs=5)
    from_logits = fit_pseudo_label_probe(rows, np.eye(3)[labels], true_labels=labels, epochs=5)

    for head in (from_labels, from_logits):
        assert torch.equal(head.weight, probe.weight)
        assert torch.equal(head.bias, probe.bias)
    assert from_logits.pseudo_label_accuracy == 1
    assert from_labels.pseudo_label_accuracy is None


def test_reports_how_many_pseudo_labels_are_true():
    """Seven wrong ones of 70 are 90 %; the true labels change the report and nothing else."""
    rows, labels = labelled()
    pseudo = labels.copy()
    pseudo[:7] = (pseudo[:7] + 1) % 3

    head = fit_pseudo_label_probe(rows, pseudo, true_labels=labels, epochs=2)

    assert head.pseudo_label_accuracy == pytest.approx(0.9)
    assert head.notes == ("pseudo-label accuracy 90.0 %",)
    assert torch.equal(head.weight, fit_probe(rows, pseudo, epochs=2).weight)


def test_logits_say_how_many_classes_there_are():
    """A class that is never the largest still has a logit, and a note."""
    rows, labels = labelled()

    head = fit_pseudo_label_probe(rows, np.eye(4)[labels], epochs=1)

    assert head.weight.shape == (4, 5)
    assert "1 of 4 classes have no sample" in head.notes[0]
    with pytest.raises(InvalidInput, match="logits are of 4 classes, but 3 classes were given"):
        fit_pseudo_label_probe(rows, np.eye(4)[labels], classes=["a", "b", "c"])
    with pytest.raises(InvalidInput, match="zero-shot logits must be finite"):
        fit_pseudo_label_probe(rows, np.full((70, 3), np.nan))
