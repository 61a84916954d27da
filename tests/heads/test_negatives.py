import numpy as np
import pytest

from oodkit.errors import InvalidInput
from oodkit.heads import mine_negatives, negatives


def by_loops(words, text, kinds, quantile, share):
    """The paper's rule with NumPy's quantile, word by word."""
    kept = []
    for kind in sorted(set(kinds)):
        members = [i for i, k in enumerate(kinds) if k == kind]
        similarity = {}
        for i in members:
            cosines = [w @ t / np.linalg.norm(w) / np.linalg.norm(t) for w, t in ((words[i], t) for t in text)]
            similarity[i] = np.quantile(cosines, quantile)
        kept += sorted(members, key=similarity.get)[: max(1, int(share * len(members)))]
    return sorted(kept)


def test_the_words_that_point_away_are_kept():
    """Of four words the one opposite to both names; of each kind one."""
    text = np.array([[1.0, 0.0], [1.0, 0.1]])
    words = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [1.0, 1.0]])

    assert mine_negatives(words, text, share=0.25).tolist() == [2]
    assert mine_negatives(words, text, kinds=["noun", "noun", "adj", "adj"], share=0.5).tolist() == [1, 2]


@pytest.mark.parametrize(("quantile", "share"), [(0.95, 0.15), (0.5, 0.3), (1.0, 1.0), (0.0, 0.01)])
def test_agrees_with_the_rule_by_loops(quantile, share, monkeypatch):
    """Also when similarities are taken a few words at a time."""
    rng = np.random.default_rng(0)
    words, text = rng.standard_normal((60, 5)), rng.standard_normal((8, 5))
    kinds = ["noun"] * 41 + ["adj"] * 19
    monkeypatch.setattr(negatives, "BLOCK_BYTES", 7 * 8 * 13)

    found = mine_negatives(words, text, kinds=kinds, quantile=quantile, share=share)

    assert found.tolist() == by_loops(words, text, kinds, quantile, share)


def test_length_does_not_matter_and_ties_go_to_the_first():
    """Words and names of any length; of equal words the first ones."""
    rng = np.random.default_rng(0)
    words, text = rng.standard_normal((40, 5)), rng.standard_normal((8, 5))

    np.testing.assert_array_equal(mine_negatives(3 * words, 9 * text), mine_negatives(words, text))
    assert mine_negatives(np.ones((10, 5)), text, share=0.3).tolist() == [0, 1, 2]


def test_what_cannot_be_mined_is_refused():
    """Numbers out of range, no words, other widths, another number of kinds."""
    words, text = np.ones((4, 2)), np.ones((3, 2))
    with pytest.raises(InvalidInput, match=r"quantile must be in \[0, 1\], got 95"):
        mine_negatives(words, text, quantile=95)
    with pytest.raises(InvalidInput, match="share must be above 0"):
        mine_negatives(words, text, share=0)
    with pytest.raises(InvalidInput, match="needs words and class names, got 0 and 3"):
        mine_negatives(words[:0], text)
    with pytest.raises(InvalidInput, match="words have width 2, class names 3"):
        mine_negatives(words, np.ones((3, 3)))
    with pytest.raises(InvalidInput, match="4 words, but 2 kinds"):
        mine_negatives(words, text, kinds=["noun", "adj"])
