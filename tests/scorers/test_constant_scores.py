"""Where a method can tell nothing apart it says so."""

import numpy as np
import pytest

from oodkit.scorers import create

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["l1", "kl_matching", "msp"])
def test_one_column_of_logits_is_noted(name) -> None:
    """All scores are equal then."""
    logits = RNG.standard_normal((20, 1))

    scorer = create(name).fit(logits)

    assert np.ptp(scorer.score_samples(logits)) == 0
    assert "the logits have one column, so all scores are equal" in scorer.notes_


def test_a_head_with_one_class_is_noted_by_gradnorm() -> None:
    """The softmax is always 1."""
    rows = RNG.standard_normal((20, 3))

    scorer = create("gradnorm").fit(rows, head=(np.ones((1, 3)), [0]))

    assert np.ptp(scorer.score_samples(rows)) == 0
    assert scorer.notes_ == ["the logits have one column, so all scores are equal"]
    assert create("gradnorm").fit(rows, head=(np.ones((2, 3)), [0, 0])).notes_ == []


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("pca", {"components": 5}),
        ("pca", {"variance": 1.0}),
        ("pca", {"components": 5, "normalize": False}),
        ("kpca", {"features": 8, "components": 8}),
    ],
)
def test_nothing_left_out_scores_exactly_0(name, parameters) -> None:
    """Rounding of what would be 0 does not rank rows, in either dtype, and a note says why."""
    rows = RNG.standard_normal((40, 5))

    scorer = create(name, **parameters).fit(rows)

    for dtype in (np.float32, np.float64):
        assert not scorer.score_samples(100 * rows.astype(dtype)).any()
    assert [note for note in scorer.notes_ if "none is left out" in note]


@pytest.mark.parametrize("name", ["nnguide", "react", "vra"])
def test_fit_rows_of_zeros_are_noted(name) -> None:
    """Their thresholds are 0 whatever the method; one other activation is enough for no such note."""
    zeros, head = np.zeros((20, 3)), (np.eye(2, 3), [1, 1])
    other = zeros.copy()
    other[3, 1] = 1

    for rows, said in ((zeros, True), (other, False)):
        notes = create(name).fit(rows, head=head).notes_
        assert any("activations of the fit samples are 0" in note for note in notes) == said
