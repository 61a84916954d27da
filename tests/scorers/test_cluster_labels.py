import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.cluster_labels import cluster_labels, clusters_note
from oodkit.scorers.unit_rows import unit_rows


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_rows_are_clustered_after_they_are_prepared(dtype) -> None:
    """Directions are clusters where rows are scaled to length 1 first, though their lengths differ a hundredfold."""
    rows = torch.tensor([[1.0, 0.1], [100, 9], [0.1, 1], [9, 100]], dtype=dtype)

    plain, prepared = cluster_labels(rows, 2, 0), cluster_labels(rows, 2, 0, unit_rows)

    assert prepared[0] == prepared[1] != prepared[2] == prepared[3]
    assert plain[0] == plain[2]


def test_one_cluster_is_all_rows() -> None:
    """One cluster needs no k-means; other numbers that are no number of clusters are refused."""
    rows = torch.eye(3)

    assert cluster_labels(rows, 1, 0).tolist() == [0, 0, 0]
    for clusters in (0, -2, 1.5):
        with pytest.raises(InvalidInput, match="clusters must be an integer of at least 1, got"):
            cluster_labels(rows, clusters, 0)
    with pytest.raises(TooFewSamples, match="clusters=4 needs at least 4 fit samples"):
        cluster_labels(rows, 4, 0)


def test_labels_that_are_not_used_are_said() -> None:
    """There is a note where labels were given, none otherwise."""
    assert clusters_note(3, None) == []
    assert clusters_note(3, torch.zeros(5)) == ["labels are ignored: the classes are 3 k-means cluster(s)"]


def test_blocks_do_not_matter(monkeypatch) -> None:
    """Rows that come in blocks are clustered as at once."""
    rows = torch.from_numpy(np.random.default_rng(0).standard_normal((50, 3)))
    whole = cluster_labels(rows, 4, 0, unit_rows)
    monkeypatch.setattr("oodkit.scorers.cluster_labels.BLOCK", 7)

    assert torch.equal(cluster_labels(rows, 4, 0, unit_rows), whole)
