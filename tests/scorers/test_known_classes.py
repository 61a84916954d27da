import pytest
import torch

from oodkit.errors import InvalidInput
from oodkit.scorers.known_classes import chosen_blocks, known_classes


def test_labels_index_the_columns() -> None:
    """0 to C - 1 are known; others are counted; nothing but others is an error."""
    logits = torch.zeros(4, 3)

    known, notes = known_classes(logits, torch.tensor([0, 2, 3, -1]))

    assert known.tolist() == [True, True, False, False]
    assert notes == ["2 of 4 rows were left out: their label is no column of the logits, 0 to 2"]
    assert known_classes(logits, torch.tensor([0, 1, 2, 0]))[1] == []
    with pytest.raises(InvalidInput, match=r"0 to 2 \(n_features = 3\), and none of 4 is; number the classes"):
        known_classes(logits, torch.full((4,), 7))


def test_chosen_rows_come_in_blocks(monkeypatch) -> None:
    """All rows that are chosen come once, in order and in float64, with their labels."""
    monkeypatch.setattr("oodkit.scorers.known_classes.BLOCK", 6)
    logits, labels = torch.arange(10.0).reshape(5, 2).half(), torch.arange(5)

    blocks = list(chosen_blocks(logits, labels, labels != 1))

    assert torch.cat([rows for rows, _ in blocks]).tolist() == [[0, 1], [4, 5], [6, 7], [8, 9]]
    assert torch.cat([of for _, of in blocks]).tolist() == [0, 2, 3, 4]
    assert [len(rows) for rows, _ in blocks] == [2, 2]
    assert {rows.dtype for rows, _ in blocks} == {torch.float64}
