"""What an AUROC's own numbers say against it."""

import pytest

from oodkit.metrics.figure_doubts import figure_doubts, hanley_mcneil_interval


def test_nothing_is_said_where_the_numbers_bear_the_figure() -> None:
    """A narrow interval above chance, hardly any ties."""
    assert figure_doubts(0.9, 5000, 5000, (0.896, 0.904), ties=0.001) == ()


def test_each_doubt_has_its_line() -> None:
    """Under 50 with and without chance, ties, and few images, whose interval is estimated where none is given."""
    assert figure_doubts(0.4, 9, 9, (0.397, 0.403)) == ("AUROC under 50: out-images score above in-images",)
    assert figure_doubts(0.499, 9, 9, (0.496, 0.502)) == ("AUROC under 50: within chance",)
    assert figure_doubts(0.9, 9, 9, (0.896, 0.904), ties=0.02) == ("2 % of in/out pairs have equal scores",)
    (line,) = figure_doubts(0.9, 100, 80)
    assert line.startswith("few images (100 in, 80 out): the 95 % interval is")


def test_hanley_and_mcneil_by_their_table() -> None:
    """Standard error 0.003 at 0.9 with 5,000 images a side, 0.01 with 500; none for a perfect AUROC."""
    low, high = hanley_mcneil_interval(0.9, 5000, 5000)
    assert (high - low) / 3.92 == pytest.approx(0.0032, abs=1e-4)
    low, high = hanley_mcneil_interval(0.9, 500, 500)
    assert (high - low) / 3.92 == pytest.approx(0.0100, abs=2e-4)
    assert hanley_mcneil_interval(1.0, 10, 10) == (1, 1)
