"""How far scores fall when images are shifted."""

import numpy as np
import pytest

from oodkit.errors import InvalidInput
from oodkit.metrics import sensitivity_proxy

RNG = np.random.default_rng(0)
SCORES = RNG.standard_normal(400)


def test_is_the_fall_in_units_of_the_spread():
    """Scores 1 and 3 that become -1 and 1: a fall of 2 at standard deviation 1."""
    assert sensitivity_proxy([1, 3], [-1, 1]).value == pytest.approx(2)


def test_is_the_mean_over_transformations():
    """Each transformation counts the same; the formula by NumPy."""
    shifted = np.stack([SCORES - 1, 2 * SCORES - 3, RNG.standard_normal(400)])
    expected = [(SCORES.mean() - row.mean()) / np.sqrt((SCORES.var() + row.var()) / 2) for row in shifted]
    assert sensitivity_proxy(SCORES, shifted).value == pytest.approx(np.mean(expected), rel=1e-12)


def test_scale_and_offset_of_the_scores_do_not_matter():
    """Any increasing line gives the same figure, a falling one its negative; no change gives 0."""
    shifted = np.stack([SCORES - 0.5, SCORES**2])
    found = sensitivity_proxy(SCORES, shifted).value
    assert sensitivity_proxy(3 * SCORES + 1e6, 3 * shifted + 1e6).value == pytest.approx(found, rel=1e-6)
    assert sensitivity_proxy(-SCORES, -shifted).value == pytest.approx(-found)
    assert sensitivity_proxy(SCORES, SCORES) == (0, 0, 0)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Two normal distributions one deviation apart: about 95 of 100 intervals hold 1."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = sensitivity_proxy(rng.standard_normal(200) + 1, rng.standard_normal(200), 300, seed)
        assert found.low < found.value < found.high
        held += found.low <= 1 <= found.high
    assert 88 <= held <= 100


def test_the_seed_decides():
    """The same seed gives the same interval."""
    assert sensitivity_proxy(SCORES, SCORES**2, seed=3) == sensitivity_proxy(SCORES, SCORES**2, seed=3)
    assert sensitivity_proxy(SCORES, SCORES**2, seed=3) != sensitivity_proxy(SCORES, SCORES**2, seed=4)


@pytest.mark.parametrize(
    ("scores", "shifted", "words"),
    [
        ([1.0], [1.0], "takes scores"),
        ([1.0, 2.0], [[1.0, 2.0, 3.0]], "takes scores"),
        ([1.0, 2.0], np.empty((0, 2)), "takes scores"),
        ([1.0, np.nan], [1.0, 2.0], "finite"),
        ([1.0, 1.0], [0.0, 0.0], "have no spread"),
    ],
)
def test_what_has_no_figure_is_refused(scores, shifted, words):
    """One line."""
    with pytest.raises(InvalidInput, match=words) as caught:
        sensitivity_proxy(scores, shifted)
    assert "\n" not in str(caught.value)
